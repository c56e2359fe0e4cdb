"""Tasks as lines ready to show, and the moments that people put them off to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.utils.timezone import localtime, make_aware

from pipeline.display import Due, due_of, person
from pipeline.models import Lead, Task

MORNING: Final = time(9)
# What is put off is put off until then: its key, and in how many days.
SOON: Final = {"tomorrow": 1, "in-3-days": 3, "next-week": 7}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One open task. ``who``: the person it names, empty for whoever has the lead."""

    id: int
    text: str
    due: Due
    who: str
    lead: UUID
    title: str
    company: str
    phone: str


def task_lines(tasks: Iterable[Task], now: datetime) -> list[TaskLine]:
    """Tasks that were read with their lead and assignee."""
    return [_line(task, task.lead, now) for task in tasks]


def _line(task: Task, lead: Lead, now: datetime) -> TaskLine:
    return TaskLine(
        id=task.pk,
        text=task.text,
        due=due_of(task.due_at, now),
        who=person(task.assignee) if task.assignee else "",
        lead=lead.uid,
        title=str(lead),
        company=lead.company if lead.name else "",
        phone=lead.phone,
    )


def morning_in(days: int, now: datetime) -> datetime:
    """Nine o'clock so many days from now, in the reader's zone."""
    return make_aware(datetime.combine(localtime(now).date() + timedelta(days=days), MORNING))


def end_of_today(now: datetime) -> datetime:
    """The midnight that ends the reader's day."""
    return make_aware(datetime.combine(localtime(now).date() + timedelta(days=1), time(0)))


@dataclass(frozen=True, slots=True)
class Soon:
    """One thing that may come next: when, in a word, and the moment."""

    key: str
    words: str
    at: datetime


def soon(now: datetime) -> list[Soon]:
    """When to call again, or until when a lead may rest."""
    words = {1: "tomorrow", 3: "in 3 days", 7: "next week"}
    return [Soon(key, words[days], morning_in(days, now)) for key, days in SOON.items()]
