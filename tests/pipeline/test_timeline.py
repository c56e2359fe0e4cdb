"""The history of a lead in words: each kind of event says what happened, with what its services keep of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.models import Event, Stage
from pipeline.services.leads import close_lead, edit_lead, reopen_lead
from pipeline.services.moving import move_on, undo_move
from pipeline.timeline import build_timeline
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people

pytestmark = pytest.mark.django_db

K = Event.Kind
DUE = "2026-01-05T09:00:00+00:00"
SENTENCE = "Somebody has it now."
TASK = {"task": 1, "text": "Call back", "due": DUE, "who": "Ann"}
DUE_WORDS = "Due 5 Jan 2026, 09:00 UTC, for Ann"
TOLD = {"rep": "Ann", "user": 1, "reason": "rule", "sentence": SENTENCE}
# For each kind: what its services keep, the title, and the line below it.
SHOWN = {
    K.CREATED: ({"source": "website"}, "Lead created", "From Website"),
    K.EDITED: ({"changes": {"first_name": ["", "Ada"]}}, "Lead edited", "First name: blank → Ada"),
    K.MATCHED: ({"lead": 1, "sentence": SENTENCE}, "Recognised as someone known", SENTENCE),
    K.ASSIGNED: (TOLD, "Assigned", SENTENCE),
    K.REASSIGNED: (TOLD, "Reassigned", SENTENCE),
    K.OFFERED: (TOLD, "Offered", SENTENCE),
    K.QUEUED: (TOLD, "Put in a team's queue", SENTENCE),
    K.HELD: (TOLD, "Waiting for someone to be available", SENTENCE),
    K.UNROUTED: (TOLD, "Nobody found", SENTENCE),
    K.FAILED: ({"sentence": SENTENCE}, "Routing failed", SENTENCE),
    K.EXCLUDED: ({"reason": "A test"}, "Kept out of routing", "A test"),
    K.ACCEPTED: ({"rep": "Ann"}, "Accepted", ""),
    K.RETURNED: ({"rep": "Ann", "reason": "Wrong number"}, "Returned as invalid", "Ann had it: Wrong number"),
    K.RELEASED: ({"rep": "Ann", "reason": ""}, "Given back", "Ann had it"),
    K.MOVED: ({"from": "open", "to": "talks"}, "Moved to another stage", "From Open to Talks"),
    K.CONTACTED: ({"channel": "phone", "text": "", "first": True}, "Contacted", "Phone · the first contact"),
    K.NOTED: ({"text": "Likes trains"}, "Note added", ""),
    K.REPLIED: ({"channel": "email", "text": "Yes"}, "The lead replied", "E-mail"),
    K.MESSAGED: ({"channel": "sms", "text": "Hello"}, "Automatic message sent", "SMS"),
    K.CALLED: ({"status": "no-answer", "sentence": SENTENCE}, "Phone call", SENTENCE),
    K.CONSENT: ({"channel": "sms", "granted": False, "sentence": SENTENCE}, "Consent changed", SENTENCE),
    K.SNOOZED: ({"until": DUE, "reason": "On holiday"}, "Snoozed", "Until 5 Jan 2026, 09:00 UTC: On holiday"),
    K.WOKEN: ({}, "Back from snoozing", ""),
    K.LENT: (TOLD, "Lent to somebody", SENTENCE),
    K.LOAN_CHANGED: (TOLD, "Lent until another time", SENTENCE),
    K.GIVEN_BACK: (TOLD, "Given back to its owner", SENTENCE),
    K.REMINDED: (TOLD, "Reminder sent", SENTENCE),
    K.BACKUP: (TOLD, "Reminder sent by the second channel", SENTENCE),
    K.BROKEN: (TOLD, "Promise broken", SENTENCE),
    K.ESCALATED: (TOLD, "Manager told", SENTENCE),
    K.MOVED_ON: (TOLD, "Moved on", SENTENCE),
    K.SET_AWAY: (TOLD, "Owner set away", SENTENCE),
    K.STEP_FAILED: ({"error": "Traceback", "sentence": SENTENCE}, "Escalation failed", SENTENCE),
    K.TASK_ADDED: (TASK, "Task added", DUE_WORDS),
    K.TASK_CHANGED: (TASK, "Task changed", DUE_WORDS),
    K.TASK_DUE: (TASK, "Reminder of a task sent", DUE_WORDS),
    K.TASK_DONE: (TASK, "Task done", DUE_WORDS),
    K.TASK_DROPPED: (TASK, "Task dropped", DUE_WORDS),
    K.CLOSED: ({"stage": "lost", "reason": "Too dear"}, "Closed", "Lost: Too dear"),
    K.REOPENED: ({"stage": "open"}, "Reopened", "Open"),
}


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people, talks):
    lead = make_lead(owner=people.owner, team=people.team, routing_state="assigned")
    for stage in Stage.objects.all():
        Stage.objects.filter(pk=stage.pk).update(name=stage.slug.title())
    lead.events.all().delete()
    return lead


def lines(lead, show=""):
    return build_timeline(lead, lead.owner, timezone.now() + timedelta(seconds=1), show).lines


def test_every_kind_of_event_that_is_told_has_words_here():
    assert set(SHOWN) == set(K) - set(Event.UNTOLD)


@pytest.mark.parametrize("kind", SHOWN, ids=lambda kind: kind.name.lower())
def test_each_kind_says_what_happened(lead, kind):
    data, title, detail = SHOWN[kind]
    lead.source.name = "Website"
    Event.objects.create(lead=lead, kind=kind, data=data)
    [line] = lines(lead)
    assert (line.title, line.detail) == (title, detail)
    assert line.text == data.get("text", "")


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ({"changes": {"email": ["", "a@b.example"]}}, "E-mail: blank → a@b.example"),
        ({"changes": {"value": [None, "12000.00"]}, "currency": "EUR"}, "Value: blank → 12,000 EUR"),
        ({"changes": {"value": ["0.00", "12.50"]}, "currency": "EUR"}, "Value: 0 EUR → 12.50 EUR"),
        ({"changes": {"value": ["1250.00", None]}}, "Value: 1,250 → blank"),  # kept without its currency
        (
            {"changes": {"value": ["5.00", "6.00"], "currency": ["EUR", "USD"]}, "currency": "USD"},
            "Value: 5 EUR → 6 USD; Currency: EUR → USD",
        ),
    ],
)
def test_what_was_edited_is_told_as_elsewhere(lead, data, detail):
    Event.objects.create(lead=lead, kind=K.EDITED, data=data)
    assert [line.detail for line in lines(lead)] == [detail]


def test_an_edited_value_keeps_the_currency_that_it_was_in(lead):
    edit_lead(lead, {"value": "12,000", "currency": "EUR"}, actor=lead.owner)
    edit_lead(lead, {"value": "15.000 EUR"}, actor=lead.owner)
    edit_lead(lead, {"currency": "USD"}, actor=lead.owner)
    assert [line.detail for line in lines(lead)] == [
        "Currency: EUR → USD",
        "Value: 12,000 EUR → 15,000 EUR",
        "Value: blank → 12,000 EUR; Currency: blank → EUR",
    ]


def test_every_kind_is_found_under_exactly_one_of_contacts_notes_changes_and_routing(lead):
    for kind in SHOWN:
        Event.objects.create(lead=lead, kind=kind, data={"text": kind})
    parts = [{line.title for line in lines(lead, show)} for show in ("contacts", "notes", "changes", "routing")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(SHOWN) - 1  # automatic messages are with the messages


def test_a_kind_that_is_not_known_any_more_is_shown_as_it_is_stored(lead):
    Event.objects.create(lead=lead, kind="lead.teleported", data={"undone": True})
    assert lines(lead)[0].title == "lead.teleported"


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("talks", [("Move undone", "From Talks to Open"), ("Moved to another stage", "From Open to Talks")]),
        ("won", [("Closing undone", "Open"), ("Closed", "Won: 1,250 EUR")]),
        ("lost", [("Closing undone", "Open"), ("Closed", "Lost: Price")]),
    ],
)
def test_the_history_says_that_a_move_was_undone(people, lead, talks, stage, expected):
    stage = {**stages(), "talks": talks}[stage]
    move_on(lead, stage, actor=people.owner, lost_reason="Price", worth={"value": "1250", "currency": "EUR"})
    undo_move(lead, actor=people.owner, version=lead.version)
    assert [(line.title, line.detail) for line in lines(lead)] == expected


def test_the_history_says_that_opening_again_was_undone(people, lead):
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="Price")
    reopen_lead(lead, stages()["open"], actor=people.owner)
    undo_move(lead, actor=people.owner, version=lead.version)
    assert lines(lead)[0].title == "Opening again undone"
    assert lines(lead)[0].detail == "Lost: Price"
