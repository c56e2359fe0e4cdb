"""A batch reads its next leads while those before are written."""

import threading
from collections import Counter

import pytest

from distribution import services
from distribution.models import Decision
from distribution.services import batch
from pipeline.models import Lead
from tests.distribution.world import credits, make_lead, make_leads, owners, world

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 30.0


@pytest.fixture(autouse=True)
def between(monkeypatch):
    """Small chunks that are written when the next was decided, which is what happens at the worst; and calls to make
    in between."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)
    monkeypatch.setattr(batch, "CHUNK", 4)
    decide, write, decided, chunks, calls = batch._decide_chunk, batch._write_chunk, threading.Semaphore(0), [], []

    def decide_one(chunk, *args):
        groups = decide(chunk, *args)
        if chunks:
            decided.release()
        chunks.append(chunk)
        return groups

    def write_one(chunk, groups, forecast, *args):
        last = sum(len(known.ids) for known in chunks) == batch.CHUNK * 3
        assert last or forecast.failed or decided.acquire(timeout=WAIT)
        while calls:
            calls.pop()()
        write(chunk, groups, forecast, *args)

    monkeypatch.setattr(batch, "_decide_chunk", decide_one)
    monkeypatch.setattr(batch, "_write_chunk", write_one)
    return calls


def test_the_turns_are_those_of_one_by_one():
    pool = world("Ann", "Ben", "Cleo")
    result = services.assign_leads([lead.pk for lead in make_leads(12)])
    assert (result.assigned, result.failed) == (12, 0)
    assert owners() == ["Ann", "Ben", "Cleo"] * 4
    assert sum(credits(pool)) == 0
    assert max(credits(pool)) < 10


def test_a_person_of_the_chunk_before_stays_with_one_owner():
    world("Ann", "Ben", "Cleo")
    leads = make_leads(3)
    leads += [make_lead(email="ada@people.example"), make_lead(email="ada@people.example")]
    leads += [make_lead(email=f"more{number}@people.example") for number in range(7)]
    services.assign_leads([lead.pk for lead in leads])
    first, second = leads[3], leads[4]
    assert Decision.objects.get(lead=second).outcome == "kept"
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.owner, second.duplicate_of) == (first.owner, first)


@pytest.fixture
def visitor(between):
    """A lead that comes in when two chunks are decided and none is written."""
    visitor = make_lead(email="visitor@people.example")
    between.append(lambda: services.assign_lead(visitor.pk))
    return visitor


def test_who_comes_between_has_the_turn_and_the_others_are_decided_again(visitor):
    pool = world("Ann", "Ben", "Cleo")
    leads = make_leads(12)
    assert services.assign_leads([lead.pk for lead in leads]).assigned == 12
    names = _names([visitor, *leads])
    assert names[:3] == ["Ann", "Ben", "Cleo"]
    assert sorted(Counter(names).values()) == [4, 4, 5]
    assert sum(credits(pool)) == 0


def test_without_a_second_look_two_leads_take_one_turn(visitor, monkeypatch):
    """What goes wrong without it."""
    monkeypatch.setattr(batch._Group, "came_true", lambda *_: True)
    world("Ann", "Ben", "Cleo")
    leads = make_leads(12)
    services.assign_leads([lead.pk for lead in leads])
    assert _names([visitor, leads[0]]) == ["Ann", "Ann"]


def _names(leads):
    return [Lead.objects.get(pk=lead.pk).owner.username.title() for lead in leads]
