"""Importing the real leads of an education company, in whose files "Select" means that nothing was chosen."""

import csv
from pathlib import Path

import pytest

from pipeline.imports.importing import add_attributes, import_leads
from pipeline.imports.mapping import parse_mapping
from pipeline.models import Consent, Lead, LeadSource, Pipeline, Stage

pytestmark = [pytest.mark.data, pytest.mark.django_db]

MAPPING = """
blank = ["Select", "unknown"]
[columns]
"Prospect ID" = "external_id"
"Lead Source" = "utm_source"
"Do Not Email" = "refusal.email"
"Specialization" = "attributes.specialization"
"Lead Profile" = "attributes.profile"
"What is your current occupation" = "attributes.occupation"
"Tags" = ""
"""


@pytest.fixture
def path(data_dir) -> Path:
    return data_dir / "xeducation" / "leads.csv"


@pytest.fixture
def source() -> LeadSource:
    pipeline = Pipeline.objects.create(name="Courses", slug="courses", is_default=True)
    Stage.objects.create(pipeline=pipeline, name="New", slug="new")
    source = LeadSource.objects.create(name="Course enquiries", slug="courses")
    add_attributes(source, parse_mapping(MAPPING))
    return source


def load(path, source):
    with path.open("rb") as stream:
        return import_leads(stream, source, parse_mapping(MAPPING))


def test_every_lead_comes_in_once_and_select_is_never_an_answer(path, source):
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    result = load(path, source)
    regions = [number for number, row in enumerate(rows, start=2) if row["Country"] == "Asia/Pacific Region"]
    assert [read.row.number for read in result.refused] == regions
    assert (result.rows, result.imported) == (6468, 6468 - len(regions))
    assert not Lead.objects.filter(city__iexact="select").exists()
    chosen = sum(row["Specialization"] not in ("", "Select") for row in rows if row["Country"] != "Asia/Pacific Region")
    assert Lead.objects.filter(attributes__has_key="specialization").count() == chosen
    refusing = sum(row["Do Not Email"] == "Yes" for row in rows if row["Country"] != "Asia/Pacific Region")
    assert Consent.objects.filter(channel="email", granted=False).count() == refusing


def test_importing_them_again_changes_nothing(path, source):
    load(path, source)
    again = load(path, source)
    assert (again.imported, again.there) == (0, again.rows - len(again.refused))
