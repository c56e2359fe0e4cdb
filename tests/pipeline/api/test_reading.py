"""GET: one lead, lists, and whose they are."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from pipeline.models import Lead
from pipeline.selectors import STATUSES, status_of, with_status
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, stages
from tests.pipeline.api.partner import LEADS, Partner, faults

pytestmark = pytest.mark.django_db


def ids(response):
    return [lead["id"] for lead in response.json()["results"]]


def test_a_partner_reads_the_lead_it_sent():
    partner = Partner()
    sent = partner.post({"email": "ada@acme.example"}).json()
    answer = partner.get(f"{LEADS}{sent['id']}/")
    assert (answer.status_code, {**answer.json(), "existing": False, "ignored": []}) == (200, sent)


def test_three_sources_one_sees_its_lead_the_others_get_404_and_empty_lists():
    owner, colleague, stranger = Partner("web"), Partner("web"), Partner("fair")
    lead = owner.post({"email": "ada@acme.example", "external_id": "A-1"}).json()
    assert colleague.get(f"{LEADS}{lead['id']}/").status_code == 200  # another key of the same source
    refused = stranger.get(f"{LEADS}{lead['id']}/")
    missing = stranger.get(f"{LEADS}00000000-0000-4000-8000-000000000000/")
    assert refused.status_code == missing.status_code == 404
    assert refused.json() == missing.json()
    assert ids(stranger.get()) == []
    assert ids(stranger.get(external_id="A-1")) == []
    assert ids(stranger.get(email="ada@acme.example")) == []


def test_answers_carry_no_personal_data_of_the_lead():
    partner = Partner()
    answer = partner.post({"email": "ada@acme.example", "last_name": "Lovelace", "phone": "+4930901820"})
    for secret in ("ada@", "Lovelace", "901820"):
        assert secret not in answer.content.decode()


def test_the_list_pages_through_all_leads_newest_first_without_gaps():
    partner = Partner()
    sent = [partner.post({"email": f"{number}@acme.example"}).json()["id"] for number in range(7)]
    page = partner.get(limit=3)
    seen = ids(page)
    partner.post({"email": "late@acme.example"})  # does not shift the pages
    while page.json()["next"]:
        page = partner.client.get(page.json()["next"])
        seen += ids(page)
    assert seen == sent[::-1]


def test_the_list_costs_the_same_however_long_it_is(django_assert_num_queries):
    partner = Partner()
    Lead.objects.bulk_create(
        Lead(source=partner.source, stage=stages()["open"], email=f"{number}@acme.example") for number in range(300)
    )
    partner.get()
    with django_assert_num_queries(2):  # key, page
        assert len(ids(partner.get(limit=200))) == 200


@pytest.mark.parametrize("limit", ["0", "-1", "x", "201", "9" * 5000, "1.5", "²"])
def test_a_page_size_out_of_bounds_is_refused(limit):
    assert faults(Partner().get(limit=limit)) == {"limit": "invalid"}


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "cD1hYmM=", "bz0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "é", "cD0="]
)
def test_a_cursor_of_ones_own_making_is_refused_or_harmless(cursor):
    partner = Partner()
    partner.post({"email": "ada@acme.example"})
    answer = partner.get(cursor=cursor)
    assert answer.status_code == 200 or faults(answer) == {"cursor": "invalid"}


def test_the_list_is_narrowed_by_external_id_and_email():
    partner = Partner()
    first = partner.post({"external_id": "A-1", "email": "ada@acme.example"}).json()["id"]
    partner.post({"external_id": "A-2", "email": "bob@acme.example"})
    assert ids(partner.get(external_id="A-1")) == [first]
    assert ids(partner.get(email="ADA@acme.example")) == [first]
    assert ids(partner.get(email="ADA@acme.example", external_id="A-2")) == []


def test_the_list_is_narrowed_by_when_the_lead_came_in():
    partner = Partner()
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False):
        early = partner.post({"email": "ada@acme.example"}).json()["id"]
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        late = partner.post({"email": "bob@acme.example"}).json()["id"]
    assert ids(partner.get(created_after="2026-03-01T10:00:00Z")) == [late, early]
    assert ids(partner.get(created_before="2026-03-02T10:00:00Z")) == [early]
    assert ids(partner.get(created_after="2026-03-02T00:00:00+00:00", created_before="2026-03-03T00:00:00Z")) == [late]


def test_a_moment_may_have_an_offset_that_no_database_knows():
    partner = Partner()
    assert partner.get(created_before="2389-10-22T02:36:20.0377-22:12").status_code == 200
    assert partner.get(created_before="9999-12-31T23:59:59-22:12").status_code == 400


@pytest.mark.parametrize("name", ["status", "created_after", "created_before"])
@pytest.mark.parametrize("value", ["nonsense", "\x00", "0000-00-00T00:00:00Z", "99999-01-01"])
def test_a_query_that_makes_no_sense_is_refused(name, value):
    answer = Partner().get(**{name: value})
    assert (answer.status_code, list(faults(answer))) == (400, [name])


def test_a_misspelt_query_is_refused_instead_of_answered_with_everything():
    answer = Partner().get(state="new")
    assert (answer.status_code, faults(answer)) == (400, {"state": "unknown"})


@pytest.mark.parametrize("name", ["status", "email", "created_after", "limit", "cursor"])
def test_a_blank_query_is_refused_instead_of_answered_with_everything(name):
    assert faults(Partner().get(**{name: ""})) == {name: "blank"}


def leads_in_every_state():
    now, kinds = timezone.now(), stages()
    ann = make_rep("Ann").user
    held = {"owner": ann, "routing_state": "assigned"}
    for state in ("new", "unassigned", "held", "claimable", "excluded", "error"):
        make_lead(routing_state=state)
    make_lead(**held)
    make_lead(**held, accepted_at=now)
    make_lead(**held, accepted_at=now, first_contacted_at=now)
    make_lead(first_contacted_at=now)
    make_lead(accepted_at=now)
    for kind in ("won", "lost"):
        make_lead(**held, stage=kinds[kind], closed_at=now, first_contacted_at=now)
        make_lead(stage=kinds[kind], closed_at=now)
    return list(Lead.objects.select_related("stage"))


def test_the_list_by_status_agrees_with_the_status_of_each_lead():
    leads = leads_in_every_state()
    assert {status_of(lead) for lead in leads} == set(STATUSES)
    for status in STATUSES:
        expected = {lead.pk for lead in leads if status_of(lead) == status}
        assert set(with_status(Lead.objects.all(), status).values_list("pk", flat=True)) == expected


def test_the_api_lists_by_status():
    partner = Partner()
    partner.post({"email": "ada@acme.example"})
    assert len(ids(partner.get(status="new"))) == 1
    assert ids(partner.get(status="won")) == []


def test_moments_are_told_in_utc():
    partner = Partner()
    with time_machine.travel("2026-03-01T10:00:00.123456Z", tick=False):
        created = partner.post({"email": "ada@acme.example"}).json()["created_at"]
    assert created == "2026-03-01T10:00:00.123Z"
    assert timezone.now() - Lead.objects.get().created_at > timedelta(0)
