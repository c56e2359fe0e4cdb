"""Sources and their keys, attributes, pipelines, teams, accounts and rates in the admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from pipeline.models import Account, AttributeDefinition, ExchangeRate, LeadSource, Pipeline, SourceKey, Stage, Team
from pipeline.services.keys import digest_of, issue_key
from tests.distribution.world import make_lead, make_source, stages

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def add_url(model: type) -> str:
    return reverse(f"admin:pipeline_{model.__name__.lower()}_add")


def change_url(obj: Any) -> str:
    return reverse(f"admin:pipeline_{type(obj).__name__.lower()}_change", args=[obj.pk])


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "it was saved"
    return dict(response.context["adminform"].form.errors)


def no_rows(*prefixes: str) -> dict[str, str]:
    return {f"{prefix}-{total}_FORMS": "0" for prefix in prefixes for total in ("TOTAL", "INITIAL")}


# --- Sources and keys ---

SOURCE = {"name": "Web", "slug": "web", "kind": "form", "active": "on", "requests_per_minute": 60, **no_rows("keys")}


def test_a_source_says_what_it_must_send_and_reads_names_of_countries(boss: Client):
    boss.post(add_url(LeadSource), {**SOURCE, "required_fields": ["phone", "email"], "default_country": "Germany"})
    source = LeadSource.objects.get()
    assert (source.required_fields, source.default_country) == (["email", "phone"], "DE")


def test_a_question_that_must_be_answered_is_one_that_may_be_asked(boss: Client):
    question = AttributeDefinition.objects.create(key="budget", label="Budget")
    wish = {**SOURCE, "required_fields": ["attributes.budget"]}
    assert "questions" in errors(boss.post(add_url(LeadSource), wish))
    boss.post(add_url(LeadSource), {**wish, "questions": [question.pk]})
    assert list(LeadSource.objects.get().attributes.all()) == [question]


def test_a_source_cannot_require_a_field_that_does_not_exist(boss: Client):
    assert "required_fields" in errors(boss.post(add_url(LeadSource), {**SOURCE, "required_fields": ["shoe_size"]}))


def test_a_key_is_shown_once_and_only_its_digest_is_kept(boss: Client):
    source = make_source()
    issue = reverse("admin:pipeline_leadsource_issue_key", args=[source.pk])
    assert boss.get(issue).status_code == 200
    assert not SourceKey.objects.exists()
    response = boss.post(issue, {"label": "website"})
    shown = re.search(r'value="(lead_[^"]+)"', response.content.decode())
    assert shown is not None
    key = SourceKey.objects.get(source=source)
    assert (key.label, key.digest) == ("website", digest_of(shown[1]))
    assert "no-store" in response["Cache-Control"]
    assert shown[1] not in boss.get(change_url(source)).content.decode()


def test_a_key_is_revoked_after_asking(boss: Client):
    source = make_source()
    key, _ = issue_key(source)
    revoke = reverse("admin:pipeline_leadsource_revoke_key", args=[source.pk, key.pk])
    boss.get(revoke)
    key.refresh_from_db()
    assert key.revoked_at is None
    boss.post(revoke)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_key_cannot_be_revoked_through_another_source(boss: Client):
    key, _ = issue_key(make_source())
    stranger = make_source("other")
    assert boss.post(reverse("admin:pipeline_leadsource_revoke_key", args=[stranger.pk, key.pk])).status_code == 404


# --- Attributes ---


def test_choices_are_written_one_per_line(boss: Client):
    wish = {"key": "size", "label": "Size", "type": "choice", "choices": "Small\r\n Large \r\n\r\nSmall"}
    boss.post(add_url(AttributeDefinition), wish)
    assert AttributeDefinition.objects.get().choices == ["Small", "Large"]


@pytest.mark.parametrize(("type_", "choices"), [("choice", ""), ("text", "Small")])
def test_choices_belong_to_the_type_that_has_them(boss: Client, type_: str, choices: str):
    wish = {"key": "size", "label": "Size", "type": type_, "choices": choices}
    assert "choices" in errors(boss.post(add_url(AttributeDefinition), wish))


def test_the_type_of_an_attribute_stays_once_leads_have_answered(boss: Client):
    stages()
    question = AttributeDefinition.objects.create(key="budget", label="Budget", type="text")
    wish = {"label": "Budget", "type": "number", "choices": ""}
    lead = make_lead(attributes={"budget": "much"})
    assert "type" in errors(boss.post(change_url(question), wish))
    lead.attributes = {}
    lead.save()
    assert boss.post(change_url(question), wish).status_code == 302


def test_an_attribute_that_leads_have_answered_cannot_be_deleted(boss: Client):
    question = AttributeDefinition.objects.create(key="budget", label="Budget")
    make_lead(attributes={"budget": "much"})
    boss.post(reverse("admin:pipeline_attributedefinition_delete", args=[question.pk]), {"post": "yes"})
    assert AttributeDefinition.objects.exists()


# --- Pipelines ---


def stage_rows(*kinds: str) -> dict[str, Any]:
    rows: dict[str, Any] = {"stages-TOTAL_FORMS": len(kinds), "stages-INITIAL_FORMS": 0}
    for number, kind in enumerate(kinds):
        row = {"name": f"Stage {number}", "slug": f"stage-{number}", "kind": kind, "position": number}
        rows |= {f"stages-{number}-{name}": value for name, value in row.items()}
    return rows


@pytest.mark.parametrize("kinds", [("open", "won"), ("open", "lost"), ("won", "lost"), ()])
def test_a_pipeline_needs_a_start_and_both_ends(boss: Client, kinds: tuple[str, ...]):
    response = boss.post(add_url(Pipeline), {"name": "Sales", "slug": "sales", **stage_rows(*kinds)})
    assert "Add at least one stage" in response.content.decode()
    assert not Pipeline.objects.exists()


def test_there_is_always_exactly_one_default_pipeline(boss: Client):
    for name in ("one", "two"):
        wish = {"name": name, "slug": name, **stage_rows("open", "won", "lost")}
        boss.post(add_url(Pipeline), wish if name == "one" else {**wish, "is_default": "on"})
    one, two = Pipeline.objects.get(slug="one"), Pipeline.objects.get(slug="two")
    assert (one.is_default, two.is_default) == (False, True)
    response = boss.post(change_url(two), {"name": "two", "slug": "two", **kept_rows(two)})
    assert "is_default" in errors(response)


def kept_rows(pipeline: Pipeline, **changes: Any) -> dict[str, Any]:
    kept = list(pipeline.stages.all())
    rows: dict[str, Any] = {"stages-TOTAL_FORMS": len(kept), "stages-INITIAL_FORMS": len(kept)}
    for number, stage in enumerate(kept):
        row = {"id": stage.pk, "name": stage.name, "slug": stage.slug, "kind": stage.kind, "position": stage.position}
        rows |= {f"stages-{number}-{name}": value for name, value in row.items()}
    return rows | changes


def test_stages_are_reordered_by_their_position(boss: Client):
    pipeline = stages()["open"].pipeline
    order = {f"stages-{number}-position": 3 - number for number in range(3)}
    wish = {"name": "Sales", "slug": "sales", "is_default": "on", **kept_rows(pipeline, **order)}
    before = list(pipeline.stages.values_list("name", flat=True))
    assert boss.post(change_url(pipeline), wish).status_code == 302
    assert list(pipeline.stages.values_list("name", flat=True)) == before[::-1]


def test_a_stage_with_leads_keeps_its_kind_and_stays(boss: Client):
    lead = make_lead()
    pipeline = lead.stage.pipeline
    row = list(pipeline.stages.all()).index(lead.stage)
    changes = {f"stages-{row}-kind": "won", f"stages-{row}-DELETE": "on"}
    boss.post(
        change_url(pipeline), {"name": "Sales", "slug": "sales", "is_default": "on", **kept_rows(pipeline, **changes)}
    )
    lead.stage.refresh_from_db()
    assert lead.stage.kind == Stage.Kind.OPEN


def test_the_default_pipeline_and_one_with_open_leads_are_not_archived(boss: Client):
    default = stages()["open"].pipeline
    busy = Pipeline.objects.create(name="Busy", slug="busy")
    make_lead(stage=Stage.objects.create(pipeline=busy, name="open", slug="open"))
    pks = [default.pk, busy.pk]
    boss.post(reverse("admin:pipeline_pipeline_changelist"), {"action": "archive", "_selected_action": pks})
    assert not Pipeline.objects.exclude(archived_at=None).exists()


# --- Accounts, rates, teams ---


def test_an_account_is_stored_in_its_written_form(boss: Client):
    wish = {
        "name": "Acme",
        "domain": "ACME.example",
        "country": "Deutschland",
        "region": "Bayern",
        "postal_code": "D-80331",
    }
    boss.post(add_url(Account), wish)
    account = Account.objects.get()
    assert (account.domain, account.country, account.region, account.postal_code) == (
        "acme.example",
        "DE",
        "DE-BY",
        "80331",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", "not a domain"),
        ("country", "Atlantis"),
        ("region", "Nowhere"),
        ("postal_code", "12"),
        ("employees", "-1"),
        ("revenue", "much"),
        ("name", "x" * 201),
        ("external_id", "\0"),
    ],
)
def test_what_is_wrong_with_an_account_stands_on_its_field(boss: Client, field: str, value: str):
    wish = {"name": "Acme", "country": "DE", field: value}
    assert field in errors(boss.post(add_url(Account), wish))


def test_an_account_is_not_its_own_parent(boss: Client):
    account = Account.objects.create(name="Acme")
    assert "parent" in errors(boss.post(change_url(account), {"name": "Acme", "parent": account.pk}))


@pytest.mark.parametrize(
    ("currency", "rate", "field"), [("EUR", "1", "currency"), ("USD", "0", "rate"), ("XXX", "1", "currency")]
)
def test_a_rate_that_makes_no_sense_is_refused(boss: Client, currency: str, rate: str, field: str):
    assert field in errors(boss.post(add_url(ExchangeRate), {"currency": currency, "rate": rate}))


def test_a_new_rate_says_when_it_was_changed(boss: Client):
    rate = ExchangeRate.objects.create(currency="USD", rate=1)
    boss.post(change_url(rate), {"rate": "0.92"})
    before, stored = rate.updated_at, ExchangeRate.objects.get()
    assert (str(stored.rate), stored.updated_at > before) == ("0.92000000", True)


def test_a_team_with_open_leads_is_not_archived(boss: Client):
    team = Team.objects.create(name="Berlin")
    make_lead(team=team)
    response = boss.post(
        reverse("admin:pipeline_team_changelist"), {"action": "archive", "_selected_action": [team.pk]}, follow=True
    )
    assert "Reassign them first" in response.content.decode()
    team.refresh_from_db()
    assert team.archived_at is None
