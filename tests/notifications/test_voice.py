"""Phone calls, driven as Twilio drives them: who is rung, what is said, and what the timeline keeps."""

import json
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from distribution.models import Assignment, Rep
from notifications.models import Call, ChannelSwitch, ContactAddress
from notifications.services import calls, callsweep, dialling
from notifications.services.calls import CallRefused
from pipeline.models import Consent, Event, Lead
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, stages, world
from tests.notifications.twilio_calls import OURS, TOKEN, call, use_twilio
from tests.pipeline.people import signed_in
from tests.support.peers import Answer, Request, TwilioPeer, running

CALLER = "+4915112345678"
# Verbs and attributes of TwiML that we use: https://www.twilio.com/docs/voice/twiml
KNOWN = {
    "Response": set(),
    "Say": {"language"},
    "Hangup": set(),
    "Dial": {"timeout", "callerId", "action", "method"},
    "Number": {"url", "method"},
    "Gather": {"numDigits", "timeout", "action", "method"},
    "Record": {"action", "method", "maxLength", "playBeep"},
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _twilio(settings):
    use_twilio(settings)
    settings.CALL_CONTACT_SECONDS = 30


def with_phone(rep: Rep, number: str) -> Rep:
    ContactAddress.objects.create(user=rep.user, channel="sms", address=number, verified_at=timezone.now())
    return rep


@pytest.fixture
def reps():
    stages()
    ann, ben = (with_phone(make_rep(name), f"+49301000{number}") for number, name in enumerate(("Ann", "Ben"), 10))
    world(ann, ben)
    return ann, ben


def say(answer):
    """The TwiML of an answer, checked against what Twilio knows."""
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/xml"
    root = ElementTree.fromstring(answer.content.decode())  # noqa: S314 - made by us
    for element in root.iter():
        assert set(element.attrib) <= KNOWN[element.tag]
        for name in ("action", "url"):
            if name in element.attrib:
                assert element.attrib[name].startswith("https://crm.example.com/hooks/twilio/")
    return root


def post(url, **values):
    parts = urlsplit(url)
    return say(call(parts.path, **values))


def ring(sid="CA1", caller=CALLER, **more):
    return post("/hooks/twilio/voice/", CallSid=sid, From=caller, To=OURS, CallStatus="ringing", **more)


def number_in(twiml):
    return twiml.findtext("Dial/Number") or ""


def action_of(twiml, tag="Dial"):
    return twiml.find(tag).attrib["action"]


def pick_up(twiml):
    """The rep picks up, hears who calls, and presses a key."""
    asked = post(twiml.find("Dial/Number").attrib["url"], CallSid="CA2", CallStatus="in-progress")
    return asked, post(asked.find("Gather").attrib["action"], CallSid="CA2", Digits="1")


def history(lead):
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


# --- Incoming ------------------------------------------------------------------------------------


def test_a_caller_nobody_knows_is_a_new_lead_and_the_rep_chosen_by_routing_is_rung(reps):
    twiml = ring(CallerName="Ada Novak")
    lead = Lead.objects.get()
    assert (lead.phone, lead.last_name, lead.source.slug) == (CALLER, "Novak", "inbound")
    chosen = Rep.objects.get(user=lead.owner)
    assert number_in(twiml) == calls.phone_of(chosen)
    assert twiml.find("Dial").attrib["callerId"] == OURS


def test_a_known_caller_is_matched_and_the_owner_is_rung(reps):
    lead = make_lead(phone=CALLER, last_name="Novak")
    lead.refresh_from_db()
    twiml = ring()
    assert Lead.objects.count() == 1
    assert number_in(twiml) == calls.phone_of(Rep.objects.get(user=lead.owner))
    asked, _ = pick_up(twiml)
    assert "Novak" in asked.findtext("Gather/Say")


def test_who_does_not_pick_up_is_followed_by_the_next_and_then_by_the_voicemail(reps):
    first = ring()
    second = post(action_of(first), CallSid="CA1", DialCallStatus="no-answer", CallStatus="in-progress")
    assert {number_in(first), number_in(second)} == {calls.phone_of(rep) for rep in reps}
    third = post(action_of(second), CallSid="CA1", DialCallStatus="busy", CallStatus="in-progress")
    assert third.find("Dial") is None
    recorded = post(
        action_of(third, "Record"), CallSid="CA1", RecordingUrl="https://api.twilio.com/R1", RecordingDuration="23"
    )
    assert recorded.find("Hangup") is not None
    lead, row = Lead.objects.get(), Call.objects.get()
    assert (row.status, row.recording_url) == ("voicemail", "https://api.twilio.com/R1")
    reply = lead.events.get(kind=Event.Kind.REPLIED)
    assert (reply.data["text"], reply.data["recording"]) == ("Left a voicemail of 23 s.", "https://api.twilio.com/R1")
    assert lead.first_contacted_at is None


def test_who_takes_the_call_has_the_lead_and_a_long_talk_is_a_contact(reps):
    first = ring()
    second = post(action_of(first), CallSid="CA1", DialCallStatus="no-answer", CallStatus="in-progress")
    pick_up(second)
    post(action_of(second), CallSid="CA1", DialCallStatus="completed", DialCallDuration="192", CallStatus="in-progress")
    lead, row = Lead.objects.get(), Call.objects.get()
    assert calls.phone_of(row.rep) == number_in(second)
    assert lead.owner_id == row.rep.user_id
    assert lead.accepted_at is not None
    assert lead.first_contacted_at is not None
    assert (row.seconds, row.status) == (192, "completed")
    event = lead.events.get(kind=Event.Kind.CALLED)
    assert event.data["sentence"] == f"Incoming call with {row.rep.name}, 3 min 12 s."


@pytest.mark.parametrize(("seconds", "counts"), [("29", False), ("30", True), ("", False), ("x", False)])
def test_only_a_talk_that_was_long_enough_is_a_contact(reps, seconds, counts):
    twiml = ring()
    pick_up(twiml)
    post(action_of(twiml), CallSid="CA1", DialCallStatus="completed", DialCallDuration=seconds)
    assert (Lead.objects.get().first_contacted_at is not None) == counts


def test_a_mailbox_that_answers_presses_no_key_and_the_next_is_rung(reps):
    first = ring()
    asked = post(first.find("Dial/Number").attrib["url"], CallSid="CA2")
    assert [child.tag for child in asked] == ["Gather", "Hangup"]
    second = post(
        action_of(first), CallSid="CA1", DialCallStatus="completed", DialCallDuration="9", CallStatus="in-progress"
    )
    assert number_in(second) not in ("", number_in(first))


def test_of_two_who_press_a_key_one_has_the_call(reps):
    twiml = ring()
    pick_up(twiml)
    row = Call.objects.get()
    other = next(rep for rep in reps if rep.pk != row.rep_id)
    late = post(f"/hooks/twilio/call/{row.uid}/taken/{other.pk}/", CallSid="CA3", Digits="1")
    assert "taken the call" in late.findtext("Say")
    row.refresh_from_db()
    assert row.rep_id != other.pk


def test_a_caller_who_hangs_up_while_it_rings_is_told_to_the_owner(reps):
    twiml = ring()
    post(action_of(twiml), CallSid="CA1", DialCallStatus="canceled", CallStatus="completed")
    lead = Lead.objects.get()
    assert Call.objects.get().status == "no-answer"
    assert lead.events.get(kind=Event.Kind.REPLIED).data["text"] == "Called, and nobody answered."


def test_the_same_call_delivered_twice_is_one_call_and_one_lead(reps):
    ring()
    ring()
    assert (Lead.objects.count(), Call.objects.count()) == (1, 1)


def test_the_end_of_a_call_reported_twice_counts_once(reps):
    twiml = ring()
    pick_up(twiml)
    for _ in range(3):
        post(action_of(twiml), CallSid="CA1", DialCallStatus="completed", DialCallDuration="60")
        assert call("/hooks/twilio/voice/status/", CallSid="CA1", CallStatus="completed").status_code == 204
    assert history(Lead.objects.get()).count(Event.Kind.CALLED) == 1
    assert Call.objects.get().seconds == 60


def test_the_report_of_the_end_may_come_before_the_length_of_the_talk(reps):
    twiml = ring()
    pick_up(twiml)
    call("/hooks/twilio/voice/status/", CallSid="CA1", CallStatus="completed")
    assert Call.objects.get().ended_at is None
    post(action_of(twiml), CallSid="CA1", DialCallStatus="completed", DialCallDuration="60", CallStatus="completed")
    assert Call.objects.get().seconds == 60


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "client:ada", "sip:a@b.example", "<script>", "\x00"])
def test_a_caller_without_a_number_is_a_lead_all_the_same(reps, caller):
    twiml = ring(caller=caller)
    assert number_in(twiml)
    lead = Lead.objects.get()
    assert lead.phone == ""
    assert lead.message.startswith("Called our number")


def test_a_rep_who_calls_is_no_lead(reps):
    twiml = ring(caller=calls.phone_of(reps[0]))
    assert twiml.find("Hangup") is not None
    assert not Lead.objects.exists()


def test_reps_who_are_away_or_have_no_verified_phone_are_not_rung(reps):
    ann, ben = reps
    Rep.objects.filter(pk=ann.pk).update(status="away")
    ContactAddress.objects.filter(user=ben.user).update(verified_at=None)
    assert ring().find("Record") is not None


def test_the_voicemail_speaks_the_leads_language(reps):
    ContactAddress.objects.all().delete()
    make_lead(phone=CALLER, language="de")
    spoken = ring().find("Say")
    assert spoken.attrib["language"] == "de-DE"
    assert spoken.text.startswith("Danke")


def test_a_recording_that_is_no_address_is_not_kept(reps):
    ContactAddress.objects.all().delete()
    action = action_of(ring(), "Record")
    post(action, CallSid="CA1", RecordingUrl="javascript:alert(1)", RecordingDuration="5")
    assert Call.objects.get().recording_url == ""


@pytest.mark.parametrize("step", ["next", "recorded", "connect", "dial", "done", "whisper/1", "taken/1"])
def test_steps_of_calls_that_do_not_exist_are_404(step):
    assert call(f"/hooks/twilio/call/{uuid4()}/{step}/", CallSid="CA1").status_code == 404


# --- Outgoing ------------------------------------------------------------------------------------


class VoicePeer(TwilioPeer):
    """Twilio's calls: https://www.twilio.com/docs/voice/api/call-resource. ``state`` is how they are, ``legs`` the
    calls that they made: status and duration."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "in-progress"
        self.legs: list[tuple[str, str | None]] = []

    def decide(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.endswith("/Calls.json") and request.method == "POST":
            return as_json(201, {"sid": "CA77", "status": "queued"})
        if path.endswith("/Calls.json"):
            legs = [{"sid": f"CA{n}", "status": status, "duration": long} for n, (status, long) in enumerate(self.legs)]
            return as_json(200, {"calls": legs, "page": 0, "page_size": 50, "next_page_uri": None})
        if path.endswith("/Calls/CA77.json"):
            return as_json(200, {"sid": "CA77", "status": self.state})
        return super().decide(request)


def as_json(status: int, data: object) -> Answer:
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json"})


def test_the_page_of_a_lead_has_the_button_and_links_the_recording(reps, settings):
    lead = make_lead(phone=CALLER, last_name="Novak")
    lead.refresh_from_db()
    Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, data={"recording": "https://api.twilio.com/R1"})
    page = signed_in(lead.owner).get(f"/leads/{lead.uid}/").content.decode()
    assert f'action="/leads/{lead.uid}/call/"' in page
    assert 'href="https://api.twilio.com/R1"' in page
    settings.TWILIO_FROM = ""
    assert "/call/" not in signed_in(lead.owner).get(f"/leads/{lead.uid}/").content.decode()


@pytest.fixture
def peer(settings):
    with running(VoicePeer()) as server:
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = server.sid, TOKEN
        settings.TWILIO_API_BASE = server.url
        yield server


@pytest.fixture
def lead(reps):
    lead = make_lead(phone=CALLER, last_name="Novak", company="Acme")
    lead.refresh_from_db()
    return lead


def owner_of(lead):
    return Rep.objects.select_related("user").get(user=lead.owner)


def click(lead, user=None):
    return signed_in(user or lead.owner).post(f"/leads/{lead.uid}/call/", follow=True)


def test_a_click_rings_the_rep_who_is_then_connected_with_the_lead(lead, peer, eager_tasks):
    assert b"Your phone rings in a moment" in click(lead).content
    form = peer.seen[0].form
    assert (form["To"], form["From"]) == (calls.phone_of(owner_of(lead)), OURS)
    asked = post(form["Url"], CallSid="CA77", CallStatus="in-progress")
    assert "Novak, Acme" in asked.findtext("Gather/Say")
    twiml = post(asked.find("Gather").attrib["action"], CallSid="CA77", Digits="5")
    assert number_in(twiml) == CALLER
    post(action_of(twiml), CallSid="CA77", DialCallStatus="completed", DialCallDuration="75")
    call(urlsplit(form["StatusCallback"]).path, CallSid="CA77", CallStatus="completed")
    lead.refresh_from_db()
    event = lead.events.get(kind=Event.Kind.CALLED)
    assert event.data["sentence"] == f"Outgoing call with {owner_of(lead).name}, 1 min 15 s."
    assert event.actor == lead.owner
    assert lead.first_contacted_at is not None


def test_a_second_click_is_the_same_call(lead, peer, eager_tasks):
    click(lead)
    click(lead)
    assert (Call.objects.count(), len(peer.seen)) == (1, 1)


def test_a_lead_that_does_not_answer_is_noted_and_is_no_contact(lead, peer, eager_tasks):
    click(lead)
    row = Call.objects.get()
    post(f"/hooks/twilio/call/{row.uid}/dial/", CallSid="CA77", Digits="1")
    post(f"/hooks/twilio/call/{row.uid}/done/", CallSid="CA77", DialCallStatus="no-answer")
    lead.refresh_from_db()
    assert lead.events.get(kind=Event.Kind.CALLED).data["sentence"] == "Outgoing call: no answer."
    assert lead.first_contacted_at is None


def test_a_rep_who_does_not_pick_up_is_noted(lead, peer, eager_tasks):
    click(lead)
    call(f"/hooks/twilio/call/{Call.objects.get().uid}/status/", CallSid="CA77", CallStatus="busy")
    assert Call.objects.get().status == "busy"


def test_a_call_is_never_placed_twice(lead, peer):
    row = calls.request_call(lead, owner_of(lead))
    assert [dialling.place(row.pk), dialling.place(row.pk)] == ["ringing", "nothing to do"]
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    "answer", [TwilioPeer.error(401, 20003), TwilioPeer.error(429, 20429), Answer(500, b"oops"), Answer(broken=True)]
)
def test_a_call_that_cannot_be_placed_ends_and_says_so(lead, peer, answer):
    peer.answers = [answer]
    row = calls.request_call(lead, owner_of(lead))
    assert dialling.place(row.pk) == "failed"
    assert lead.events.get(kind=Event.Kind.CALLED).data["sentence"] == "Outgoing call: failed."


def refuse(lead, **changes):
    for name, value in changes.items():
        setattr(lead, name, value)
    with pytest.raises(CallRefused) as refusal:
        calls.request_call(lead, owner_of(lead))
    assert not Call.objects.exists()
    return str(refusal.value)


def test_what_keeps_a_call_from_being_made_is_said(lead, settings):
    assert refuse(lead, phone="") == "This lead has no phone number."
    lead.phone = CALLER
    consent = Consent.objects.create(lead=lead, channel="phone", granted=False)
    assert refuse(lead) == "This lead does not want to be called."
    consent.delete()
    ContactAddress.objects.update(verified_at=None)
    assert "no verified phone number" in refuse(lead)
    ChannelSwitch.objects.create(channel="phone", stopped=True, reason="Wrong number")
    assert refuse(lead) == "Emergency stop: Wrong number"
    settings.TWILIO_FROM = ""
    assert refuse(lead) == "Calls are not set up: TWILIO_FROM is not set."


def test_strangers_get_404_and_visitors_the_sign_in(lead, client):
    stranger = make_rep("Zoe")
    assert click(lead, stranger.user).status_code == 404
    assert client.post(f"/leads/{lead.uid}/call/").status_code == 302
    assert not Call.objects.exists()


def test_an_earlier_call_that_hangs_does_not_keep_a_new_one_from_being_made(lead, peer):
    old = calls.request_call(lead, owner_of(lead), timezone.now() - timedelta(minutes=2))
    assert calls.request_call(lead, owner_of(lead)) != old


def test_assignments_follow_who_talked(reps):
    twiml = ring()
    second = post(action_of(twiml), CallSid="CA1", DialCallStatus="no-answer", CallStatus="in-progress")
    pick_up(second)
    held = Assignment.objects.get(ended_at=None)
    assert held.rep_id == Call.objects.get().rep_id


# --- Calls whose end nobody reported -------------------------------------------------------------


@pytest.fixture
def hanging(lead, peer):
    """A call that was placed and connected, and of which nothing was heard since."""
    row = calls.request_call(lead, owner_of(lead))
    dialling.place(row.pk)
    calls.begin_talking(row)
    return row


def swept(row, **later):
    callsweep.sweep_calls(now=row.started_at + timedelta(**later))
    row.refresh_from_db()
    return row


def test_a_call_that_is_over_without_a_report_is_ended_as_the_provider_says(hanging, peer):
    peer.state, peer.legs = "completed", [("no-answer", None), ("completed", "75")]
    assert swept(hanging, minutes=14).ended_at is None
    assert swept(hanging, minutes=15).seconds == 75
    assert hanging.lead.events.get(kind=Event.Kind.CALLED).data["sentence"].endswith("1 min 15 s.")
    assert Lead.objects.get().first_contacted_at is not None


def test_a_call_in_which_nobody_talked_is_no_contact(hanging, peer):
    peer.state, peer.legs = "completed", [("busy", None)]
    assert (swept(hanging, minutes=15).status, hanging.seconds) == ("no-answer", None)
    assert Lead.objects.get().first_contacted_at is None


def test_a_call_that_goes_on_is_left_alone_and_given_up_in_the_end(hanging, peer, settings):
    settings.CALL_UNKNOWN_MINUTES = 60
    assert swept(hanging, minutes=59).ended_at is None
    assert swept(hanging, minutes=60).status == "unknown"
    sentence = hanging.lead.events.get(kind=Event.Kind.CALLED).data["sentence"]
    assert sentence == "Outgoing call: nobody reported how it went."


@pytest.mark.parametrize("answer", [TwilioPeer.error(404, 20404), Answer(500, b"oops"), Answer(broken=True)])
def test_a_provider_that_does_not_know_does_not_end_a_call_before_its_time(hanging, peer, answer):
    peer.answers = [answer]
    assert swept(hanging, minutes=20).ended_at is None


def test_a_call_that_was_asked_for_and_never_placed_is_not_placed_late(lead, peer):
    row = swept(calls.request_call(lead, owner_of(lead)), minutes=15)
    assert (row.status, dialling.place(row.pk), peer.seen) == ("failed", "nothing to do", [])


def test_a_caller_of_whose_call_nothing_is_known_is_not_told_as_a_missed_one(reps):
    ring()
    row = swept(Call.objects.get(), minutes=301)
    assert row.status == "unknown"
    assert Event.Kind.REPLIED not in history(row.lead)
