"""First responses and follow-ups: begun once, one step at a time, and ended by whatever makes them needless."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest
import time_machine

from distribution.models import Hold, WorkingHours, WorkShift
from notifications import guard
from notifications.content import content_of
from notifications.defaults import LANGUAGES
from notifications.models import ChannelSwitch, GuardPolicy, InboundMessage, Notification, SequenceRun, Stop
from notifications.services import deliver, fan_out, optouts, sequences
from notifications.services.resending import send_again
from notifications.services.sequences import advance, begin, sweep_sequences
from pipeline.models import Consent, Event, Lead
from pipeline.services.activity import record_contact
from tests.concurrency.threads import at_once, errors
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, make_source, win
from tests.notifications.messages import Recorder, channels, passing, permanent
from tests.notifications.sequences import make_sequence
from tests.notifications.twilio_calls import use_twilio

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def rep(db):
    rep = make_rep("Ann")
    rep.user.first_name, rep.user.last_name = "Ann", "Archer"
    rep.user.save()
    return rep


@pytest.fixture
def lead(rep):
    lead = make_lead(
        first_name="Ada",
        email="ada@acme.example",
        phone="+4915112345678",
        country="DE",
        time_zone="Europe/Berlin",
        owner=rep.user,
        routing_state="assigned",
        created_at=NOW - HOUR,
    )
    Consent.objects.create(lead=lead, channel="email", granted=True, at=NOW - HOUR)
    return lead


def happened(lead, kind=Event.Kind.ASSIGNED, at=NOW):
    return Event.objects.create(lead=lead, kind=kind, at=at)


def run_of(lead):
    return SequenceRun.objects.filter(lead=lead).latest("pk")


def written(lead):
    return list(Notification.objects.filter(lead=lead, user=None).order_by("pk").values_list("kind", "state"))


@pytest.fixture(autouse=True)
def _twilio(settings):
    use_twilio(settings)
    settings.TWILIO_WHATSAPP_FROM = "+493012345679"


# --- Beginning -----------------------------------------------------------------------------------


def test_an_assigned_lead_gets_the_sequence_once_whatever_happens_again(lead):
    make_sequence(0, 24)
    assert begin(happened(lead), NOW)
    assert not begin(happened(lead, Event.Kind.REASSIGNED), NOW)
    assert SequenceRun.objects.count() == 1


def test_other_events_and_switched_off_sequences_begin_nothing(lead):
    make_sequence(0, active=False)
    assert not begin(happened(lead), NOW)
    assert not begin(happened(lead, Event.Kind.NOTED), NOW)


def test_the_sequence_of_the_source_goes_before_the_one_for_all(lead):
    make_sequence(0)
    own = make_sequence(0, name="For forms", source=lead.source)
    make_sequence(0, name="For others", source=make_source("fair"))
    begin(happened(lead), NOW)
    assert run_of(lead).sequence == own


@pytest.mark.django_db(transaction=True)
def test_begun_by_many_workers_at_once_it_is_one(lead):
    make_sequence(0)
    event = happened(lead)
    assert not errors(at_once([partial(begin, event, NOW)] * 6))
    assert SequenceRun.objects.count() == 1


@pytest.mark.parametrize(("days", "begun"), [(7, True), (8, False)])
def test_nobody_is_thanked_for_an_old_enquiry_because_it_is_handed_over(lead, days, begun):
    make_sequence(0)
    lead.created_at = NOW - timedelta(days=days)
    lead.save()
    assert begin(happened(lead, Event.Kind.REASSIGNED), NOW) == begun


@pytest.mark.parametrize(("before", "begun"), [({}, False), ({"closed_at": NOW}, True), ({"archived_at": NOW}, True)])
@pytest.mark.parametrize("kind", [Event.Kind.ASSIGNED, Event.Kind.HELD])
def test_who_comes_again_while_an_earlier_lead_is_open_is_not_welcomed_again(lead, kind, before, begun):
    """Scenario 77: the owner is told; the person hears nothing twice."""
    make_sequence(0, start="held" if kind == Event.Kind.HELD else "assigned")
    again = make_lead(email=lead.email, duplicate_of=lead, created_at=NOW)
    Lead.objects.filter(pk=lead.pk).update(**before)
    assert begin(Event.objects.get(pk=happened(again, kind).pk), NOW) is begun


def test_the_answer_to_a_waiting_lead_is_taken_back_when_it_is_assigned_before_it_went(lead):
    make_sequence(0, start="held", name="Waiting")
    make_sequence(0)
    begin(happened(lead, Event.Kind.HELD), NOW)
    sweep_sequences(now=NOW)
    begin(happened(lead), NOW + HOUR)
    sweep_sequences(now=NOW + HOUR)
    assert written(lead) == [("first_response_held", "suppressed"), ("first_response", "queued")]


# --- Going on ------------------------------------------------------------------------------------


def test_its_messages_come_so_many_hours_after_each_other(lead):
    make_sequence(0, 24, 48)
    begin(happened(lead), NOW)
    sent = [sweep_sequences(now=NOW + hours * HOUR) for hours in (0, 1, 23, 24, 71, 72, 500)]
    assert sent == [1, 0, 0, 1, 0, 1, 0]
    assert written(lead) == [("first_response", "queued"), ("follow_up", "queued"), ("follow_up", "queued")]
    assert run_of(lead).end == "done"


@pytest.mark.django_db(transaction=True)
def test_one_step_taken_by_many_workers_at_once_is_one_message(lead):
    make_sequence(0, 24)
    begin(happened(lead), NOW)
    results = at_once([partial(advance, run_of(lead).pk, NOW)] * 8)
    assert not errors(results)
    assert Notification.objects.filter(lead=lead, user=None).count() == 1
    assert run_of(lead).next_step == 1


def test_a_run_that_fails_stops_no_other(lead, monkeypatch):
    make_sequence(0)
    other = make_lead(email="bob@acme.example", country="DE")
    Consent.objects.create(lead=other, channel="email", granted=True)
    for each in (lead, other):
        begin(happened(each), NOW)
    whole = sequences.build_message
    monkeypatch.setattr(
        sequences, "build_message", lambda who, *a, **more: 1 / 0 if who == lead else whole(who, *a, **more)
    )
    assert sweep_sequences(now=NOW) == 1
    assert SequenceRun.objects.get(lead=lead).ended_at is None


def test_a_step_that_was_taken_out_ends_the_run(lead):
    sequence = make_sequence(0, 1)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    sequence.steps.last().delete()
    assert sweep_sequences(now=NOW + 2 * HOUR) == 0
    assert run_of(lead).end == "done"


# --- By which channel ----------------------------------------------------------------------------


def agree(lead, channel, granted=True):
    Consent.objects.create(lead=lead, channel=channel, granted=granted)


def chosen(lead):
    row = sequences.build_message(lead, "first_response", key="k", now=NOW)
    return row.channel if row.state == "queued" else row.reason


def test_the_first_channel_that_the_lead_agreed_to_is_taken(lead):
    assert chosen(lead) == "email"
    agree(lead, "sms")
    assert chosen(lead) == "sms"
    Stop.objects.create(channel="sms", address=lead.phone)
    assert chosen(lead) == "email"


def test_a_channel_that_is_not_set_up_is_passed_over(lead, settings):
    settings.TWILIO_ACCOUNT_SID = ""
    agree(lead, "sms")
    assert chosen(lead) == "email"


def test_admins_order_the_channels(lead):
    agree(lead, "sms")
    GuardPolicy.objects.create(country="DE", channels=["email", "sms"])
    assert chosen(lead) == "email"


def test_whatsapp_is_taken_when_free_text_may_go(lead):
    agree(lead, "whatsapp")
    assert chosen(lead) == "email"
    InboundMessage.objects.create(
        channel="whatsapp", provider_id="SM1", sender=lead.phone, receiver="+1", at=NOW - HOUR
    )
    assert chosen(lead) == "whatsapp"


def test_a_channel_in_quiet_hours_is_waited_for(lead):
    agree(lead, "sms")
    row = sequences.build_message(lead, "first_response", key="k", now=NOW.replace(hour=2))
    assert (row.channel, row.state) == ("sms", "queued")


def test_a_lead_that_nobody_may_write_to_is_noted_with_every_reason(lead):
    lead.consents.all().delete()
    agree(lead, "sms", granted=False)
    make_sequence(0, 24)
    begin(happened(lead), NOW)
    assert sweep_sequences(now=NOW) == 0
    row = Notification.objects.get(lead=lead, user=None)
    assert row.state == "suppressed"
    assert "sms: Consent for this channel was refused or taken back." in row.reason
    assert "email: There is no consent for this channel." in row.reason
    assert run_of(lead).end == "unreachable"


# --- Ending --------------------------------------------------------------------------------------


def reply(lead):
    Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, at=NOW + HOUR)


def close(lead):
    win(lead)


def contact(lead):
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=lead.owner)


@pytest.mark.parametrize(
    ("do", "end", "taken_back"), [(reply, "replied", True), (close, "closed", True), (contact, "contacted", True)]
)
def test_it_ends_when_the_lead_replies_is_contacted_or_closed(lead, do, end, taken_back):
    make_sequence(0, 24)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    with time_machine.travel(NOW + 2 * HOUR, tick=False):
        do(lead)
    assert sweep_sequences(now=NOW + 24 * HOUR) == 0
    assert run_of(lead).end == end
    assert written(lead) == [("first_response", "suppressed")]


def say_stop(lead):
    optouts.stop("email", lead.email, words="STOP", origin="test", now=NOW + HOUR)


def test_automatic_messages_and_notes_do_not_end_it(lead):
    make_sequence(0, 24)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    with time_machine.travel(NOW + HOUR, tick=False):
        record_contact(lead, channel="email", outbound=True, automatic=True, actor=None)
    assert sweep_sequences(now=NOW + 24 * HOUR) == 1


def test_what_was_queued_is_asked_about_once_more_right_before_it_is_sent(lead):
    run = SequenceRun.objects.create(sequence=make_sequence(), lead=lead, started_at=NOW)
    row = Notification.objects.create(lead=lead, run=run, kind="follow_up", channel="email", key="k", next_at=NOW)
    type(lead).objects.filter(pk=lead.pk).update(first_contacted_at=NOW)
    assert guard.let_pass(row, lead.email, NOW, approved_template=False).reason == "The sequence ended: contacted."


# --- From the event to the receiver --------------------------------------------------------------


@pytest.fixture
def mail(lead):
    """A channel that keeps what is sent."""
    GuardPolicy.objects.create(channels=["recorder"])
    recorder = Recorder(bundles=True)
    Consent.objects.create(lead=lead, channel="recorder", granted=True)
    with channels(recorder), time_machine.travel(NOW, tick=False):
        yield recorder


def test_an_assignment_becomes_a_message_to_the_lead_and_a_line_of_its_history(lead, mail):
    make_sequence(0)
    happened(lead)
    fan_out(now=NOW)
    sweep_sequences(now=NOW)
    deliver("recorder")
    (sent,) = mail.seen
    assert "Hello Ada" in sent.text
    assert "Ann Archer" in sent.text
    assert "/leads/" not in sent.text + sent.link
    event = lead.events.get(kind=Event.Kind.MESSAGED)
    assert (event.data["text"], event.actor) == (sent.text, None)
    lead.refresh_from_db()
    assert lead.first_contacted_at is None


def test_stop_while_the_message_is_queued_keeps_it_back(lead, mail):
    make_sequence(0)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    Stop.objects.create(channel="recorder", address=lead.phone)
    deliver("recorder")
    assert mail.seen == []
    assert written(lead) == [("first_response", "suppressed")]


@pytest.mark.parametrize(("do", "why"), [(reply, "replied"), (contact, "contacted"), (say_stop, "stopped")])
def test_what_ends_it_while_a_message_is_being_tried_ends_that_message_too(lead, mail, do, why):
    make_sequence(0)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)

    def meanwhile():
        do(lead)
        return passing()

    mail.answers = [meanwhile]
    deliver("recorder")
    with time_machine.travel(NOW + HOUR, tick=False):
        deliver("recorder")
    row = Notification.objects.get(lead=lead, user=None)
    assert (len(mail.seen), row.state, row.reason) == (1, "suppressed", f"The sequence ended: {why}.")


def test_the_answer_to_a_waiting_lead_is_not_tried_again_once_it_is_assigned(lead, mail):
    make_sequence(0, start="held")
    begin(happened(lead, Event.Kind.HELD), NOW)
    sweep_sequences(now=NOW)
    mail.answers = [lambda: begin(happened(lead), NOW) or passing()]
    deliver("recorder")
    with time_machine.travel(NOW + HOUR, tick=False):
        deliver("recorder")
    assert (len(mail.seen), written(lead)) == (1, [("first_response_held", "suppressed")])


def test_what_failed_and_is_sent_again_by_hand_does_not_go_after_a_reply(lead, mail):
    make_sequence(0)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    mail.answers = [permanent()]
    deliver("recorder")
    reply(lead)
    send_again(Notification.objects.filter(user=None))
    deliver("recorder")
    assert (len(mail.seen), written(lead)) == (1, [("first_response", "suppressed")])


def test_it_goes_to_the_number_that_the_lead_has_when_it_leaves(lead, mail):
    make_sequence(0)
    with time_machine.travel(NOW.replace(hour=22), tick=False):
        begin(happened(lead), NOW.replace(hour=22))
        sweep_sequences(now=NOW.replace(hour=22))
        deliver("recorder")
    type(lead).objects.filter(pk=lead.pk).update(phone="+4915100000000")
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        deliver("recorder")
    assert [message.to for message in mail.seen] == ["+4915100000000"]


def test_at_night_it_waits_until_the_morning_and_says_why(lead, mail):
    make_sequence(0)
    with time_machine.travel(NOW.replace(hour=22), tick=False):
        begin(happened(lead), NOW.replace(hour=22))
        sweep_sequences(now=NOW.replace(hour=22))
        deliver("recorder")
    row = Notification.objects.get(lead=lead, user=None)
    assert (row.state, row.next_at) == ("queued", datetime(2026, 1, 16, 7, tzinfo=UTC))
    assert "Quiet hours" in row.reason
    with time_machine.travel(row.next_at, tick=False):
        deliver("recorder")
    assert len(mail.seen) == 1


def test_the_emergency_stop_holds_it_and_loses_nothing(lead, mail):
    make_sequence(0)
    begin(happened(lead), NOW)
    sweep_sequences(now=NOW)
    switch = ChannelSwitch.objects.create(channel=ChannelSwitch.ALL, stopped=True)
    deliver("recorder")
    assert (mail.seen, written(lead)) == ([], [("first_response", "queued")])
    switch.delete()
    with time_machine.travel(NOW + HOUR, tick=False):
        deliver("recorder")
    assert len(mail.seen) == 1


# --- What it says --------------------------------------------------------------------------------


def text_of(lead, kind, channel, now):
    said = content_of(Notification(kind=kind, channel=channel, lead=lead, language=lead.language), now)
    assert said.subject
    return said.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["first_response", "first_response_held", "follow_up"])
def test_every_default_text_reads_whole_in_every_language(lead, kind, language):
    lead.language = language
    for lead.first_name, lead.product in (("Ada", "Rockets"), ("", "")):
        text = text_of(lead, kind, "sms", NOW)
        assert "  " not in text
        assert "{" not in text
        assert "None" not in text
        assert "\N{HORIZONTAL ELLIPSIS}" not in text
        assert len(text) < 480


def office(rep, start=time(9), end=time(17)):
    hours = WorkingHours.objects.create(name="Office", time_zone="Europe/Berlin")
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=start, end=end)
    rep.hours = hours
    rep.save()


@pytest.mark.parametrize(
    ("now", "language", "words"),
    [
        ("2026-01-15 12:00", "en", "shortly"),
        ("2026-01-15 05:00", "en", "from 09:00 on"),
        ("2026-01-16 20:00", "en", "on Monday from 09:00 on"),
        ("2026-01-16 20:00", "de", "am Montag ab 09:00 Uhr"),
        ("2026-01-16 20:00", "es", "el lunes a partir de las 09:00"),
        ("2026-01-16 20:00", "fr", "lundi à partir de 09:00"),
        ("2026-01-16 20:00", "pt", "segunda-feira a partir das 09:00"),
    ],
)
def test_it_says_when_the_owner_is_there_in_the_leads_language(rep, lead, now, language, words):
    office(rep)
    lead.language = language
    assert words in text_of(lead, "first_response", "email", datetime.fromisoformat(now).replace(tzinfo=UTC))


def test_it_says_so_by_the_clock_where_the_lead_is(rep, lead):
    office(rep)
    lead.time_zone = "America/New_York"
    text = text_of(lead, "first_response", "email", datetime(2026, 1, 15, 6, tzinfo=UTC))
    assert "from 03:00 on" in text


def test_a_lead_that_waits_is_told_when_somebody_opens(lead):
    lead.owner = None
    Hold.objects.create(lead=lead, code="nobody_available", since=NOW, retry_at=NOW.replace(day=16, hour=8))
    text = text_of(lead, "first_response_held", "email", NOW)
    assert "We open on Friday at 09:00 and will call you then." in text


def test_where_the_clock_of_the_lead_is_not_known_no_time_is_named(lead):
    lead.owner, lead.time_zone, lead.country, lead.phone = None, "", "US", ""
    Hold.objects.create(lead=lead, code="nobody_available", since=NOW, retry_at=NOW.replace(day=16, hour=8))
    assert "as soon as we can" in text_of(lead, "first_response_held", "email", NOW)
