"""POST /api/v1/leads/bulk/: up to a thousand, each with a result of its own."""

import pytest

from distribution.models import Assignment
from pipeline.models import Consent, Event, Lead
from tests.distribution.world import world
from tests.pipeline.api.partner import BULK, Partner, faults

pytestmark = pytest.mark.django_db


def statuses(answer):
    return [result["status"] for result in answer.json()["results"]]


@pytest.mark.django_db(transaction=True)
def test_each_lead_of_a_request_has_its_own_result():
    world("Ann", "Ben")
    partner = Partner()
    known = partner.post({"external_id": "A-1"}).json()["id"]
    answer = partner.bulk(
        {"email": "ada@acme.example", "consents": [{"channel": "email", "granted": True}]},
        {"external_id": "A-1"},
        {"email": "nonsense", "score": -1},
        {"external_id": "A-2"},
        {"external_id": "A-2"},
        "not an object",
        {"emial": "x", "country": "Atlantis"},
    )
    body = answer.json()
    assert answer.status_code == 200
    assert statuses(answer) == [201, 200, 400, 201, 200, 400, 400]
    assert (body["created"], body["known"], body["failed"]) == (2, 2, 3)
    assert [result["index"] for result in body["results"]] == list(range(7))
    assert body["results"][0]["lead"]["owner"]["name"] in ("ann", "ben")
    assert body["results"][1]["lead"]["id"] == known
    assert {error["field"] for error in body["results"][2]["errors"]} == {"email", "score"}
    assert body["results"][3]["lead"]["id"] == body["results"][4]["lead"]["id"]
    assert {error["field"] for error in body["results"][6]["errors"]} == {"emial", "country"}
    assert (Lead.objects.count(), Assignment.objects.count(), Consent.objects.count()) == (3, 3, 1)
    assert Event.objects.filter(kind=Event.Kind.CREATED).count() == 3


def test_what_is_sent_again_otherwise_is_named_in_its_result():
    partner = Partner()
    partner.post({"external_id": "A-1", "email": "ada@acme.example"})
    answer = partner.bulk(
        {"external_id": "A-1", "email": "ada@other.example", "consents": [{"channel": "email", "granted": True}]},
        {"external_id": "A-2", "city": "Rome", "consents": [{"channel": "email", "granted": True}]},
        {"external_id": "A-2", "city": "Oslo", "consents": [{"channel": "email", "granted": True}]},
    )
    assert statuses(answer) == [200, 201, 200]
    ignored = [result["ignored"] for result in answer.json()["results"]]
    assert ignored == [["email", "consents.0"], [], ["city"]]


def test_a_thousand_leads_that_were_there_take_few_queries(django_assert_max_num_queries):
    partner = Partner()
    leads = [
        {"external_id": str(number), "city": "Rome", "consents": [{"channel": "email", "granted": True}]}
        for number in range(1000)
    ]
    partner.bulk(*leads)
    with django_assert_max_num_queries(15):
        assert partner.bulk(*leads).json()["known"] == 1000


def test_a_thousand_leads_take_few_queries_and_are_all_routed(
    django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    world("Ann", "Ben")
    partner = Partner()
    leads = [
        {"email": f"{number}@acme.example", "external_id": str(number), "value": 5, "currency": "USD"}
        for number in range(1000)
    ]
    with django_assert_max_num_queries(20), django_capture_on_commit_callbacks() as callbacks:
        answer = partner.bulk(*leads)
    assert answer.json()["created"] == 1000
    for callback in callbacks:
        callback()
    assert Lead.objects.filter(routing_state="assigned").count() == 1000


@pytest.mark.parametrize(
    "body",
    [
        [], {}, {"leads": []}, {"leads": None}, {"leads": {}}, {"leads": [{}] * 1001}, {"leads": [{}], "x": 1}, '"x"',
        5, None,
    ],
)  # fmt: skip
def test_a_request_that_is_no_list_of_one_to_a_thousand_is_refused_whole(body):
    answer = Partner().post(body, BULK)
    assert (answer.status_code, list(faults(answer))) == (400, ["leads"])
    assert not Lead.objects.exists()


def test_the_same_key_gives_the_same_results_and_makes_nothing():
    partner = Partner()
    first = partner.bulk({"email": "ada@acme.example"}, {"email": "nonsense"}, key="k1")
    again = partner.bulk({"email": "ada@acme.example"}, {"email": "nonsense"}, key="k1")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert Lead.objects.count() == 1


def test_a_key_is_kept_even_when_every_lead_was_refused():
    partner = Partner()
    first = partner.bulk({"email": "nonsense"}, key="k1")
    assert partner.bulk({"email": "nonsense"}, key="k1").content == first.content
    assert statuses(first) == [400]
