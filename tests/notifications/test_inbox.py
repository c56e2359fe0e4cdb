"""The bell and the inbox: what somebody was told in the app."""

from datetime import timedelta

import pytest
from django.utils import timezone

from distribution.models import Rep
from notifications.models import Notification
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW
from tests.pipeline.people import signed_in

pytestmark = pytest.mark.django_db


def told(user, subject="New lead: Ada", **more) -> Notification:
    defaults = {
        "kind": "assigned",
        "key": f"told:{Notification.objects.count()}",
        "channel": "in_app",
        "state": "delivered",
        "text": "CTO\nOpen: https://crm.example/leads/1/",
        "created_at": NOW,
    }
    return Notification.objects.create(user=user, subject=subject, **{**defaults, **more})


@pytest.fixture
def rep():
    return make_rep("Sam Rivera")


@pytest.fixture
def browser(rep):
    return signed_in(rep.user)


def test_the_bell_counts_what_the_user_did_not_read(browser, rep):
    told(rep.user)
    told(rep.user, read_at=NOW)
    told(rep.user, channel="email")
    told(rep.user, state="queued", next_at=NOW)
    told(make_rep("Kim Novak").user)
    assert "1 unread message<" in browser.get("/my/bell/").text


def test_the_bell_is_sent_again_only_when_it_changed(browser, rep):
    told(rep.user)
    tag = browser.get("/my/bell/").headers["ETag"]
    assert browser.get("/my/bell/", headers={"If-None-Match": tag}).status_code == 304
    told(rep.user)
    assert browser.get("/my/bell/", headers={"If-None-Match": tag}).status_code == 200


def test_the_bell_costs_one_query_beside_the_sign_in(browser, rep, django_assert_num_queries):
    for _ in range(120):
        told(rep.user)
    browser.get("/my/bell/")
    with django_assert_num_queries(3):
        answer = browser.get("/my/bell/")
    assert "99+" in answer.text


def test_no_page_asks_for_messages_by_itself(browser, rep, django_assert_max_num_queries):
    told(rep.user, subject="Only in the bell")
    assert "Only in the bell" not in browser.get("/offers/").text


def test_a_bell_that_rings_by_itself_does_not_say_that_somebody_is_there(browser, rep):
    browser.get("/my/bell/")
    assert Rep.objects.get(pk=rep.pk).last_seen_at is None
    browser.get("/my/inbox/")
    assert Rep.objects.get(pk=rep.pk).last_seen_at is not None


def test_who_is_signed_out_gets_no_sign_in_page_into_the_bell(client):
    assert client.get("/my/bell/").status_code == 204
    assert client.get("/my/inbox/").status_code == 302


def test_opening_a_message_reads_it_and_leads_to_its_lead(browser, rep):
    lead = make_lead(last_name="Novak", owner=rep.user, routing_state="assigned")
    row = told(rep.user, lead=lead)
    answer = browser.post(f"/my/inbox/{row.pk}/open/")
    assert answer.url == f"/leads/{lead.uid}/"
    row.refresh_from_db()
    assert row.read_at


def test_only_a_press_reads_a_message(browser, rep):
    row = told(rep.user)
    assert browser.get(f"/my/inbox/{row.pk}/open/").status_code == 405
    assert browser.get("/my/bell/latest/").status_code == 200
    browser.post(f"/my/inbox/{row.pk}/read/")
    first = Notification.objects.get().read_at
    browser.post(f"/my/inbox/{row.pk}/read/")
    assert Notification.objects.get().read_at == first is not None


def test_nobody_reads_the_messages_of_somebody_else(rep, browser):
    row = told(make_rep("Kim Novak").user, subject="Secret")
    assert "Secret" not in browser.get("/my/inbox/").text
    assert browser.post(f"/my/inbox/{row.pk}/open/").status_code == 404
    browser.post(f"/my/inbox/{row.pk}/read/")
    browser.post("/my/inbox/read/", {"newest": row.pk})
    row.refresh_from_db()
    assert row.read_at is None


def test_marking_all_as_read_leaves_what_came_meanwhile(browser, rep):
    seen, later = told(rep.user), told(rep.user)
    browser.post("/my/inbox/read/", {"newest": seen.pk})
    assert list(Notification.objects.filter(read_at=None)) == [later]
    assert browser.post("/my/inbox/read/", {"newest": "x" * 9}).status_code == 302


def test_the_inbox_pages_without_counting_and_says_kind_and_age(browser, rep):
    for number in range(65):
        told(rep.user, subject=f"Message {number:02}", created_at=timezone.now() - timedelta(minutes=5))
    first = browser.get("/my/inbox/").text
    assert "Message 64" in first
    assert "Message 34" not in first
    assert "5 min ago" in first
    assert "New lead" in first
    oldest = Notification.objects.get(subject="Message 35").pk
    assert "Message 34" in browser.get(f"/my/inbox/?before={oldest}").text
    assert browser.get("/my/inbox/?before=zzz").status_code == 200


def test_a_message_shows_user_text_as_text(browser, rep):
    told(rep.user, subject="<script>alert(1)</script>")
    for page in ("/my/inbox/", "/my/bell/latest/"):
        assert "<script>alert" not in browser.get(page).text
