"""What is promised to a lead and what comes next, as values ready to show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from distribution.models import ClockKind, SLAClock
from distribution.plan import PlanLine, plan_of
from pipeline.display import Due, due_of
from pipeline.models import Lead

MOST_PROMISES: Final = 20

_PROMISES: Final = {
    ClockKind.ACCEPT: "To accept it",
    ClockKind.CONTACT: "To reach out",
    ClockKind.IDLE: "To go on with it",
    ClockKind.LEAD: "To answer the lead",
}


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise. ``due``: while it runs; ``state``: in words, when it does not."""

    words: str
    owner: str
    due: Due | None
    state: str
    bad: bool


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What runs, what ended, and what comes next; ``open``: something may still come."""

    running: list[Promise]
    past: list[Promise]
    ahead: list[PlanLine]
    open: bool


def build_plan_page(lead: Lead, now: datetime) -> PlanPage:
    """The promises of a lead, the latest of the past ones, and the plan ahead."""
    rows = SLAClock.objects.filter(lead=lead).select_related("rep")
    running = rows.filter(stopped_at=None).order_by("due_at", "pk")
    past = rows.exclude(stopped_at=None).order_by("-stopped_at", "-pk")[:MOST_PROMISES]
    return PlanPage(
        running=[_promise(row, now) for row in running],
        past=[_promise(row, now) for row in past],
        ahead=plan_of(lead, now),
        open=lead.closed_at is None and lead.archived_at is None,
    )


def _promise(row: SLAClock, now: datetime) -> Promise:
    counting = row.stopped_at is None and row.paused_at is None
    return Promise(
        words=_PROMISES[ClockKind(row.kind)],
        owner=row.rep.name if row.rep else "",
        due=due_of(row.due_at, now) if counting and row.due_at else None,
        state=_state(row),
        bad=row.broken_at is not None,
    )


def _state(row: SLAClock) -> str:
    if row.stopped_at is not None:
        return "broken, and no longer asked for" if _given_up(row) else row.get_outcome_display().lower()
    if row.paused_at is not None:
        return "waits while the lead is snoozed"
    return "" if row.due_at else "never due: there is no working time ahead"


def _given_up(row: SLAClock) -> bool:
    return row.outcome == SLAClock.Outcome.ENDED and row.broken_at is not None
