"""Reports of providers about errors that may pass: what is tried again, and what goes by the backup."""

from datetime import timedelta

import pytest

from notifications.models import ChannelChoice, Notification
from notifications.services import deliver, statuses
from pipeline.models import Consent, Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW

pytestmark = pytest.mark.django_db

SWITCHED_OFF = "30003"


@pytest.fixture
def lead(clock):
    lead = make_lead(phone="+4915112345678", country="DE", time_zone="Europe/Berlin", last_name="Novak")
    Consent.objects.create(lead=lead, channel="sms", granted=True)
    return lead


@pytest.fixture
def ann(clock):
    """A rep with e-mail as backup."""
    user = make_rep("Ann").user
    ChannelChoice.objects.create(user=user, urgency="normal", first="sms", backup="email")
    return user


def gone(**more):
    """A message that the provider took."""
    key = f"test:{Notification.objects.count()}"
    values = {"kind": "follow_up", "channel": "sms", "key": key, "state": "sent", "sent_at": NOW, "attempts": 1}
    return Notification.objects.create(**values | more)


def report(row, code=SWITCHED_OFF, sid="id-1"):
    statuses.move(row.token, "undelivered", sid=sid, error_code=code)
    return state(row)


def state(row):
    row.refresh_from_db()
    return row.state


def test_a_lead_whose_phone_was_off_gets_the_message_later_and_its_history_names_it_once(lead, sms, clock):
    row = gone(lead=lead, state="queued", sent_at=None, next_at=NOW, attempts=0)
    deliver("sms")
    assert report(row) == "retry"
    assert timedelta(0) < row.next_at - NOW < timedelta(minutes=1)
    assert row.reason == "It was not delivered. The phone is switched off or out of reach."
    clock.move_to(row.next_at)
    deliver("sms")
    assert (state(row), row.provider_id, len(sms.seen)) == ("sent", "id-2", 2)
    assert not sms.seen[1].again
    assert lead.events.filter(kind=Event.Kind.MESSAGED).count() == 1


def test_the_same_report_twice_is_one_attempt(lead):
    row = gone(lead=lead)
    report(row)
    first = row.next_at
    assert (report(row), row.next_at) == ("retry", first)


@pytest.mark.parametrize(("code", "attempts"), [("30005", 1), ("", 1), (SWITCHED_OFF, 8)])
def test_what_will_not_pass_or_was_tried_often_enough_has_failed(lead, code, attempts):
    assert report(gone(lead=lead, attempts=attempts), code) == "failed"


def test_a_report_that_comes_while_it_is_being_sent_may_be_about_an_earlier_attempt(lead):
    row = gone(lead=lead, state="sending", sent_at=None, leased_until=NOW)
    assert (report(row), row.unsure, row.leased_until) == ("retry", True, None)


def test_a_rep_whose_phone_is_off_is_told_by_the_backup_at_once(ann):
    row = gone(user=ann, lead=make_lead(), kind="mention")
    assert report(row) == "failed"
    assert Notification.objects.get(user=ann, channel="email").backup


def test_without_a_backup_left_a_rep_is_tried_again_and_so_is_what_went_along(ann):
    lead = make_lead()
    head = gone(user=ann, lead=lead, kind="mention", backup=True)
    rows = [gone(user=ann, lead=lead, kind="mention", bundled_into=head, backup=last) for last in (False, True)]
    assert report(head) == "retry"
    assert [state(row) for row in rows] == ["failed", "retry"]
    assert rows[1].bundled_into == head


def test_what_went_along_is_tried_by_itself_when_its_head_goes_by_the_backup(ann):
    lead = make_lead()
    head = gone(user=ann, lead=lead, kind="mention", attempts=2)
    other = gone(user=ann, lead=lead, kind="mention", bundled_into=head, backup=True, attempts=0)
    assert report(head) == "failed"
    assert (state(other), other.bundled_into, other.attempts) == ("retry", None, 2)
