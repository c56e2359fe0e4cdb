"""Text messages that Twilio may have taken although its answer was lost: its list of messages is asked first."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.contrib.auth.models import User

from distribution.models import Rep
from notifications.channels.base import mark_of
from notifications.channels.sms import TRIAL
from notifications.models import ContactAddress, Notification
from notifications.services import deliver, rescue
from pipeline.models import Lead
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW, queued, states, user
from tests.support.peers import Answer, TwilioPeer, running

pytestmark = pytest.mark.django_db

NUMBER = "+4915123456789"


class Losing(TwilioPeer):
    """Takes messages, and answers the first ones as if it had not."""

    loses = 1

    def create(self, form: dict[str, str]) -> Answer:
        answer = super().create(form)
        self.loses -= 1
        return self.error(503, 20503) if self.loses >= 0 else answer


@pytest.fixture
def twilio(settings, clock):
    with running(Losing()) as peer:
        settings.TWILIO_API_BASE = peer.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = peer.sid, peer.token
        settings.TWILIO_FROM = "+15005550006"
        yield peer


@pytest.fixture
def ann() -> User:
    found = user("ann")
    Rep.objects.create(user=found, name="Ann")
    ContactAddress.objects.create(user=found, channel="sms", address=NUMBER, verified_at=NOW)
    return found


def assigned(ann, name, **more):
    """A message about a lead that was given to Ann."""
    lead = make_lead(last_name=name, owner=ann, routing_state="assigned")
    return queued(ann, "sms", kind="assigned", lead=lead, **more)


def pass_on(row):
    """Its message need not be sent any more."""
    Lead.objects.filter(pk=row.lead_id).update(owner=user("ben"))


def again(clock):
    """What the sweeps do within the next minutes."""
    for _ in range(3):
        clock.shift(timedelta(minutes=3))
        rescue()
        deliver("sms", seconds=60)


def of(*rows):
    return [(row.state, row.provider_id) for row in Notification.objects.filter(pk__in=[one.pk for one in rows])]


def test_a_bundle_that_went_out_is_found_whatever_the_order_in_which_it_was_due(twilio, ann, clock):
    late, head, early = (
        assigned(ann, name, next_at=NOW - timedelta(minutes=wait)) for name, wait in (("A", 1), ("B", 9), ("C", 5))
    )
    deliver("sms", seconds=60)
    again(clock)
    assert len(twilio.messages) == 1
    assert of(late, head, early) == [("sent", twilio.messages[0]["sid"])] * 3


def test_it_is_found_when_one_of_its_messages_need_not_be_sent_any_more(twilio, ann, clock):
    head, other, third = (assigned(ann, name) for name in "ABC")
    deliver("sms", seconds=60)
    pass_on(other)
    again(clock)
    assert len(twilio.messages) == 1
    assert (states(), of(head, third)) == (["sent", "suppressed", "sent"], [("sent", twilio.messages[0]["sid"])] * 2)


def test_what_went_along_is_found_when_the_first_need_not_be_sent_any_more(twilio, ann, clock):
    head, other, third = (assigned(ann, name) for name in "ABC")
    deliver("sms", seconds=60)
    pass_on(head)
    again(clock)
    assert len(twilio.messages) == 1
    assert (states(), of(other, third)) == (["suppressed", "sent", "sent"], [("sent", twilio.messages[0]["sid"])] * 2)


def test_what_is_new_does_not_count_as_sent_with_it(twilio, ann, clock):
    head, other = assigned(ann, "A"), assigned(ann, "B")
    deliver("sms", seconds=60)
    pass_on(head)
    new = assigned(ann, "Zora", next_at=NOW + timedelta(minutes=1))
    again(clock)
    sids = {"Zora" in message["body"]: message["sid"] for message in twilio.messages}
    assert len(twilio.messages) == 2
    assert of(other) + of(new) == [("sent", sids[False]), ("sent", sids[True])]


def test_the_text_of_every_attempt_is_looked_for(twilio, ann, clock):
    twilio.loses = 2
    head, other, third = (assigned(ann, name) for name in "ABC")
    deliver("sms", seconds=60)
    twilio.messages.clear()  # the first attempt had not come through
    pass_on(other)
    clock.shift(timedelta(minutes=3))
    deliver("sms", seconds=60)
    pass_on(third)
    again(clock)
    assert len(twilio.messages) == 1
    assert of(head) == [("sent", twilio.messages[0]["sid"])]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: f"{TRIAL}{body}",
        lambda body: body.replace(" ", "\u00a0"),
        lambda body: body.replace("\n", " ").upper(),
        lambda body: body.replace("é", "e").replace("’", "'"),
    ],
    ids=["trial account", "spaces", "lines and case", "signs of the carrier"],
)
def test_a_text_is_found_although_its_signs_were_replaced(twilio, ann, clock, change):
    assigned(ann, "Renée d’Or"), assigned(ann, "B")
    deliver("sms", seconds=60)
    twilio.messages[0]["body"] = change(twilio.messages[0]["body"])
    again(clock)
    assert len(twilio.messages) == 1


@pytest.mark.parametrize(("seconds", "messages"), [(-20, 1), (-60, 2)])
def test_clocks_of_two_machines_need_not_agree_to_the_second(twilio, ann, clock, seconds, messages):
    assigned(ann, "A")
    deliver("sms", seconds=60)
    twilio.messages[0]["date_created"] = format_datetime(NOW + timedelta(seconds=seconds))
    again(clock)
    assert len(twilio.messages) == messages


def test_what_did_not_go_out_is_sent(twilio, ann, clock):
    assigned(ann, "A"), assigned(ann, "B")
    deliver("sms", seconds=60)
    twilio.messages.clear()
    again(clock)
    assert (len(twilio.messages), states()) == (1, ["sent", "sent"])


def test_a_worker_that_died_after_sending_leaves_nothing_to_send(twilio, ann, clock):
    """The connection is lost for good before the answer comes, as when the process is killed."""
    first = assigned(ann, "A", next_at=NOW - timedelta(minutes=1))
    other = assigned(ann, "B", next_at=NOW - timedelta(minutes=2))
    deliver("sms", seconds=60)
    Notification.objects.filter(bundled_into=None).update(state="sending", leased_until=NOW, unsure=False)
    Notification.objects.exclude(bundled_into=None).update(state="queued", unsure=False)
    again(clock)
    assert len(twilio.messages) == 1
    assert of(first, other) == [("sent", twilio.messages[0]["sid"])] * 2


def test_marks_tell_texts_apart():
    assert mark_of("1. Call Ada: 5 min") == mark_of("1.  call ada - 5 min")
    assert mark_of("Call Ada: 5 min") != mark_of("Call Ada: 6 min")
