"""Whose reason has vanished between planning and sending is held back, kind by kind; everything else goes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from distribution.models import Offer, Rep, SLAClock
from notifications.kinds import KINDS
from notifications.models import ContactAddress, Notification
from notifications.services import deliver, fan_out
from notifications.services.optouts import stop
from pipeline.models import Consent, Event, Lead, Task
from pipeline.services.activity import record_contact
from pipeline.services.tasks import TaskTerms, add_task, change_task, drop_task, finish_task, remind_due
from tests.distribution.promises import make_policy
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW, Recorder, channels, queued
from tests.notifications.sequences import make_sequence

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
PHONE = "+4915112345678"
TO_LEADS = ("first_response", "first_response_held", "follow_up")


@pytest.fixture
def channel(clock):
    recorder = Recorder()
    with channels(recorder):
        yield recorder


@pytest.fixture
def ann(channel):
    return reachable("Ann")


def reachable(name):
    rep = make_rep(name)
    ContactAddress.objects.create(user=rep.user, channel="recorder", address=f"{name}@recorder", verified_at=NOW)
    return rep


# --- What happens between planning and sending ----------------------------------------------------


def nothing(lead, rep):
    pass


def change(**columns):
    def made(lead, rep):
        Lead.objects.filter(pk=lead.pk).update(**columns)

    return made


closed = change(closed_at=NOW)
archived = change(archived_at=NOW)
contacted = change(first_contacted_at=NOW)
snoozed = change(snoozed_until=NOW + HOUR)
routed_again = change(routing_state="unassigned", owner=None)


def reassigned(lead, rep):
    Lead.objects.filter(pk=lead.pk).update(owner=make_rep("Somebody else").user, routing_state="assigned")


def theirs(lead, rep):
    Lead.objects.filter(pk=lead.pk).update(owner=rep.user, routing_state="assigned")


def stop_clock(outcome):
    def made(lead, rep):
        SLAClock.objects.filter(lead=lead).update(stopped_at=NOW, outcome=outcome)

    return made


kept, ended, late = map(stop_clock, ("kept", "ended", "late"))


def offer_ended(lead, rep):
    Offer.objects.filter(lead=lead).update(ended_at=NOW, end="withdrawn")


def back(lead, rep):
    Rep.objects.filter(pk=rep.pk).update(status="available")


CLOSED, ARCHIVED, OTHERS = "The lead is closed.", "The lead is archived.", "The lead is with somebody else by now."
FREE, ANSWERED = "The lead is no longer up for claim.", "The lead was answered meanwhile."
OVER = "The promise was kept meanwhile, or is no longer asked for."
AGAIN = "The lead is with them again."
WITH_OWNER = {closed: CLOSED, archived: ARCHIVED, reassigned: OTHERS, routed_again: OTHERS, contacted: ""}
PROMISE = {closed: ANSWERED, contacted: ANSWERED, archived: ARCHIVED, kept: OVER, ended: OVER, late: OVER}
PROMISE |= {snoozed: "The lead is snoozed.", nothing: ""}
ALWAYS = {closed: "", archived: "", reassigned: "", contacted: "", kept: "", ended: ""}

# For each kind: what happened, and why the message is held back then; "" where it goes all the same.
TO_US = {
    "assigned": WITH_OWNER,
    "reassigned_away": {theirs: AGAIN, reassigned: "", closed: ""},
    "lent": WITH_OWNER,
    "given_back": WITH_OWNER,
    "offered": {offer_ended: FREE, closed: CLOSED, archived: ARCHIVED, reassigned: FREE, nothing: ""},
    "claimed_by_other": {theirs: AGAIN, reassigned: "", closed: ""},
    "reminder": PROMISE | {reassigned: OTHERS},
    "warning": PROMISE | {reassigned: OTHERS},
    "broken": {kept: "The promise was kept after all.", late: "", closed: "", contacted: "", reassigned: ""},
    "set_away": {back: "Ann is back by now.", nothing: "", closed: ""},
    "escalated": PROMISE | {reassigned: ""},
    "woken": WITH_OWNER | {snoozed: "The lead is snoozed again."},
    "held": {closed: CLOSED, archived: ARCHIVED, reassigned: "The lead no longer waits.", nothing: ""},
    "returned": ALWAYS,
    "reply": ALWAYS,
    "consent": ALWAYS,
    "mention": ALWAYS,
    "step_failed": ALWAYS,
    "weekly_audit": ALWAYS,
    "source_quiet": ALWAYS,
    "delivery_failing": ALWAYS,
}


def test_every_kind_is_asked_about():
    """Those of tasks and to leads stand below."""
    assert {*TO_US, "task_due", *TO_LEADS} == {*KINDS}


def planned(kind, rep):
    """A lead that gives reason for a message of this kind, and the message."""
    lead = make_lead(**_standing(kind, rep))
    if kind == "offered":
        Offer.objects.create(lead=lead, rep=rep, offered_at=NOW)
    if kind == "set_away":
        Rep.objects.filter(pk=rep.pk).update(status="away")
    clock = SLAClock.objects.create(
        kind="lead", lead=lead, rep=rep, policy=make_policy(), span=HOUR, working=False, max_hops=3, ladder=[],
        started_at=NOW, counted_from=NOW, used=timedelta(),
    )  # fmt: skip
    data = {"clock_id": clock.pk, "user": rep.user_id, "sentence": "Look at this."}
    event = Event.objects.create(lead=lead, kind=Event.Kind.NOTED, at=NOW, data=data)
    return lead, queued(rep.user, kind=kind, lead=lead, event=event)


def _standing(kind, rep):
    if kind == "offered":
        return {"routing_state": "claimable"}
    if kind == "held":
        return {"routing_state": "held"}
    return {"owner": None if kind in ("reassigned_away", "claimed_by_other") else rep.user} | (
        {} if kind in ("reassigned_away", "claimed_by_other") else {"routing_state": "assigned"}
    )


@pytest.mark.parametrize(
    ("kind", "happens", "why"),
    [
        pytest.param(kind, happens, why, id=f"{kind}-{number}")
        for kind, cases in TO_US.items()
        for number, (happens, why) in enumerate(cases.items())
    ],
)
def test_a_message_to_somebody_of_ours(channel, ann, kind, happens, why):
    lead, row = planned(kind, ann)
    happens(lead, ann)
    deliver("recorder")
    row.refresh_from_db()
    assert (row.state, row.reason) == (("suppressed", why) if why else ("sent", ""))
    assert len(channel.seen) == (not why)


# --- Tasks ---------------------------------------------------------------------------------------

SOONER = timedelta(minutes=10)


def put_off(task, rep):
    change_task(task, TaskTerms(task.text, task.due_at + HOUR, task.assignee, SOONER), actor=None)


def pass_on(task, rep):
    change_task(task, TaskTerms(task.text, task.due_at, make_rep("Ben").user, SOONER), actor=None)


def finish(task, rep):
    finish_task(task, actor=rep.user)


def drop(task, rep):
    drop_task(task, actor=rep.user)


def delete(task, rep):
    Task.objects.filter(pk=task.pk).delete()


def archive_lead(task, rep):
    archived(task.lead, rep)


def win(task, rep):
    """Something may be left to do for a lead that was won."""
    closed(task.lead, rep)


def give_lead_away(task, rep):
    """Nobody else is reminded of it."""
    reassigned(task.lead, rep)


DONE = "The task was done meanwhile, or need not be done."


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (nothing, ""), (finish, DONE), (drop, DONE), (delete, DONE), (put_off, "The task was put off."),
        (pass_on, "The task is somebody else's by now."), (archive_lead, ARCHIVED), (win, ""), (give_lead_away, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("named", [True, False])
def test_the_reminder_of_a_task(ann, clock, named, happens, why):
    lead = make_lead(owner=ann.user, routing_state="assigned")
    terms = TaskTerms("Call again", NOW + HOUR, ann.user if named else None, SOONER)
    task = add_task(lead, terms, actor=ann.user)
    clock.move_to(NOW + HOUR - SOONER)
    assert remind_due() == 1
    fan_out()
    happens(task, ann)
    deliver("in_app")
    row = Notification.objects.get(kind="task_due", channel="in_app", user=ann.user)
    assert (row.state in ("sent", "delivered"), row.reason) == (not why, why)


def test_a_task_that_was_put_off_is_reminded_of_anew(ann, clock):
    lead = make_lead(owner=ann.user, routing_state="assigned")
    task = add_task(lead, TaskTerms("Call again", NOW + HOUR, None, SOONER), actor=ann.user)
    clock.move_to(NOW + HOUR - SOONER)
    remind_due()
    fan_out()
    put_off(task, ann)
    clock.move_to(NOW + 2 * HOUR)
    assert remind_due() == 1
    fan_out()
    deliver("in_app")
    rows = Notification.objects.filter(kind="task_due", channel="in_app").order_by("pk")
    assert [row.state in ("sent", "delivered") for row in rows] == [False, True]


# --- To leads ------------------------------------------------------------------------------------


def contact(lead, rep):
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=rep.user)


def reply(lead, rep):
    Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, at=timezone.now(), data={"channel": "sms"})


def opt_out(lead, rep):
    stop("sms", PHONE, words="STOP", origin="a text message", now=NOW)


def refuse(lead, rep):
    Consent.objects.create(lead=lead, channel="sms", granted=False, at=NOW)


def no_number(lead, rep):
    Lead.objects.filter(pk=lead.pk).update(phone="")


def promise_stopped(lead, rep):
    """What we promise each other does not change what the lead was promised."""
    stop_clock("ended")(lead, rep)


GOES = ""
OF_LEADS = {
    nothing: GOES, closed: CLOSED, archived: ARCHIVED, contact: "The sequence ended: contacted.",
    reply: "The sequence ended: replied.", opt_out: "The sequence ended: stopped.",
    refuse: "Consent for this channel was refused or taken back.",
    no_number: "There is no verified address for Recorder.",
    reassigned: GOES, promise_stopped: GOES,
}  # fmt: skip


@pytest.mark.parametrize("kind", TO_LEADS)
@pytest.mark.parametrize(("happens", "why"), OF_LEADS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_message_to_a_lead(sms, ann, kind, happens, why):
    lead, row = to_lead(kind, ann)
    happens(lead, ann)
    deliver("sms")
    row.refresh_from_db()
    assert (row.state in ("suppressed", "failed"), row.reason) == (bool(why), why)
    assert len(sms.seen) == (not why)


def test_that_a_lead_waits_is_not_told_when_somebody_has_it(sms, ann):
    lead, row = to_lead("first_response_held", ann)
    lead.refresh_from_db()
    theirs(lead, ann)
    Event.objects.create(lead=lead, kind=Event.Kind.ASSIGNED, at=NOW, data={"user": ann.user_id})
    fan_out()
    deliver("sms")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("suppressed", "The sequence ended: assigned.")


def to_lead(kind, rep):
    """A message to a lead, as its sequence made it; the last one of its sequence."""
    start = "held" if kind == "first_response_held" else "assigned"
    standing = {"routing_state": "held"} if start == "held" else {"owner": rep.user, "routing_state": "assigned"}
    lead = make_lead(phone=PHONE, time_zone="Europe/Berlin", **standing)
    Consent.objects.create(lead=lead, channel="sms", granted=True, at=NOW - HOUR)
    run = make_sequence(0, kind=kind, start=start).runs.create(lead=lead, started_at=NOW, ended_at=NOW, end="done")
    row = Notification.objects.create(
        lead=lead, run=run, kind=kind, channel="sms", key=f"sequence:{run.pk}:0", next_at=NOW
    )
    return lead, row
