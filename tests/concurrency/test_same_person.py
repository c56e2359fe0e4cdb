"""Leads of one person that come in at the same instant, on real PostgreSQL: the person has one owner."""

from functools import partial
from typing import Any

import pytest

from distribution import services
from distribution.models import Assignment, Decision
from distribution.services import assigning, batch, recording
from pipeline.models import Lead
from tests.concurrency.threads import all_before_any_goes_on, at_once, errors
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_leads, owners, world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


@pytest.fixture
def all_matched(monkeypatch):
    """Nobody is given a lead before the matches of so many leads were read once, when nobody had any of them."""

    def first_reads(count):
        real, wait = assigning.read_subject, all_before_any_goes_on(count, assigning.read_subject)
        begun = []

        def read(lead):
            begun.append(lead.pk)
            return (wait if len(begun) <= count else real)(lead)

        monkeypatch.setattr(assigning, "read_subject", read)

    return first_reads


def one_person(count):
    return [make_lead(email="ada@people.example", phone=f"+4930123450{number:02}") for number in range(count)]


def assign(leads):
    return at_once(partial(services.assign_lead, lead.pk) for lead in leads)


def test_leads_of_one_person_at_once_have_one_owner(all_matched):
    world("Ann", "Ben", "Cleo", "Dan")
    leads = one_person(4)
    all_matched(4)
    assert not errors(assign(leads))
    assert len(set(owners())) == 1
    assert sorted(Decision.objects.values_list("outcome", flat=True)) == ["assigned", "kept", "kept", "kept"]


def test_as_many_as_are_one_person_at_most_have_one_owner(all_matched):
    world(*(f"Rep {number}" for number in range(8)))
    leads = one_person(16)
    all_matched(16)
    assert not errors(assign(leads))
    assert len(set(owners())) == 1
    assert Assignment.objects.count() == 16


def test_it_holds_for_leads_that_go_to_different_pools(all_matched):
    """No pool is locked by both."""
    rules = make_rule_set()
    for city, rep in (("Oslo", "Ann"), ("Rome", "Ben")):
        make_rule(rules, city, ("city", "is", city), pool=make_pool(city, rep))
    publish(rules)
    leads = [make_lead(phone="+4930123456", city=city) for city in ("Oslo", "Rome")]
    all_matched(2)
    assert not errors(assign(leads))
    assert len(set(owners())) == 1


def test_without_the_claim_on_the_other_lead_they_have_different_owners(all_matched, monkeypatch):
    """The control: who has been read before anybody had a lead of the person goes to whoever is next."""
    monkeypatch.setattr(recording, "_overtake", lambda cases: None)
    world("Ann", "Ben", "Cleo", "Dan")
    leads = one_person(4)
    all_matched(4)
    assert not errors(assign(leads))
    assert sorted(owners()) == ["Ann", "Ben", "Cleo", "Dan"]


def two_batches(monkeypatch):
    """Two batches at once, each with a lead of the same person and ten of others; both were read before any is
    written. The second batch begins with turn 12 of three people, so not with the one who had turn 1."""
    world("Ann", "Ben", "Cleo")
    others = make_leads(20)
    first, second = one_person(2)
    monkeypatch.setattr(batch, "_look_at", all_before_any_goes_on(2, batch._look_at))
    chunks = ([first, *others[:10]], [second, *others[10:]])
    assert not errors(at_once(partial(services.assign_leads, [lead.pk for lead in chunk]) for chunk in chunks))
    return {Lead.objects.get(pk=lead.pk).owner_id for lead in (first, second)}


def test_two_batches_give_one_person_to_one_owner(monkeypatch):
    assert len(two_batches(monkeypatch)) == 1
    assert Assignment.objects.count() == 22


def test_without_the_claim_two_batches_give_one_person_to_two(monkeypatch):
    monkeypatch.setattr(recording, "_overtake", lambda cases: None)
    assert len(two_batches(monkeypatch)) == 2


def test_a_lead_that_waits_and_one_that_comes_in_have_one_owner(all_matched):
    """The first found nobody; it is tried again in the moment when the second comes in."""
    world("Ann", "Ben", "Cleo")
    waits, comes = one_person(2)
    Lead.objects.filter(pk=waits.pk).update(routing_state="unassigned", attempts=3)
    all_matched(2)
    assert not errors(assign([waits, comes]))
    assert len(set(owners())) == 1


def test_whoever_routes_leads_of_the_same_people_at_once_gets_no_deadlock():
    """One by one, forwards and backwards and in batches; each claims the leads of the others."""
    world("Ann", "Ben", "Cleo")
    leads = [make_lead(email=f"p{number % 4}@people.example") for number in range(12)]
    ids = [lead.pk for lead in leads]
    calls: list[partial[Any]] = [partial(services.assign_lead, pk) for pk in (*ids, *reversed(ids))]
    calls += [partial(services.assign_leads, ids), partial(services.assign_leads, ids[::-1])]
    assert not errors(at_once(calls))
    had = set(Assignment.objects.values_list("lead__email", "rep"))
    assert (Assignment.objects.count(), len(had)) == (12, 4)
