"""What is to be done for a lead, by when, and who is reminded of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from leadcrm.lib.text import clean
from pipeline.display import person
from pipeline.errors import BadWish
from pipeline.models import Event, Lead, Stage, Task
from pipeline.services.activity import lock_lead, touch
from pipeline.services.events import record

LONGEST_TEXT: Final = 200
LONGEST_WAIT: Final = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class TaskTerms:
    """What a task asks for. ``assignee``: None for whoever has the lead. ``remind``: how long before it is due
    somebody is told; None for no reminder."""

    text: str
    due_at: datetime
    assignee: User | None = None
    remind: timedelta | None = timedelta(0)


def add_task(lead: Lead, terms: TaskTerms, *, actor: User | None, now: datetime | None = None) -> Task:
    """Note something to do for a lead.

    Raises:
        BadWish: no text, or a moment that has passed or lies more than two years ahead.
    """
    columns = _columns(terms, now or timezone.now())
    with transaction.atomic():
        lock_lead(lead)
        task = Task.objects.create(lead=lead, created_by=actor, **columns)
        _tell(task, Event.Kind.TASK_ADDED, actor)
    return task


def change_task(task: Task, terms: TaskTerms, *, actor: User | None, now: datetime | None = None) -> bool:
    """Change what an open task asks for; somebody is reminded of it again. False when it has ended.

    Raises:
        BadWish: like :func:`add_task`.
    """
    columns = _columns(terms, now or timezone.now())
    with transaction.atomic():
        lock_lead(task.lead)
        if not Task.objects.filter(pk=task.pk, ended_at=None).update(**columns):
            return False
        task.refresh_from_db()
        _tell(task, Event.Kind.TASK_CHANGED, actor)
    return True


def finish_task(task: Task, *, actor: User | None, now: datetime | None = None) -> bool:
    """Say that a task is done; False when it had ended before."""
    return _end(task, Task.End.DONE, Event.Kind.TASK_DONE, actor, now)


def drop_task(task: Task, *, actor: User | None, now: datetime | None = None) -> bool:
    """Say that a task need not be done any more; False when it had ended before."""
    return _end(task, Task.End.DROPPED, Event.Kind.TASK_DROPPED, actor, now)


def _columns(terms: TaskTerms, now: datetime) -> dict[str, Any]:
    text = clean(terms.text)
    if not text:
        raise BadWish("text", "Say what is to be done, such as 'Call again'.")
    if len(text) > LONGEST_TEXT:
        raise BadWish("text", f"Use at most {LONGEST_TEXT} characters; a note has room for more.")
    if not now < terms.due_at <= now + LONGEST_WAIT:
        raise BadWish("due_at", "Give a moment that is still to come, within two years.")
    remind_at = None if terms.remind is None else max(terms.due_at - terms.remind, now)
    return {"text": text, "due_at": terms.due_at, "assignee": terms.assignee, "remind_at": remind_at}


def _end(task: Task, end: Task.End, kind: Event.Kind, actor: User | None, now: datetime | None) -> bool:
    now = now or timezone.now()
    with transaction.atomic():
        lock_lead(task.lead)
        still_open = Task.objects.filter(pk=task.pk, ended_at=None)
        if not still_open.update(ended_at=now, end=end, ended_by=actor, remind_at=None):
            return False
        _tell(task, kind, actor)
    return True


def _tell(task: Task, kind: Event.Kind, actor: User | None) -> None:
    record(task.lead, kind, actor=actor, **_story(task))
    touch(task.lead, actor)


def _story(task: Task) -> dict[str, Any]:
    """What the history needs to know of a task."""
    due = {"task": task.pk, "text": task.text, "due": task.due_at.isoformat()}
    return {**due, "who": person(task.assignee)} if task.assignee else due


# --- Reminders -----------------------------------------------------------------------------------


def remind_due(limit: int = 500, *, now: datetime | None = None) -> int:
    """Remind of the tasks whose time has come, the longest overdue first. Returns how many somebody is told of."""
    now = now or timezone.now()
    due = Task.objects.filter(remind_at__lte=now).order_by("remind_at", "pk")
    return sum(_remind(task, now) for task in due.select_related("lead__stage", "assignee")[:limit])


def _remind(task: Task, now: datetime) -> bool:
    """Nobody is reminded of a lead that was lost or put out of sight, or twice of one task."""
    with transaction.atomic():
        if not Task.objects.filter(pk=task.pk, remind_at=task.remind_at).update(remind_at=None):
            return False
        lead = task.lead
        if lead.archived_at or lead.stage.kind == Stage.Kind.LOST:
            return False
        told = task.assignee_id or lead.owner_id
        data = {**_story(task), "tell": [told] if told else []}
        Event.objects.create(lead=lead, kind=Event.Kind.TASK_DUE, at=now, data=data)
    return True
