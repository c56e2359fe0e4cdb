"""What the answer to a new lead says of who has it: the lead is routed before the partner is answered."""

import pytest

from distribution.models import Assignment
from pipeline.models import Lead
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import world
from tests.pipeline.api.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_answer_to_a_new_lead_names_who_has_it_and_why():
    world("Ann Berg")
    answer = Partner().post({"email": "ada@acme.example"})
    body = answer.json()
    assert answer.status_code == 201
    assert (body["status"], body["code"], body["owner"]) == ("assigned", "assigned", {"name": "ann.berg"})
    assert "Ann Berg" in body["summary"]
    assert body["assigned_at"] is not None


def test_a_rule_on_tags_sees_the_tags_of_the_same_request():
    rules = make_rule_set(pool=make_pool("Rest", "Rest"))
    make_rule(rules, "Hot", ("tags", "has", "hot"), pool=make_pool("Hot", "Hannah"))
    publish(rules)
    answer = Partner().post({"email": "ada@acme.example", "tags": ["hot"]})
    assert answer.json()["owner"] == {"name": "hannah"}


def test_a_duplicate_keeps_its_owner_takes_no_turn_and_names_the_first():
    pool = world("Ann", "Ben")
    partner = Partner()
    first = partner.post({"email": "ada@acme.example"}).json()
    before = list(pool.members.order_by("id").values_list("credit", flat=True))
    second = partner.post({"email": "ADA@acme.example"}).json()
    assert second["owner"] == first["owner"]
    assert (second["code"], second["duplicate_of"]) == ("kept", first["id"])
    assert list(pool.members.order_by("id").values_list("credit", flat=True)) == before


def test_a_partner_is_not_told_which_lead_of_another_source_is_the_same_person():
    Partner("web").post({"email": "ada@acme.example"})
    answer = Partner("fair").post({"email": "ada@acme.example"}).json()
    assert Lead.objects.exclude(duplicate_of=None).count() == 1
    assert answer["duplicate_of"] is None


def test_a_lead_whose_routing_fails_is_stored_and_acknowledged(monkeypatch):
    from distribution.services import assigning

    def broken(lead_id, **more):
        raise RuntimeError("out of order")

    monkeypatch.setattr(assigning, "assign_lead", broken)
    answer = Partner().post({"email": "ada@acme.example"})
    assert (answer.status_code, answer.json()["status"]) == (201, "error")
    assert Lead.objects.get().next_attempt_at is not None
    assert not Assignment.objects.exists()
