"""Onboarding the real files of a fictional hardware company: what is in them is counted apart from our own reading."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from distribution.models import Assignment, Rep, Skill
from distribution.onboarding.applying import apply_plan
from distribution.onboarding.files import read_directory
from distribution.onboarding.mapping import parse_mapping
from distribution.onboarding.planning import build_plan
from leadcrm.lib.doctor import violations
from pipeline.models import Account, Lead, Team

pytestmark = [pytest.mark.data, pytest.mark.django_db]

MAPPING = """
[offices]
Central = "America/Chicago"
East = "America/New_York"
West = "America/Los_Angeles"
[values.product]
GTXPro = "GTX Pro"
[values.industry]
technolgy = "technology"
[accounts]
revenue_unit = 1000000
[opportunities]
currency = "USD"
"""


@pytest.fixture
def folder(data_dir) -> Path:
    return data_dir / "maven_crm"


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_misspelt_product_and_blank_account_is_told_and_nothing_is_swallowed(folder):
    deals = rows_of(folder, "sales_pipeline.csv")
    products = {row["product"] for row in rows_of(folder, "products.csv")}
    misspelt = {number for number, row in enumerate(deals, start=2) if row["product"] not in products}
    blank = {number for number, row in enumerate(deals, start=2) if not row["account"]}
    plan = build_plan(read_directory(folder), parse_mapping(""))
    found = {
        column: {p.row for p in plan.problems if p.file == "sales_pipeline.csv" and p.column == column}
        for column in ("product", "account")
    }
    assert found["product"] == misspelt
    assert found["account"] == blank
    assert (len(deals), len(misspelt), len(blank)) == (6160, 1079, 989)
    assert len(plan.opportunities) == len(deals) - len(misspelt)
    assert plan.refused_rows == len(misspelt)


def test_rows_that_are_the_same_apart_from_their_id_are_told(folder):
    seen: Counter[tuple[str, ...]] = Counter()
    repeated = set()
    for number, row in enumerate(rows_of(folder, "sales_pipeline.csv"), start=2):
        said = tuple(value for name, value in row.items() if name != "opportunity_id")
        if seen[said]:
            repeated.add(number)
        seen[said] += 1
    plan = build_plan(read_directory(folder), parse_mapping(MAPPING))
    assert {p.row for p in plan.problems if p.column == "opportunity_id"} == repeated
    assert len(repeated) == 226


def test_the_whole_company_is_taken_over_and_everything_holds(folder):
    deals = rows_of(folder, "sales_pipeline.csv")
    plan = build_plan(read_directory(folder), parse_mapping(MAPPING))
    apply_plan(plan)
    assert plan.refused_rows == 0
    assert (Rep.objects.count(), Team.objects.count(), Account.objects.count(), Skill.objects.count()) == (35, 6, 85, 7)
    assert Account.objects.exclude(parent=None).count() == 15
    assert not Account.objects.filter(country="").exists()
    assert Counter(Rep.objects.values_list("time_zone", flat=True)) == {
        "America/Chicago": 11,
        "America/New_York": 12,
        "America/Los_Angeles": 12,
    }
    assert Counter(Lead.objects.values_list("stage__name", flat=True)) == Counter(row["deal_stage"] for row in deals)
    won = sum(int(row["close_value"]) for row in deals if row["deal_stage"] == "Won")
    assert sum(Lead.objects.filter(stage__kind="won").values_list("value", flat=True)) == won
    still = Counter(row["sales_agent"] for row in deals if row["deal_stage"] in ("Engaging", "Prospecting"))
    assert {rep.name: rep.open_leads for rep in Rep.objects.filter(open_leads__gt=0)} == still
    assert Assignment.objects.count() == len(deals)
    assert list(violations()) == []


def test_a_second_run_over_the_whole_company_changes_nothing(folder):
    files, mapping = read_directory(folder), parse_mapping(MAPPING)
    apply_plan(build_plan(files, mapping))
    assert not build_plan(files, mapping).has_work
