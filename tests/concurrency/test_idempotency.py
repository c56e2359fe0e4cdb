"""The same request from many threads at once, on real PostgreSQL."""

from collections import Counter
from functools import partial

import pytest
from django.db import connection

from distribution.models import Assignment
from pipeline.models import IdempotencyKey, Lead
from pipeline.services import idempotency, leads
from tests.concurrency.threads import all_before_any_goes_on, at_once, errors
from tests.distribution.world import world
from tests.pipeline.api.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)

ADA = {"email": "ada@acme.example"}


def statuses(results):
    assert not errors(results)
    return Counter(answer.status_code for answer in results)


def test_the_same_request_from_many_threads_makes_one_lead_and_all_get_its_answer_or_are_told_to_wait():
    world("Ann", "Ben")
    partner = Partner()
    answers = at_once([partial(partner.post, ADA, key="k1")] * 16)
    assert set(statuses(answers)) <= {201, 409}
    assert statuses(answers)[201] >= 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert all(answer["Retry-After"] for answer in answers if answer.status_code == 409)
    assert Lead.objects.count() == Assignment.objects.count() == IdempotencyKey.objects.count() == 1


def test_the_same_external_id_from_many_threads_makes_one_lead_and_all_get_it():
    world("Ann", "Ben")
    partner = Partner()
    answers = at_once([partial(partner.post, {**ADA, "external_id": "A-1"})] * 16)
    assert statuses(answers) == {201: 1, 200: 15}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Lead.objects.count() == Assignment.objects.count() == 1


def test_the_same_external_id_under_many_keys_makes_one_lead_and_all_get_it():
    partner = Partner()
    calls = [partial(partner.post, {**ADA, "external_id": "A-1"}, key=f"k{number}") for number in range(12)]
    answers = at_once(calls)
    assert statuses(answers) == {201: 1, 200: 11}
    assert Lead.objects.count() == 1
    assert IdempotencyKey.objects.count() == 12


def test_bulk_requests_that_overlap_store_each_lead_once():
    world("Ann", "Ben")
    partner = Partner()
    calls = [
        partial(partner.bulk, *({"external_id": str(number)} for number in range(start, start + 20)))
        for start in range(0, 40, 5)
    ]
    assert statuses(at_once(calls)) == {200: 8}
    assert Lead.objects.count() == Assignment.objects.count() == 55


def test_without_the_lock_a_second_request_would_wait_instead_of_being_told(monkeypatch):
    """The control: the unique row still keeps it to one lead, but nobody hears 409."""
    monkeypatch.setattr(idempotency, "_lock", lambda source, key: True)
    # Each has found nothing to repeat, and stored its lead, before any of them is done.
    create = all_before_any_goes_on(8, leads.create_lead)
    monkeypatch.setattr("pipeline.api.submission.create_lead", create)
    partner = Partner()
    answers = at_once([partial(partner.post, ADA, key="k1")] * 8)
    assert statuses(answers) == {201: 8}
    assert Lead.objects.count() == 1


def test_a_request_in_flight_is_told_with_409_at_once(monkeypatch):
    """The rival posts the same key while the first request is inside its transaction."""
    partner, rival = Partner(), []
    create = leads.create_lead

    def meanwhile(**more):
        if not rival:
            rival.append(None)
            rival[:] = at_once([partial(partner.post, ADA, key="k1")])
        return create(**more)

    monkeypatch.setattr("pipeline.api.submission.create_lead", meanwhile)
    assert partner.post(ADA, key="k1").status_code == 201
    assert [answer.status_code for answer in rival] == [409]
    assert connection.vendor == "postgresql"
    assert Lead.objects.count() == 1
