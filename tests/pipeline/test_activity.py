"""What counts as a contact, what is only noted, and how a lead rests."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import BadWish, WrongStage
from pipeline.models import Event, Lead
from pipeline.services.activity import add_note, record_contact, snooze_lead, wake_due, wake_lead
from tests.distribution.setups import make_user
from tests.distribution.world import make_lead, win

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def lead():
    return make_lead(created_at=NOW - HOUR)


def stored():
    return Lead.objects.get()


def kinds():
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("outbound", "automatic", "kind"),
    [(False, False, "lead.replied"), (False, True, "lead.replied"), (True, True, "lead.messaged")],
)
def test_neither_the_leads_reply_nor_an_automatic_message_is_a_contact(lead, outbound, automatic, kind):
    assert not record_contact(lead, channel="email", outbound=outbound, automatic=automatic, actor=None)
    assert stored().first_contacted_at is None
    assert kinds() == [kind]


def test_a_note_is_no_contact(lead):
    add_note(lead, " Called, nobody there ", actor=None)
    assert stored().first_contacted_at is None
    assert Event.objects.get().data == {"text": "Called, nobody there"}


def call(lead, **more):
    return record_contact(lead, channel="phone", outbound=True, automatic=False, actor=None, **more)


def test_the_first_real_contact_stamps_once_and_the_second_does_not_move_it(lead, time_machine):
    assert call(lead, text="Reached her")
    time_machine.move_to(NOW + HOUR)
    assert not call(stored())
    assert stored().first_contacted_at == NOW
    assert [event.data["first"] for event in Event.objects.filter(kind="lead.contacted")] == [True, False]


def test_a_contact_that_is_noted_afterwards_counts_from_when_it_was(lead):
    call(lead, at=NOW - HOUR / 2)
    assert stored().first_contacted_at == NOW - HOUR / 2
    assert Event.objects.get().at == NOW - HOUR / 2


@pytest.mark.parametrize("at", [NOW + HOUR, NOW - 2 * HOUR])
def test_a_contact_in_the_future_or_before_the_lead_came_is_refused(lead, at):
    with pytest.raises(BadWish) as refused:
        call(lead, at=at)
    assert (refused.value.field, kinds()) == ("at", [])


def test_an_unknown_channel_is_refused_with_those_that_exist(lead):
    with pytest.raises(BadWish, match="'pigeon' is no channel. Use one of phone, email"):
        record_contact(lead, channel="pigeon", outbound=True, automatic=False, actor=None)


def test_a_note_without_text_is_refused(lead):
    with pytest.raises(BadWish):
        add_note(lead, "  ", actor=None)


def test_a_lead_rests_until_a_moment_with_a_reason(lead):
    ann = make_user("ann")
    snooze_lead(lead, NOW + HOUR, " On holiday ", ann)
    assert stored().snoozed_until == NOW + HOUR
    event = Event.objects.get()
    assert (event.actor, event.data["reason"], event.data["until"]) == (ann, "On holiday", (NOW + HOUR).isoformat())


@pytest.mark.parametrize(
    ("until", "reason", "field"),
    [
        (NOW, "later", "until"),
        (NOW - HOUR, "later", "until"),
        (NOW + timedelta(days=400), "later", "until"),
    ],
)
def test_a_snooze_without_a_sensible_moment_is_refused(lead, until, reason, field):
    with pytest.raises(BadWish) as refused:
        snooze_lead(lead, until, reason, None)
    assert (refused.value.field, stored().snoozed_until, kinds()) == (field, None, [])


def test_a_closed_lead_does_not_rest(lead):
    win(lead)
    with pytest.raises(WrongStage):
        snooze_lead(stored(), NOW + HOUR, "later", None)


def test_a_lead_wakes_by_itself_once_and_not_before_its_time(lead):
    snooze_lead(lead, NOW + HOUR, "later", None)
    assert wake_due(now=NOW + HOUR - timedelta(seconds=1)) == 0
    assert [wake_due(now=NOW + HOUR), wake_due(now=NOW + HOUR)] == [1, 0]
    assert stored().snoozed_until is None
    assert kinds() == ["lead.snoozed", "lead.woken"]


def test_waking_a_lead_that_does_not_rest_changes_nothing(lead):
    assert not wake_lead(lead)
    assert kinds() == []
