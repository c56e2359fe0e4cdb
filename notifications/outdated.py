"""Why a message to somebody of ours need not be sent any more: asked right before it goes, of its lead as it is then.

Empty means that it must go. What tells of something that stays true, and of a lead's own words, always goes.
"""

from typing import Any

from django.utils import timezone

from distribution.models import Rep, SLAClock
from distribution.services.taking import offers_to_user
from notifications.models import Notification
from pipeline.models import Lead, Task


def never(row: Notification) -> str:
    return ""


def out_of_sight(row: Notification) -> str:
    lead = _lead(row)
    if lead.archived_at:
        return "The lead is archived."
    return "The lead is closed." if lead.closed_at else ""


def not_theirs(row: Notification) -> str:
    """For who is told because the lead is with them."""
    return out_of_sight(row) or ("" if _has_it(row) else "The lead is with somebody else by now.")


def theirs_again(row: Notification) -> str:
    """For who is told that the lead is with somebody else."""
    return "The lead is with them again." if _has_it(row) else ""


def not_theirs_or_snoozed(row: Notification) -> str:
    return not_theirs(row) or ("The lead is snoozed again." if _lead(row).snoozed_until else "")


def not_free(row: Notification) -> str:
    """For who may take the lead."""
    free = row.user is not None and offers_to_user(row.user).filter(lead=row.lead_id).exists()
    return out_of_sight(row) or ("" if free else "The lead is no longer up for claim.")


def not_waiting(row: Notification) -> str:
    waits = _lead(row).routing_state == Lead.RoutingState.HELD
    return out_of_sight(row) or ("" if waits else "The lead no longer waits.")


def promise_over(row: Notification) -> str:
    """For who is told of a promise that is still to be kept."""
    if _lead(row).closed_at or _lead(row).first_contacted_at:
        return "The lead was answered meanwhile."
    if _lead(row).snoozed_until:
        return "The lead is snoozed."
    clock = _clock(row)
    over = clock is not None and clock.stopped_at is not None
    return out_of_sight(row) or ("The promise was kept meanwhile, or is no longer asked for." if over else "")


def promise_over_or_not_theirs(row: Notification) -> str:
    return promise_over(row) or not_theirs(row)


def kept_after_all(row: Notification) -> str:
    """A promise turns out to be kept when it is noted only afterwards what was done in time."""
    clock = _clock(row)
    return "The promise was kept after all." if clock is not None and clock.outcome == SLAClock.Outcome.KEPT else ""


def back_again(row: Notification) -> str:
    """For who is told that somebody was set away."""
    rep = Rep.objects.filter(user=_said(row, "user")).first()
    return f"{rep.name} is back by now." if rep is not None and not rep.is_away(timezone.now()) else ""


def task_over(row: Notification) -> str:
    """Who is to do it as well: a task that was put off, or given to somebody else, has a reminder of its own again."""
    task = Task.objects.filter(pk=_said(row, "task")).first()
    if task is None or task.ended_at:
        return "The task was done meanwhile, or need not be done."
    if task.due_at.isoformat() != _said(row, "due"):
        return "The task was put off."
    if task.assignee_id not in (None, row.user_id):
        return "The task is somebody else's by now."
    return "The lead is archived." if _lead(row).archived_at else ""


def _lead(row: Notification) -> Lead:
    if row.lead is None:
        raise ValueError("asked of a message about no lead")
    return row.lead


def _has_it(row: Notification) -> bool:
    return _lead(row).owner_id == row.user_id


def _said(row: Notification, name: str) -> Any:
    return row.event.data.get(name) if row.event else None


def _clock(row: Notification) -> SLAClock | None:
    return SLAClock.objects.filter(pk=_said(row, "clock_id")).first()
