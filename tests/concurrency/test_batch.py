"""A batch reads its next leads while those before are written."""

import threading

import pytest

from distribution import services
from distribution.models import Decision
from distribution.services import batch
from tests.distribution.world import credits, make_lead, make_leads, owners, world

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 30.0


@pytest.fixture(autouse=True)
def _small_chunks_that_are_written_when_the_next_was_read(monkeypatch):
    """Which is what happens at the worst."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)
    monkeypatch.setattr(batch, "CHUNK", 4)
    look_at, assign, read, chunks = batch._look_at, batch._assign_chunk, threading.Semaphore(0), []

    def look(*args):
        chunk = look_at(*args)
        if chunks:
            read.release()
        chunks.append(chunk)
        return chunk

    def write(chunk, *args):
        last = sum(len(known.ids) for known in chunks) == batch.CHUNK * 3
        assert last or read.acquire(timeout=WAIT)
        assign(chunk, *args)

    monkeypatch.setattr(batch, "_look_at", look)
    monkeypatch.setattr(batch, "_assign_chunk", write)


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
