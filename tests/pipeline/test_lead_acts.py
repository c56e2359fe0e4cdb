"""What people do on the page of a lead, and what its history says of it."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.utils import timezone

from pipeline.models import Event, Lead
from pipeline.services.events import record
from pipeline.services.leads import close_lead
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    with time_machine.travel(NOW, tick=False):
        yield make_lead(last_name="Lovelace", owner=people.owner, team=people.team, routing_state="assigned")


def send(user, lead, act, **fields):
    return signed_in(user).post(f"/leads/{lead.uid}/{act}/", fields)


def page(user, lead):
    response = signed_in(user).get(f"/leads/{lead.uid}/")
    assert response.status_code == 200
    return response.content.decode()


def pages_of_history(user, lead, show=""):
    """Every page of the history, as links lead from one to the next."""
    client, before = signed_in(user), ""
    while True:
        response = client.get(f"/leads/{lead.uid}/history/", {"show": show, "before": before})
        yield response.content.decode()
        if not (before := response.context["history"].older):
            return


def kinds(lead):
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


CONTACT = {"direction": "out", "channel": "phone", "text": "Wants a demo"}
SNOOZE = {"until": "2026-03-09T09:00", "reason": "on holiday"}


def test_the_first_contact_that_is_logged_counts_and_stands_in_the_history(people, lead):
    assert send(people.owner, lead, "contact", **CONTACT).status_code == 302
    lead.refresh_from_db()
    assert lead.first_contacted_at == NOW
    shown = page(people.owner, lead)
    assert "Phone · the first contact" in shown
    assert "Wants a demo" in shown


def test_a_form_that_was_sent_as_it_came_is_no_contact(people, lead):
    client = signed_in(people.owner)
    form = client.get(f"/leads/{lead.uid}/").context["forms"]["contact"]
    untouched = {field.name: field.value() or "" for field in form}
    assert client.post(f"/leads/{lead.uid}/contact/", untouched).status_code == 422
    lead.refresh_from_db()
    assert (lead.first_contacted_at, kinds(lead)) == (None, [])


def test_a_contact_by_the_lead_is_a_reply_and_no_contact_of_ours(people, lead):
    send(people.owner, lead, "contact", **{**CONTACT, "direction": "in"})
    lead.refresh_from_db()
    assert lead.first_contacted_at is None
    assert "The lead replied" in page(people.owner, lead)


def test_a_note_is_shown_as_it_was_written_and_escaped(people, lead):
    send(people.manager, lead, "note", text="<b>big</b>\nfish")
    shown = page(people.owner, lead)
    assert "&lt;b&gt;big&lt;/b&gt;\nfish" in shown
    assert "by <bdi>Manager Person</bdi>" in shown


def test_a_lead_is_snoozed_in_the_time_of_the_reader_and_woken(people, lead):
    client = signed_in(people.owner)
    client.cookies["time_zone"] = "Europe/Berlin"
    client.post(f"/leads/{lead.uid}/snooze/", SNOOZE)
    lead.refresh_from_db()
    assert lead.snoozed_until == datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    assert "Until 9 Mar 2026, 09:00 CET: on holiday" in client.get(f"/leads/{lead.uid}/").content.decode()
    client.post(f"/leads/{lead.uid}/wake/")
    lead.refresh_from_db()
    assert lead.snoozed_until is None


@pytest.mark.parametrize(
    ("act", "fields", "field", "words"),
    [
        ("contact", {**CONTACT, "direction": "", "text": ""}, "direction", "Say who reached out"),
        ("contact", {**CONTACT, "channel": "pigeon"}, "channel", "not one of the available choices"),
        ("contact", {**CONTACT, "at": "2026-03-02T11:00"}, "at", "still to come"),
        ("contact", {**CONTACT, "at": "2026-03-01T11:00"}, "at", "Give a later moment"),
        ("contact", {**CONTACT, "at": "soon"}, "at", "Enter a valid date/time"),
        ("note", {"text": "  "}, "text", "Write the note first."),
        ("snooze", {**SNOOZE, "until": "2026-03-01T09:00"}, "until", "still to come"),
        ("snooze", {**SNOOZE, "until": "2036-03-01T09:00"}, "until", "within a year"),
        ("snooze", {**SNOOZE, "until": ""}, "until", "Give a moment"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_changes(people, lead, act, fields, field, words):
    response = send(people.owner, lead, act, **fields)
    assert response.status_code == 422
    assert words in str(response.context["forms"][act].errors[field])
    assert f'id="{act}_{field}_error"' in response.content.decode()
    assert kinds(lead) == []


@pytest.mark.parametrize(("soon", "day"), [("tomorrow", 3), ("in-3-days", 5), ("next-week", 9)])
def test_a_lead_rests_until_nine_of_a_day_that_is_pressed(people, lead, soon, day):
    client = signed_in(people.owner)
    client.cookies["time_zone"] = "Europe/Berlin"
    client.post(f"/leads/{lead.uid}/snooze/", {"reason": "On holiday", "until": "", "soon": soon})
    lead.refresh_from_db()
    assert lead.snoozed_until == datetime(2026, 3, day, 8, 0, tzinfo=UTC)


def test_one_press_is_enough_to_snooze_and_the_history_says_until_when(people, lead):
    assert send(people.owner, lead, "snooze", reason="", until="", soon="tomorrow").status_code == 302
    lead.refresh_from_db()
    assert lead.snoozed_until == datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    shown = page(people.owner, lead)
    assert "Until 3 Mar 2026, 09:00 UTC" in shown
    assert "09:00 UTC:" not in shown


def test_a_moment_that_was_typed_counts_more_than_one_that_is_pressed_by_the_enter_key(people, lead):
    client = signed_in(people.owner)
    client.post(f"/leads/{lead.uid}/snooze/", {**SNOOZE, "soon": "tomorrow"})
    lead.refresh_from_db()
    assert lead.snoozed_until == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def test_what_a_part_of_the_page_did_leads_to_the_whole_page(people, lead):
    response = signed_in(people.owner).post(f"/leads/{lead.uid}/note/", {"text": "x"}, headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (200, f"/leads/{lead.uid}/")


def test_a_closed_lead_is_not_snoozed(people, lead):
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="No")
    assert "Snooze until then" not in page(people.owner, lead)
    response = send(people.owner, lead, "snooze", **SNOOZE)
    assert "This lead is closed" in response.content.decode()
    part = signed_in(people.owner).post(f"/leads/{lead.uid}/snooze/", SNOOZE, headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == f"/leads/{lead.uid}/"
    assert Event.Kind.SNOOZED not in kinds(lead)


@pytest.mark.parametrize(
    ("act", "fields"), [("contact", CONTACT), ("note", {"text": "x"}), ("snooze", SNOOZE), ("wake", {})]
)
def test_a_stranger_finds_no_such_page(people, lead, act, fields):
    assert send(people.stranger, lead, act, **fields).status_code == 404
    assert kinds(lead) == []


def test_who_may_only_look_on_finds_no_forms_and_no_page_to_send_them_to(people, lead, django_user_model):
    from django.contrib.auth.models import Permission

    reader = django_user_model.objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_lead"))
    assert "Add a note" not in page(reader, lead)
    assert send(reader, lead, "note", text="x").status_code == 404


TOLD = [kind for kind in Event.Kind if kind not in Event.UNTOLD]


def test_every_kind_of_event_has_a_line_with_its_sentence(people, lead):
    for kind in Event.Kind:
        record(lead, kind, actor=people.manager, sentence=f"Sentence of {kind}.")
    shown = unescape("".join(pages_of_history(people.owner, lead)))
    own_words = {"lead.created", "lead.stage_changed", "lead.closed", "lead.reopened", "lead.edited"}
    own_words |= {"lead.contacted", "lead.replied", "lead.messaged", "lead.snoozed"}
    own_words |= {"task.added", "task.changed", "task.due", "task.done", "task.dropped"}
    for kind in TOLD:
        assert str(kind.label) in shown
        assert kind in own_words or f"Sentence of {kind}." in shown


def titles(user, lead, show=""):
    found = signed_in(user).get(f"/leads/{lead.uid}/history/", {"show": show}).context["history"]
    return [line.title for line in found.lines]


def test_the_history_shows_one_kind_of_lines_at_a_time_and_each_line_under_some(people, lead):
    for kind in Event.Kind:
        record(lead, kind)
    assert set(titles(people.owner, lead, "contacts")) == {"Contacted", "The lead replied", "Phone call"}
    assert set(titles(people.owner, lead, "messages")) == {"Automatic message sent", "The lead replied"}
    assert "Note added" in titles(people.owner, lead, "notes")
    assert "Assigned" in titles(people.owner, lead, "routing")
    shown = {
        title for show in ("contacts", "messages", "notes", "changes") for title in titles(people.owner, lead, show)
    }
    routed = "".join(pages_of_history(people.owner, lead, "routing"))
    assert [k.label for k in TOLD if str(k.label) not in shown and str(k.label) not in unescape(routed)] == []


def test_a_long_history_comes_in_pages_without_gaps_whatever_comes_meanwhile(people, lead):
    for number in range(65):
        record(lead, Event.Kind.NOTED, text=f"Note {number:02}.")
    seen, client, before = [], signed_in(people.owner), ""
    for _ in range(3):
        history = client.get(f"/leads/{lead.uid}/history/", {"before": before}).context["history"]
        seen += [line.text for line in history.lines]
        before = history.older
        record(lead, Event.Kind.NOTED, text="Later.")
    assert seen == [f"Note {number:02}." for number in reversed(range(65))]
    assert before == ""


@pytest.mark.parametrize(
    "before", ["x", "~", "0001-01-01T00:00:00+14:00~1", "2026-03-02~" + "9" * 40, "2026-03-02T10:00:00~٣"]
)
def test_a_place_in_the_history_that_cannot_be_is_the_beginning(people, lead, before):
    record(lead, Event.Kind.NOTED, text="Here.")
    response = signed_in(people.owner).get(f"/leads/{lead.uid}/history/", {"before": before, "show": "what"})
    assert [line.text for line in response.context["history"].lines] == ["Here."]


def test_a_lead_and_its_card_say_until_when_it_must_be_answered(people, lead):
    Lead.objects.filter(pk=lead.pk).update(respond_by=NOW + timedelta(minutes=4, seconds=30))
    client = signed_in(people.owner)
    card = client.get("/board/").content.decode()
    assert ">4 min left</time>" in card
    assert "4 min left" in page(people.owner, lead)
    assert "due late" not in card


def test_what_is_late_is_said_in_words(people, lead):
    Lead.objects.filter(pk=lead.pk).update(respond_by=NOW - timedelta(hours=26))
    client = signed_in(people.owner)
    assert 'title="late, was due by 1 Mar, 08:00">1 d late</time>' in client.get("/board/").content.decode()
    assert "1 d late" in page(people.owner, lead)


def test_a_card_says_that_a_lead_is_snoozed(people, lead):
    Lead.objects.filter(pk=lead.pk).update(snoozed_until=NOW + timedelta(days=2))
    assert "Snoozed until" in signed_in(people.owner).get("/board/").content.decode()


def test_acts_leave_their_actor(people, lead):
    send(people.owner, lead, "note", text="mine")
    assert Event.objects.get(lead=lead).actor == people.owner
    assert timezone.now() == NOW
