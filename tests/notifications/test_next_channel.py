"""What certainly did not reach a lead goes by the next channel that it agreed to, and nothing else does."""

from datetime import timedelta

import pytest

from notifications.channels import CHANNELS, SendError
from notifications.models import Notification
from notifications.services import deliver, statuses
from notifications.services.resending import send_again
from notifications.services.sequences import begin, end_runs, sweep_sequences
from pipeline.models import Consent, Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW, Recorder, passing, permanent
from tests.notifications.sequences import make_sequence

pytestmark = pytest.mark.django_db

PHONE = "+4915112345678"


@pytest.fixture
def sms(clock, monkeypatch):
    recorders = {key: Recorder(key) for key in ("whatsapp", "sms", "email")}
    for key, recorder in recorders.items():
        monkeypatch.setitem(CHANNELS._entries, key, recorder)
    return recorders["sms"]


@pytest.fixture
def lead(sms):
    """A lead that agreed to text messages and e-mail, and has its first message queued."""
    where = {"phone": PHONE, "email": "ada@acme.example", "country": "DE", "time_zone": "Europe/Berlin"}
    lead = make_lead(owner=make_rep("Ann").user, routing_state="assigned", created_at=NOW, **where)
    for channel in ("sms", "email"):
        Consent.objects.create(lead=lead, channel=channel, granted=True, at=NOW)
    make_sequence(0)
    begin(Event.objects.create(lead=lead, kind=Event.Kind.ASSIGNED, at=NOW), NOW)
    sweep_sequences()
    return lead


def sent():
    """Channel and state of everything to the lead, in the order in which it was made."""
    deliver("sms")
    deliver("email")
    return list(Notification.objects.filter(user=None).order_by("pk").values_list("channel", "state"))


def test_what_failed_for_good_goes_by_the_next_channel_and_there_it_ends(lead, sms):
    sms.answers = [permanent("This number cannot receive text messages.")]
    CHANNELS["email"].answers = [permanent()]
    assert sent() == [("sms", "failed"), ("email", "failed")]


def test_what_is_reported_as_not_delivered_goes_by_the_next_channel(lead):
    assert sent() == [("sms", "sent")]
    row = Notification.objects.get(user=None)
    for _ in range(2):
        statuses.move(row.token, "undelivered", sid="id-1", error_code="30005")
    assert sent() == [("sms", "failed"), ("email", "sent")]


def test_once_only_whoever_sends_the_first_one_again(lead, sms, clock):
    sms.answers = [permanent(), permanent()]
    sent()
    send_again(Notification.objects.filter(channel="sms"))
    clock.shift(timedelta(minutes=5))
    assert sent() == [("sms", "failed"), ("email", "sent")]


@pytest.mark.parametrize(
    ("answer", "state"),
    [(passing(), "retry"), (SendError("It may have gone.", "broken", permanent=True, unsure=True), "failed")],
)
def test_what_is_tried_again_or_may_have_arrived_does_not(lead, sms, answer, state):
    sms.answers = [answer]
    assert sent() == [("sms", state)]


def test_a_channel_that_the_lead_did_not_agree_to_is_not_taken(lead, sms):
    Consent.objects.create(lead=lead, channel="email", granted=False, at=NOW)
    sms.answers = [permanent()]
    assert sent() == [("sms", "failed")]


def test_a_sequence_that_ended_meanwhile_goes_by_no_other_channel(lead):
    sent()
    end_runs([lead], "contacted", NOW)
    type(lead).objects.update(first_contacted_at=NOW)
    statuses.move(Notification.objects.get(user=None).token, "undelivered", sid="id-1", error_code="30005")
    assert sent() == [("sms", "failed")]
