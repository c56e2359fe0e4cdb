"""Messages that come in over Twilio, as real signed requests: replies, STOP and START, new leads, answers of reps."""

import json
import re
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from distribution.models import Assignment, Offer, Rep
from notifications import replies
from notifications.defaults import LANGUAGES
from notifications.guard import check
from notifications.models import (
    ChannelSwitch,
    ContactAddress,
    InboundMessage,
    Notification,
    Preference,
    SequenceRun,
    Stop,
)
from notifications.services import deliver, fan_out, inbound
from pipeline.models import Consent, Event, Lead, LeadSource
from tests.concurrency.threads import at_once
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, make_source, stages, world
from tests.notifications.sequences import make_sequence
from tests.notifications.twilio_calls import call, use_twilio, write
from tests.pipeline.people import signed_in

PHONE = "+4915112345678"
REP_PHONE = "+4915187654321"


@pytest.fixture(autouse=True)
def _twilio(settings):
    use_twilio(settings)


@pytest.fixture
def lead(db):
    lead = make_lead(phone=PHONE, country="DE", language="de", time_zone="Europe/Berlin", last_name="Novak")
    Consent.objects.create(lead=lead, channel="sms", granted=True)
    return lead


@pytest.fixture
def rep(db):
    rep = make_rep("Ann")
    ContactAddress.objects.create(user=rep.user, channel="sms", address=REP_PHONE, verified_at=timezone.now())
    return rep


def said(twiml: str) -> list[str]:
    root = ElementTree.fromstring(twiml)  # noqa: S314 - made by us
    assert root.tag == "Response"
    assert {child.tag for child in root} <= {"Message"}
    return ["".join(child.itertext()) for child in root]


def kinds(lead):
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


# --- Replies -------------------------------------------------------------------------------------


def test_a_reply_stands_on_the_timeline_and_nothing_is_answered(lead):
    assert said(write("Call me tomorrow,\nplease", PHONE, "SM1")) == []
    event = lead.events.get(kind=Event.Kind.REPLIED)
    assert (event.data["text"], event.data["channel"]) == ("Call me tomorrow,\nplease", "sms")
    assert InboundMessage.objects.get().lead == lead


def test_a_message_delivered_twice_counts_once(lead):
    for _ in range(3):
        assert said(write("Hello", PHONE, "SM1")) == []
    assert InboundMessage.objects.count() == lead.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_delivered_twice_at_once_counts_once(lead):
    incoming = inbound.Incoming("sms", "SM1", PHONE, "+1", "Hello")
    assert at_once([lambda: inbound.receive(incoming)] * 6) == [""] * 6
    assert InboundMessage.objects.count() == lead.events.filter(kind=Event.Kind.REPLIED).count() == 1


def test_a_reply_goes_to_the_open_lead_of_that_number_before_a_closed_one(lead):
    closed = make_lead(phone=PHONE, closed_at=timezone.now(), stage=stages()["lost"])
    write("Hello", PHONE, "SM1")
    assert kinds(lead) == [Event.Kind.REPLIED]
    assert kinds(closed) == []


def test_pictures_are_noted_and_not_kept(lead):
    write("", PHONE, "SM1", NumMedia="2", MediaUrl0="https://api.twilio.com/1", MediaContentType0="image/png")
    assert lead.events.get().data["media"] == InboundMessage.objects.get().media == 2


def test_whatsapp_is_a_channel_of_its_own(lead):
    write("Hello", f"whatsapp:{PHONE}", "SM1", To="whatsapp:+15005550006")
    message = InboundMessage.objects.get()
    assert (message.channel, message.sender, message.receiver) == ("whatsapp", PHONE, "+15005550006")


def test_a_reply_ends_the_sequence_and_takes_back_what_waits(lead):
    run = SequenceRun.objects.create(sequence=make_sequence(), lead=lead, started_at=timezone.now())
    waiting = queued(lead, run=run)
    write("Yes?", PHONE, "SM1")
    run.refresh_from_db()
    waiting.refresh_from_db()
    assert run.end == "replied"
    assert (waiting.state, waiting.reason) == ("suppressed", "The sequence ended: replied.")


def queued(lead, **more):
    defaults = {"kind": "follow_up", "channel": "sms", "key": "test", "next_at": timezone.now()}
    return Notification.objects.create(lead=lead, **defaults | more)


# --- STOP and START ------------------------------------------------------------------------------


def test_stop_is_confirmed_once_in_the_leads_language_and_holds_at_once(lead):
    waiting = queued(lead)
    first, second = (said(write("Stopp!", PHONE, sid)) for sid in ("SM1", "SM2"))
    assert first == ["Sie bekommen von dieser Nummer keine Nachrichten mehr. Mit START bekommen Sie sie wieder."]
    assert second == []
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("suppressed", "The receiver said STOP.")
    consent = lead.consents.latest("pk")
    assert (consent.channel, consent.granted, consent.wording) == ("sms", False, "Stopp!")
    assert consent.origin == "sms message"
    assert not check(lead, "sms", PHONE, timezone.now(), approved_template=True).allowed


def test_stop_is_heard_although_the_message_is_being_sent_at_this_moment(lead):
    """The guard is asked last of all."""
    row = queued(lead, state="sending")
    write("STOP", PHONE, "SM1")
    assert (
        check(lead, "sms", PHONE, timezone.now(), approved_template=True, own=row).reason == "The receiver said STOP."
    )


def test_start_undoes_stop_with_one_confirmation_and_a_consent_record(lead):
    write("STOP", PHONE, "SM1")
    assert len(said(write("start", PHONE, "SM2"))) == 1
    assert not Stop.objects.filter(lifted_at=None).exists()
    assert lead.consents.latest("pk").granted
    assert said(write("START", PHONE, "SM3")) == []  # nothing to undo: a message like any other
    assert Stop.objects.count() == 1


def test_stop_and_start_are_told_to_the_owner_as_what_they_mean_and_not_as_a_reply(lead, rep):
    Lead.objects.filter(pk=lead.pk).update(owner=rep.user, routing_state="assigned")
    write("STOP", PHONE, "SM1")
    write("STOP", PHONE, "SM2")
    write("START", PHONE, "SM3")
    assert kinds(lead) == [Event.Kind.CONSENT, Event.Kind.CONSENT]
    said = [event.data["sentence"] for event in lead.events.order_by("pk")]
    assert said == [f"No more messages by SMS to {PHONE}: STOP", f"Messages again by SMS to {PHONE}: START"]
    fan_out()
    assert set(Notification.objects.filter(user=rep.user).values_list("kind", "urgency")) == {("consent", "normal")}


def test_start_makes_no_consent_of_a_lead_that_had_refused(lead):
    Consent.objects.create(lead=lead, channel="sms", granted=False, origin="/form")
    write("STOP", PHONE, "SM1")
    assert len(said(write("START", PHONE, "SM2"))) == 1
    assert not lead.consents.latest("pk").granted


def test_stop_of_a_rep_ends_their_messages_by_text(rep):
    assert said(write("STOP", REP_PHONE, "SM1"))[0].startswith("You will get no more messages")
    row = Notification.objects.create(
        user=rep.user, kind="mention", channel="sms", key="k", lead=make_lead(), next_at=timezone.now()
    )
    deliver("sms")
    row.refresh_from_db()
    assert (row.state, row.error_code) == ("failed", "stopped")


def test_start_is_answered_in_the_language_of_the_stop(db):
    write("Stopp!", "+14155550100", "SM1")
    assert said(write("START", "+14155550100", "SM2")) == [replies.STARTED["de"]]


def test_stop_holds_for_its_channel_only(lead):
    write("STOP", f"whatsapp:{PHONE}", "SM1")
    assert list(Stop.objects.values_list("channel", "address")) == [("whatsapp", PHONE)]


def test_stop_of_somebody_unknown_is_kept_and_makes_no_lead(db):
    assert said(write("UNSUBSCRIBE", "+14155550100", "SM1"))[0].startswith("You will get no more messages")
    assert Stop.objects.filter(address="+14155550100", lifted_at=None).exists()
    assert not Lead.objects.exists()


def test_where_twilio_confirms_by_itself_we_do_not(lead):
    assert said(write("STOP", PHONE, "SM1", OptOutType="STOP")) == []
    assert Stop.objects.exists()


def test_the_emergency_stop_holds_confirmations_too(lead):
    ChannelSwitch.objects.create(channel=ChannelSwitch.ALL, stopped=True)
    assert said(write("STOP", PHONE, "SM1")) == []
    assert Stop.objects.exists()


def test_every_lead_of_the_number_gets_the_consent_record(lead):
    other = make_lead(phone=PHONE)
    write("STOP", PHONE, "SM1")
    assert not other.consents.get().granted


# --- New leads -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_unknown_number_is_a_new_lead_by_the_normal_road():
    stages()
    world("Ann")
    write("I need a quote", f"whatsapp:{PHONE}", "SM1", ProfileName="Ada  King Lovelace")
    lead = Lead.objects.get()
    assert (lead.first_name, lead.last_name, lead.phone, lead.country) == ("Ada", "King Lovelace", PHONE, "DE")
    assert lead.message == "I need a quote"
    assert lead.source.slug == "inbound"
    assert Assignment.objects.get().lead == lead
    consent = lead.consents.get()
    assert (consent.channel, consent.granted, consent.wording) == ("whatsapp", True, "I need a quote")
    assert InboundMessage.objects.get().lead == lead


@pytest.mark.parametrize("sender", ["12345", "AMAZON", "+1", "+999123456789", "whatsapp:", "' OR 1=1", "+" + "9" * 300])
def test_a_sender_that_is_no_number_is_kept_without_a_lead(db, sender):
    stages()
    write("Hello", sender, "SM1")
    assert not Lead.objects.exists()
    if InboundMessage.objects.exists():
        assert "did not become a lead" in InboundMessage.objects.get().result


def test_a_source_that_is_switched_off_makes_no_leads(db):
    stages()
    make_source("inbound", active=False)
    write("Hello", PHONE, "SM1")
    assert not Lead.objects.exists()
    assert InboundMessage.objects.get().result == "The source of inbound messages is switched off."


def test_without_a_pipeline_the_message_is_kept_and_says_why(db):
    write("Hello", PHONE, "SM1")
    assert "no open stage" in InboundMessage.objects.get().result
    assert LeadSource.objects.filter(slug="inbound").exists()


# --- Reps ----------------------------------------------------------------------------------------


def told(rep, lead, **more):
    defaults = {"kind": "assigned", "channel": "sms", "state": "sent", "sent_at": timezone.now(), "key": str(lead.pk)}
    return Notification.objects.create(user=rep.user, lead=lead, **defaults | more)


def owned(rep, **more):
    lead = make_lead(owner=rep.user, routing_state="assigned", **{"last_name": "Novak"} | more)
    if not Assignment.objects.filter(lead=lead).exists():
        Assignment.objects.create(lead=lead, rep=rep, trigger="created", started_at=timezone.now())
    return lead


@pytest.mark.parametrize("text", ["1", "accept", "ACCEPT!", " Accept "])
def test_a_rep_accepts_by_reply(rep, text):
    lead = owned(rep)
    told(rep, lead)
    assert said(write(text, REP_PHONE, "SM1")) == ["You have accepted Novak."]
    lead.refresh_from_db()
    assert lead.accepted_at is not None
    assert not Lead.objects.exclude(pk=lead.pk).exists()


def test_a_rep_declines_by_reply_and_somebody_else_gets_the_lead(rep):
    world(rep, "Ben")
    lead = owned(rep)
    told(rep, lead)
    assert said(write("2", f"whatsapp:{REP_PHONE}", "SM1")) == [replies.NO_LEAD["en"]]  # told by SMS, not WhatsApp
    assert said(write("2", REP_PHONE, "SM2")) == ["You have declined Novak. It goes to somebody else."]
    lead.refresh_from_db()
    assert lead.owner.rep.name == "Ben"


def test_the_latest_lead_the_rep_was_told_of_counts(rep):
    earlier, later = owned(rep, last_name="Early"), owned(rep, last_name="Late")
    told(rep, later)
    told(rep, earlier, sent_at=timezone.now() - timedelta(hours=1))
    told(rep, make_lead(last_name="Unsent"), state="failed", reason="x", sent_at=None)
    assert said(write("1", REP_PHONE, "SM1")) == ["You have accepted Late."]


def test_who_is_too_late_is_told_who_was_faster(rep):
    ben = make_rep("Ben")
    ben.user.first_name, ben.user.last_name = "Ben", "Baker"
    ben.user.save()
    told(rep, owned(ben))
    for sid, text in (("SM1", "1"), ("SM2", "2")):
        assert said(write(text, REP_PHONE, sid)) == ["Too late: Ben Baker has Novak now."]


def test_only_a_message_that_asks_is_answered_by_a_number(rep):
    """A mention came last, of a lead that is being worked: it is not what is meant."""
    new, worked = owned(rep, last_name="New"), owned(rep, last_name="Worked", accepted_at=timezone.now())
    told(rep, new, sent_at=timezone.now() - timedelta(hours=1))
    told(rep, worked, kind="mention")
    assert said(write("1", REP_PHONE, "SM1")) == ["You have accepted New."]


@pytest.mark.parametrize("kind", ["assigned", "mention"])
def test_a_lead_that_is_being_worked_is_not_given_away_by_a_number(rep, kind):
    worked = owned(rep, last_name="Worked", accepted_at=timezone.now())
    told(rep, worked, kind=kind)
    write("2", REP_PHONE, "SM1")
    worked.refresh_from_db()
    assert worked.owner == rep.user


def test_a_message_is_answered_by_a_number_for_two_days_as_by_its_links(rep):
    told(rep, owned(rep), sent_at=timezone.now() - timedelta(days=2))
    assert said(write("1", REP_PHONE, "SM1")) == [replies.NO_LEAD["en"]]


def test_of_several_leads_in_one_message_none_is_guessed(rep):
    first, second = owned(rep, last_name="First"), owned(rep, last_name="Second")
    told(rep, second, bundled_into=told(rep, first))
    (answer,) = said(write("2", REP_PHONE, "SM1"))
    assert "Second, First" in answer
    assert set(Lead.objects.values_list("owner", flat=True)) == {rep.user_id}


def test_a_command_delivered_twice_is_done_once(rep):
    lead = owned(rep)
    told(rep, lead)
    assert said(write("1", REP_PHONE, "SM1"))
    assert said(write("1", REP_PHONE, "SM1")) == []
    assert lead.events.filter(kind=Event.Kind.ACCEPTED).count() == 1


def test_a_rep_who_writes_something_else_is_told_what_can_be_replied_and_is_no_lead(rep):
    assert said(write("What?", REP_PHONE, "SM1")) == [replies.COMMANDS["en"]]
    assert said(write("1", REP_PHONE, "SM2")) == [replies.NO_LEAD["en"]]
    assert not Lead.objects.exists()


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt"])
def test_a_rep_is_answered_in_the_language_of_their_messages(rep, language):
    Preference.objects.create(user=rep.user, language=language)
    taken, own, several = make_rep("Ben"), owned(rep, last_name="Own"), [owned(rep, last_name=name) for name in "AB"]
    answers = [*said(write("What?", REP_PHONE, "SM0")), *said(write("1", REP_PHONE, "SM1"))]
    told(rep, own)
    answers += [*said(write("1", REP_PHONE, "SM2")), *said(write("2", REP_PHONE, "SM3"))]
    told(rep, own := owned(rep, last_name="Novak"))
    answers += said(write("2", REP_PHONE, "SM4"))
    told(rep, owned(taken))
    answers += said(write("1", REP_PHONE, "SM5"))
    Lead.objects.update(closed_at=timezone.now())
    answers += said(write("1", REP_PHONE, "SM6"))
    Lead.objects.filter(pk__in=[lead.pk for lead in several]).update(closed_at=None)
    told(rep, several[1], bundled_into=told(rep, several[0]))
    answers += [*said(write("1", REP_PHONE, "SM7")), *said(write("STOP", REP_PHONE, "SM8"))]
    answers += said(write("START", REP_PHONE, "SM9"))
    expected = [
        replies.COMMANDS[language], replies.NO_LEAD[language], replies.ACCEPTED[language].format(lead="Own"),
        replies.YOURS[language].format(lead="Own"), replies.DECLINED[language].format(lead="Novak"),
        replies.TOO_LATE[language].format(who="ben", lead="Novak"), replies.CLOSED[language].format(lead="Novak"),
        replies.SEVERAL[language].format("B, A"), replies.STOPPED[language], replies.STARTED[language],
    ]  # fmt: skip
    assert answers == expected


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pt"])
def test_a_rep_who_is_full_is_told_so_in_their_language(rep, language):
    Preference.objects.create(user=rep.user, language=language)
    Rep.objects.update(capacity=0)
    lead = make_lead(last_name="Novak", routing_state="claimable")
    Offer.objects.create(lead=lead, rep=rep, offered_at=timezone.now())
    told(rep, lead, kind="offered")
    (answer,) = said(write("1", REP_PHONE, "SM1"))
    assert answer == replies.FULL[language] if language != "en" else "ask for more capacity" in answer


def test_every_answer_is_there_in_every_language():
    found = [value for value in vars(replies).values() if isinstance(value, dict) and "de" in value]
    assert len(found) > 10
    for texts in found:
        assert {*texts} | {"en"} == {*LANGUAGES}


def test_a_number_that_was_not_verified_commands_nothing(rep):
    stages()
    ContactAddress.objects.update(verified_at=None)
    lead = owned(rep)
    told(rep, lead)
    assert said(write("1", REP_PHONE, "SM1")) == []
    lead.refresh_from_db()
    assert lead.accepted_at is None


# --- What stands on the lead's page ---------------------------------------------------------------


def words_at(rep, lead):
    Lead.objects.filter(pk=lead.pk).update(owner=rep.user, routing_state="assigned")
    return {way.label: way.word for way in signed_in(rep.user).get(f"/leads/{lead.uid}/").context["page"].ways}


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        (PHONE, "Nothing goes there by SMS: The receiver said STOP. No word about WhatsApp is on record."),
        (f"whatsapp:{PHONE}", "Nothing goes there by WhatsApp: The receiver said STOP."),
    ],
)
def test_the_page_of_a_lead_says_where_to_it_said_stop_until_it_said_start(lead, rep, sender, words):
    write("STOP", sender, "SM1")
    assert words_at(rep, lead) == {"Phone": words}
    write("START", sender, "SM2")
    assert "Nothing goes" not in words_at(rep, lead)["Phone"]


def test_so_does_the_page_of_a_lead_that_came_in_after_the_stop(rep, lead):
    write("STOP", f"whatsapp:{PHONE}", "SM1")
    Stop.objects.create(channel="email", address="ada@acme.example", reason="bounced")
    later = make_lead(phone=PHONE, email="ada@acme.example")
    assert words_at(rep, later) == {
        "Phone": "Nothing goes there by WhatsApp: The receiver said STOP.",
        "E-mail": "Nothing goes there by E-mail: Messages come back from there.",
    }


# --- States of our own messages ------------------------------------------------------------------


def report(row, status, **more):
    values = {"MessageSid": "SM9", "MessageStatus": status} | more
    assert call(f"/hooks/twilio/status/?message={row.token}", **values).status_code == 204
    row.refresh_from_db()
    return row.state


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        (["queued", "sent"], "sent"),
        (["sent", "delivered"], "delivered"),
        (["delivered", "sent", "queued"], "delivered"),
        (["delivered", "undelivered"], "delivered"),
        (["read", "delivered"], "delivered"),
        (["undelivered", "delivered"], "failed"),
        (["failed", "failed"], "failed"),
        (["nonsense", ""], "sent"),
    ],
)
def test_reports_move_a_message_up_and_never_back(lead, reports, state):
    row = queued(lead, state="sent", next_at=None)
    for status in reports * 2:
        report(row, status)
    assert row.state == state


def test_a_failure_names_its_code(lead):
    row = queued(lead, state="sent", next_at=None)
    report(row, "undelivered", ErrorCode="30005")
    assert (row.error_code, row.provider_id) == ("30005", "SM9")
    assert row.reason == "It was not delivered. The number is unknown or out of service."


@pytest.mark.parametrize("status", ["delivered", "undelivered"])
def test_what_went_as_one_message_arrived_or_failed_as_one(rep, status):
    head = told(rep, owned(rep), next_at=None)
    other = told(rep, owned(rep, last_name="Other"), bundled_into=head)
    other.refresh_from_db()
    assert report(head, status) == ("delivered" if status == "delivered" else "failed")
    other.refresh_from_db()
    assert other.state == head.state


@pytest.mark.parametrize("state", ["sending", "sent"])
def test_a_late_report_about_an_earlier_attempt_says_nothing_about_the_last_one(lead, state):
    known = "SM9" if state == "sending" else "SM10"
    row = queued(lead, state=state, next_at=None, provider_id=known, attempts=9)
    assert report(row, "undelivered") == state
    assert row.provider_id == known


def test_what_was_delivered_although_the_answer_was_lost_is_not_sent_again(lead):
    row = queued(lead, state="retry", attempts=1, unsure=True, text="Hello")
    assert report(row, "delivered") == "delivered"
    assert row.sent_at is not None
    assert lead.events.get(kind=Event.Kind.MESSAGED).data["text"] == "Hello"


def test_a_report_that_comes_before_we_have_noted_the_message_counts(lead):
    row = queued(lead, state="sending", next_at=None)
    assert report(row, "delivered") == "delivered"


@pytest.mark.parametrize("name", ["", "nonsense", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "\x00"])
def test_a_report_about_nothing_we_know_changes_nothing(db, name):
    path = f"/hooks/twilio/status/?message={name.encode().hex() if name == chr(0) else name}"
    assert call(path, MessageSid="SM9", MessageStatus="delivered").status_code == 204


# --- Anything ------------------------------------------------------------------------------------

NAUGHTY = ["\x00", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"), "<script>alert(1)</script>",
           "{{ 7 }}", "'; DROP TABLE leads; --", "\u202eevil", "😀" * 900, "\r\n" * 50, "a" * 5000,
           "=cmd|' /C calc'!A0"]  # fmt: skip


@pytest.mark.parametrize("text", NAUGHTY)
def test_any_text_is_kept_and_shown_as_text(lead, rep, text):
    Lead.objects.filter(pk=lead.pk).update(owner=rep.user, routing_state="assigned")
    write(text, PHONE, "SM1")
    page = signed_in(rep.user).get(f"/leads/{lead.uid}/")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.data
@pytest.mark.django_db
def test_every_naughty_string_may_come_in(lead, rep, data_dir: Path):
    Lead.objects.filter(pk=lead.pk).update(owner=rep.user, routing_state="assigned")
    strings = json.loads((data_dir / "hard_inputs" / "blns.json").read_text())
    client = signed_in(rep.user)
    assert len(strings) > 500
    for number, text in enumerate(strings):
        write(text, PHONE, f"SM{number}", ProfileName=text)
        write(text, "+12125550100", f"SN{number}", ProfileName=text)
        if number % 50 == 0:
            assert client.get(f"/leads/{lead.uid}/").status_code == 200
    assert InboundMessage.objects.count() == 2 * len(strings)
    page = client.get(f"/leads/{lead.uid}/").content.decode()
    assert "<script>alert" not in page
    # Handlers stand in the page as text, never in a tag.
    assert re.search(r"<[a-z][^<>]*\son\w+\s*=", page, re.IGNORECASE) is None
