"""POST /api/v1/leads/: what is stored, and what the partner is told."""

from decimal import Decimal

import pytest

from distribution.models import Assignment
from pipeline.models import AttributeDefinition, Consent, Event, ExchangeRate, Lead
from tests.distribution.world import world
from tests.pipeline.api.partner import LEADS, Partner, faults

pytestmark = pytest.mark.django_db


def test_a_lead_is_stored_in_the_forms_that_rules_compare():
    ExchangeRate.objects.create(currency="USD", rate="0.5")
    answer = Partner(default_country="DE").post(
        {
            "email": '"Ada" <Ada@ACME.example>',
            "phone": "030 901820",
            "country": "Germany",
            "region": "bavaria",
            "postal_code": "D-80331",
            "language": "de-AT",
            "website": "Acme.example",
            "value": "99.90",
            "currency": "usd",
            "tags": ["hot", " hot ", "vip"],
        }
    )
    lead = Lead.objects.get(uid=answer.json()["id"])
    assert (lead.email, lead.phone, lead.country, lead.region) == ("ada@acme.example", "+4930901820", "DE", "DE-BY")
    assert (lead.postal_code, lead.language, lead.website) == ("80331", "de", "https://acme.example")
    assert (lead.value, lead.currency, lead.value_base) == (Decimal("99.90"), "USD", Decimal("49.95"))
    assert (lead.tags, lead.time_zone) == (["hot", "vip"], "Europe/Berlin")


def test_a_new_lead_has_its_first_event_and_the_consents_that_came_with_it():
    partner = Partner()
    partner.post(
        {
            "email": "ada@acme.example",
            "consents": [
                {
                    "channel": "email",
                    "granted": True,
                    "wording": "Yes, write to me.",
                    "at": "2026-01-31T09:30:00+01:00",
                    "origin": "https://form.example",
                    "ip": "203.0.113.7",
                },
                {"channel": "whatsapp", "granted": False},
            ],
        }
    )
    lead = Lead.objects.get()
    assert list(lead.events.values_list("kind", flat=True)) == [Event.Kind.CREATED]
    first, second = lead.consents.order_by("id")
    assert (first.channel, first.granted, first.at.isoformat()) == ("email", True, "2026-01-31T08:30:00+00:00")
    assert (second.channel, second.granted, second.at) == ("whatsapp", False, lead.created_at)
    assert (first.ip, second.ip) == ("203.0.113.7", None)


def test_the_answers_to_the_sources_own_questions_are_checked_by_their_type():
    partner = Partner()
    for key, kind in (("budget", "number"), ("start", "date"), ("urgent", "boolean"), ("note", "text")):
        partner.source.attributes.create(key=key, label=key, type=kind)
    partner.source.attributes.create(key="size", label="Size", type="choice", choices=["Small", "Large"])
    wrong = {"budget": "a lot", "start": "soon", "urgent": "maybe", "size": "huge", "note": [], "colour": "red"}
    assert faults(partner.post({"attributes": wrong})) == {
        "attributes.budget": "invalid",
        "attributes.start": "invalid",
        "attributes.urgent": "invalid",
        "attributes.size": "invalid",
        "attributes.colour": "unknown",
    }
    right = {"budget": 5000.5, "start": "2026-02-01", "urgent": True, "size": "LARGE", "note": "x"}
    assert partner.post({"attributes": right}).status_code == 201
    assert Lead.objects.get().attributes == {**right, "size": "Large"}


def test_an_attribute_of_another_source_is_unknown_here():
    AttributeDefinition.objects.create(key="budget", label="Budget", type="number")
    assert faults(Partner().post({"attributes": {"budget": 1}})) == {"attributes.budget": "unknown"}


def test_required_fields_of_the_source_are_asked_for_by_name():
    partner = Partner(required_fields=["email", "company", "phone"])
    assert faults(partner.post({"company": "Acme", "phone": " "})) == {"email": "required", "phone": "required"}
    assert not Lead.objects.exists()


def test_every_fault_is_told_at_once_and_nothing_is_stored():
    answer = Partner().post(
        {
            "emial": "ada@acme.example",
            "phone": 5,
            "country": "Atlantis",
            "score": 101,
            "company": "x" * 201,
            "consents": [{"channel": "pigeon", "granted": "yes"}],
        }
    )
    assert faults(answer) == {
        "emial": "unknown",
        "phone": "wrong_type",
        "country": "invalid",
        "score": "invalid",
        "company": "too_long",
        "consents.0.channel": "invalid",
        "consents.0.granted": "wrong_type",
    }
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("emial", "email"),
        ("firstName", "first_name"),
        ("zip", "postal_code"),
        ("id", "external_id"),
        ("Name", "last_name"),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_was_probably_meant(sent, meant):
    errors = Partner().post({sent: "x"}).json()["errors"]
    assert (errors[0]["field"], errors[0]["code"]) == (sent, "unknown")
    assert meant in errors[0]["detail"]


def test_a_partner_cannot_push_its_leads_to_the_front():
    assert faults(Partner().post({"priority": 9})) == {"priority": "unknown"}


def test_null_and_blank_mean_left_out():
    blanks = {"email": None, "phone": "", "tags": None, "value": None, "consents": None, "attributes": None}
    assert Partner().post({"last_name": "Lovelace", **blanks}).status_code == 201
    assert (Lead.objects.get().email, Lead.objects.get().value) == ("", None)


def test_the_same_external_id_gives_the_lead_that_has_it():
    partner = Partner()
    first = partner.post({"external_id": "A-1", "email": "ada@acme.example"})
    again = partner.post({"external_id": "A-1", "email": "ada@acme.example"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {**again.json(), "existing": False}
    assert (again.json()["existing"], again.json()["ignored"]) == (True, [])
    assert Lead.objects.count() == 1


def test_what_is_sent_again_otherwise_is_named_and_not_written():
    partner = Partner()
    partner.source.attributes.create(key="budget", label="Budget", type="number")
    first = {
        "external_id": "A-1",
        "email": "Ada@Acme.example",
        "phone": "+49 30 901820",
        "value": "1200.50",
        "tags": ["fair"],
        "attributes": {"budget": 5},
        "consents": [{"channel": "email", "granted": True, "wording": "Yes"}],
    }
    lead = partner.post(first).json()["id"]
    assert partner.post({**first, "email": "ada@acme.example", "company": ""}).json()["ignored"] == []
    other = {
        "external_id": "A-1",
        "email": "ada@other.example",
        "company": "Other",
        "phone": "nonsense",
        "value": "1200.5",
        "tags": ["fair", "hot"],
        "attributes": {"budget": 6},
        "consents": [*first["consents"], {"channel": "phone", "granted": False}],
    }
    before = Lead.objects.values().get(), list(Consent.objects.values())
    answer = partner.post(other)
    assert (answer.status_code, answer.json()["id"], answer.json()["existing"]) == (200, lead, True)
    expected = {"email", "company", "phone", "tags", "attributes.budget", "consents.1"}
    assert set(answer.json()["ignored"]) == expected
    assert (Lead.objects.values().get(), list(Consent.objects.values())) == before


def test_a_retry_of_what_was_sent_again_gets_the_same_answer():
    partner = Partner()
    partner.post({"external_id": "A-1", "email": "ada@acme.example"})
    answers = [partner.post({"external_id": "A-1", "email": "x@acme.example"}, key="k").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["ignored"] == ["email"]


def test_two_sources_may_use_the_same_external_id():
    assert Partner("web").post({"external_id": "A-1"}).status_code == 201
    assert Partner("fair").post({"external_id": "A-1"}).status_code == 201


def test_nothing_is_routed_when_the_request_is_rolled_back(django_capture_on_commit_callbacks, monkeypatch):
    from pipeline.services import leads

    world("Ann")

    def broken(lead, kind, **more):
        raise RuntimeError("the event could not be written")

    monkeypatch.setattr(leads, "record", broken)
    partner = Partner()
    partner.client.raise_request_exception = False
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        answer = partner.post({"email": "ada@acme.example"})
    assert (answer.status_code, faults(answer)) == (500, {})
    assert not callbacks
    assert not Lead.objects.exists()
    assert not Assignment.objects.exists()


def test_an_installation_without_a_stage_to_start_in_says_so():
    partner = Partner()
    partner.source.pipeline = None
    Lead.objects.all().delete()
    from pipeline.models import Pipeline

    Pipeline.objects.update(is_default=False)
    answer = partner.post({"email": "ada@acme.example"})
    assert (answer.status_code, faults(answer)) == (503, {})
    assert "default pipeline" in answer.json()["detail"]


def test_storing_a_lead_takes_few_queries_however_many_there_are(django_assert_num_queries):
    partner = Partner()
    partner.post({"email": "first@acme.example"})  # notes the use of the key
    with django_assert_num_queries(7):  # key, transaction (2), stage, lead, event, answer; routing comes on top
        partner.post({"email": "ada@acme.example", "phone": "+49 30 901820", "value": 5, "external_id": ""}, LEADS)


@pytest.mark.parametrize("body", [{}, {"email": None}, {"email": "", "tags": [], "attributes": {}, "consents": []}])
def test_a_lead_without_anything_in_it_is_refused(body):
    assert faults(Partner().post(body)) == {"": "required"}
    assert not Lead.objects.exists()
