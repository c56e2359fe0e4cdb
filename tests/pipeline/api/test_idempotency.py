"""The same request twice is one request."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from distribution import services
from distribution.models import Assignment
from pipeline.api import submission
from pipeline.models import IdempotencyKey, Lead
from pipeline.tasks import prune_idempotency_keys
from tests.distribution.world import world
from tests.pipeline.api.partner import BULK, Partner, faults

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@acme.example"}


def test_the_same_key_and_body_give_the_first_answer_again_even_when_the_lead_has_moved_on(
    django_capture_on_commit_callbacks,
):
    world("Ann", "Ben")
    partner = Partner()
    with django_capture_on_commit_callbacks(execute=True):
        first = partner.post(ADA, key="k1")
    services.reassign_lead(Lead.objects.get().pk)
    again = partner.post(ADA, key="k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Lead.objects.count() == 1


def test_the_same_key_with_another_body_is_refused():
    partner = Partner()
    partner.post(ADA, key="k1")
    answer = partner.post({"email": "bob@acme.example"}, key="k1")
    assert (answer.status_code, faults(answer)) == (422, {})
    assert Lead.objects.count() == 1


def test_the_same_key_for_another_operation_is_refused():
    partner = Partner()
    partner.post(ADA, key="k1")
    assert partner.post(ADA, BULK, key="k1").status_code == 400
    assert partner.bulk(ADA, key="k1").status_code == 422


def test_two_sources_may_use_the_same_key():
    assert Partner("web").post(ADA, key="k1").status_code == 201
    assert Partner("fair").post(ADA, key="k1").status_code == 201
    assert Lead.objects.count() == 2


def test_a_refused_request_does_not_use_up_its_key():
    partner = Partner()
    assert partner.post({"email": "nonsense"}, key="k1").status_code == 400
    assert partner.post(ADA, key="k1").status_code == 201


def test_a_key_may_come_with_an_external_id_that_is_known():
    partner = Partner()
    first = partner.post({**ADA, "external_id": "A-1"})
    second = partner.post({**ADA, "external_id": "A-1"}, key="k1")
    third = partner.post({**ADA, "external_id": "A-1"}, key="k1")
    assert [answer.status_code for answer in (first, second, third)] == [201, 200, 200]
    assert {**first.json(), "existing": True} == second.json() == third.json()


@pytest.mark.parametrize("key", ["x" * 201, "with space", "naïve", "\t"])
def test_an_unusable_key_is_refused(key):
    assert faults(Partner().post(ADA, key=key)) == {"Idempotency-Key": "invalid"}
    assert not Lead.objects.exists()


def died_before_routing(partner, body, path_of_post):
    """A request whose process was killed right after the commit: neither routed nor answered."""
    path_of_post(partner, body)
    IdempotencyKey.objects.update(status_code=None, answer=plan_of(Lead.objects.all()))


def plan_of(leads):
    lead = leads.get()
    return {"status": 201, "lead": lead.pk}


def test_a_retry_after_a_crash_has_the_lead_routed_and_answered():
    world("Ann")
    partner = Partner()
    died_before_routing(partner, ADA, lambda partner, body: partner.post(body, key="k1"))
    assert not Assignment.objects.exists()
    retry = partner.post(ADA, key="k1")
    assert (retry.status_code, retry.json()["owner"]) == (201, {"name": "ann"})
    assert partner.post(ADA, key="k1").content == retry.content
    assert Lead.objects.count() == Assignment.objects.count() == 1


def test_a_retry_of_a_bulk_request_after_a_crash_has_its_leads_routed(monkeypatch):
    world("Ann")
    partner = Partner()

    def dies(plan):
        raise SystemExit

    with monkeypatch.context() as crash:
        crash.setattr(submission, "_tell_many", dies)
        with pytest.raises(SystemExit):
            partner.bulk(ADA, {"email": "nonsense"}, key="k1")
    assert not Assignment.objects.exists()
    retry = partner.bulk(ADA, {"email": "nonsense"}, key="k1").json()
    assert [result["status"] for result in retry["results"]] == [201, 400]
    assert retry["results"][0]["lead"]["owner"] == {"name": "ann"}
    assert Lead.objects.count() == 1


def test_whoever_finishes_second_gives_the_answer_that_was_stored_first(monkeypatch):
    """The retry came after the commit and answered before the first request did."""
    partner = Partner()
    tell = submission._tell_one

    def overtaken(plan):
        stored = json.dumps({"told": "by the retry"})
        IdempotencyKey.objects.update(status_code=201, answer=stored)
        return tell(plan)

    monkeypatch.setattr(submission, "_tell_one", overtaken)
    assert partner.post(ADA, key="k1").json() == {"told": "by the retry"}


def test_keys_are_forgotten_after_a_day_and_not_before():
    partner, now = Partner(), timezone.now()
    with time_machine.travel(now - timedelta(hours=25), tick=False):
        partner.post(ADA, key="old")
    with time_machine.travel(now - timedelta(hours=23), tick=False):
        partner.post({"email": "bob@acme.example"}, key="new")
    assert prune_idempotency_keys() == "forgot 1"
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
    assert Lead.objects.count() == 2
