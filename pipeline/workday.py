"""What waits for one person: leads to accept, to contact or late, tasks of today, and replies that nobody answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from pipeline.display import Due, age, badge_of, due_of, money
from pipeline.models import Event, Lead, Task
from pipeline.selectors import tasks_of
from pipeline.services.activity import CHANNELS
from pipeline.tasklines import TaskLine, end_of_today, task_lines

MOST: Final = 25
MOST_COMING: Final = 5
LATELY: Final = timedelta(days=30)
LONGEST_TEXT: Final = 200
_KINDS = Event.Kind
M = TypeVar("M", Lead, Event, Task)
# What somebody of ours does about a reply; the next reply takes the place of the one before. A card that is moved says
# nothing about what the lead wrote.
ANSWERS: Final = (
    *(_KINDS.CONTACTED, _KINDS.NOTED, _KINDS.TASK_ADDED, _KINDS.TASK_DONE, _KINDS.SNOOZED, _KINDS.REPLIED),
)


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One lead that waits for something."""

    uid: UUID
    title: str
    company: str
    wants: list[str]
    badge: str
    tone: str
    phone: str
    due: Due | None
    created_at: datetime
    age: str


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """What a lead said, and nobody answered yet."""

    uid: UUID
    title: str
    company: str
    phone: str
    email: str
    text: str
    channel: str
    at: datetime
    age: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines of which only the first are shown; ``more`` is how many are not."""

    lines: list[WorkLine] | list[ReplyLine] | list[TaskLine]
    more: int


@dataclass(frozen=True, slots=True)
class Workday:
    """Everything that waits. ``promised``: what is accepted and has time left; ``coming``: the tasks after today that
    come first."""

    accept: Shown
    late: Shown
    promised: Shown
    tasks: Shown
    coming: list[TaskLine]
    replies: Shown

    @property
    def nothing(self) -> bool:
        return not any(part.lines for part in (self.accept, self.late, self.promised, self.tasks, self.replies))


def build_workday(user: User, now: datetime) -> Workday:
    """What waits for a user; a fixed number of queries."""
    mine = Lead.objects.filter(owner=user, closed_at=None, archived_at=None).select_related("stage")
    new = mine.filter(accepted_at=None, first_contacted_at=None)
    accepted = mine.filter(snoozed_until=None).exclude(accepted_at=None, first_contacted_at=None)
    return Workday(
        accept=_work(new.order_by(F("respond_by").asc(nulls_last=True), "created_at", "pk"), now),
        late=_work(accepted.filter(respond_by__lte=now).order_by("respond_by", "pk"), now),
        promised=_work(accepted.filter(respond_by__gt=now).order_by("respond_by", "pk"), now),
        tasks=_todays(user, now),
        coming=_coming(user, now),
        replies=_replies(user, now),
    )


def _work(leads: QuerySet[Lead], now: datetime) -> Shown:
    found, more = _first(leads)
    return Shown([_work_line(lead, now) for lead in found], more)


def _first(rows: QuerySet[M]) -> tuple[list[M], int]:
    """The first rows and how many more there are, which is counted only when there are any."""
    found = list(rows[: MOST + 1])
    return found[:MOST], rows.count() - MOST if len(found) > MOST else 0


def _work_line(lead: Lead, now: datetime) -> WorkLine:
    badge, tone = badge_of(lead)
    return WorkLine(
        uid=lead.uid,
        title=str(lead),
        company=lead.company if lead.name else "",
        wants=list(filter(None, (lead.product, money(lead.value, lead.currency)))),
        badge=badge,
        tone=tone,
        phone=lead.phone,
        due=due_of(lead.respond_by, now) if lead.respond_by else None,
        created_at=lead.created_at,
        age=age(lead.created_at, now),
    )


def _todays(user: User, now: datetime) -> Shown:
    """The tasks of the reader's today, and those that should have been done before."""
    due = tasks_of(user).filter(due_at__lt=end_of_today(now)).select_related("lead", "assignee")
    found, more = _first(due)
    return Shown(task_lines(found, now), more)


def _coming(user: User, now: datetime) -> list[TaskLine]:
    later = tasks_of(user).filter(due_at__gte=end_of_today(now)).select_related("lead", "assignee")
    return task_lines(later[:MOST_COMING], now)


def _replies(user: User, now: datetime) -> Shown:
    found, more = _first(unanswered(user, now))
    return Shown([_reply_line(event, event.lead, now) for event in found], more)


def unanswered(user: User, now: datetime) -> QuerySet[Event]:
    """The latest reply of each lead that a user has, when nobody did anything about it since; the newest first."""
    after = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    # The closing that holds is an answer when it was the reader's own.
    closed = Q(kind=_KINDS.CLOSED, actor=user, at__gte=F("lead__closed_at"), data__undone__isnull=True)
    answered = Event.objects.filter(after, Q(kind__in=ANSWERS) | closed, lead=OuterRef("lead"))
    mine = Event.objects.filter(kind=_KINDS.REPLIED, at__gte=now - LATELY, lead__owner=user, lead__archived_at=None)
    return mine.exclude(Exists(answered)).select_related("lead").order_by("-at", "-pk")


def _reply_line(event: Event, lead: Lead, now: datetime) -> ReplyLine:
    channel = str(event.data.get("channel", ""))
    text = str(event.data.get("text") or "")
    return ReplyLine(
        uid=lead.uid,
        title=str(lead),
        company=lead.company if lead.name else "",
        phone=lead.phone,
        email=lead.email,
        text=f"{text[:LONGEST_TEXT]}…" if len(text) > LONGEST_TEXT else text,
        channel=CHANNELS.get(channel, channel),
        at=event.at,
        age=age(event.at, now),
    )
