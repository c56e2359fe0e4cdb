"""What taking a step is, for one clock and for many: whether it is due, that it was taken, or that it failed."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from distribution.engine import sla
from distribution.engine.sla import Rung
from distribution.models import SLAClock, StepTaken
from distribution.services.clockrows import RUNNING, clock_of, hours_for, lock_clocks, set_clock, write_times
from distribution.services.escalation import Step
from leadcrm.lib.backoff import doubled
from leadcrm.lib.transactions import retried
from pipeline.models import Event

logger = logging.getLogger(__name__)

# What the index on due clocks holds.
ACTIVE: Final = Q(stopped_at=None, paused_at=None)
_FIRST_DELAY: Final = timedelta(minutes=1)
_LONGEST_DELAY: Final = timedelta(hours=1)


def due_rung(row: SLAClock, now: datetime) -> Rung | None:
    """What a clock's next step does; None when it is not due, or nothing is left."""
    if row.next_at is None or row.next_at > now or row.next_step >= len(row.ladder):
        return None
    return sla.load_ladder(row.ladder[row.next_step :][:1])[0]


def note_taken(taken: Sequence[tuple[Step, str]], now: datetime) -> None:
    """The rows of steps, each with what came of it, and what comes next on the clocks that go on."""
    StepTaken.objects.bulk_create(_step_taken(step, result, now) for step, result in taken)
    rows = list(SLAClock.objects.filter(pk__in=[step.clock.pk for step, _ in taken]).order_by("pk"))
    hours = hours_for(row for row in rows if row.stopped_at is None)
    for row in rows:
        if row.stopped_at is None:
            set_clock(row, sla.take(clock_of(row, hours), now), now)
        else:
            row.next_step += 1
        row.failures, row.error = 0, ""
    write_times(rows)


def _step_taken(step: Step, result: str, now: datetime) -> StepTaken:
    return StepTaken(
        clock=step.clock,
        key=step.rung.key,
        action=step.rung.action,
        due_at=step.clock.next_at or now,
        at=now,
        result=result[:300],
    )


# --- Failing ---------------------------------------------------------------------------------------


def postpone(clock_id: int, error: Exception, now: datetime) -> None:
    """Try a clock again later: after 1, 2, 4 ... minutes, at most an hour. The timeline tells of the first failure."""
    logger.error("a step of clock %s failed", clock_id, exc_info=error)
    try:
        _note_failure(clock_id, f"{type(error).__name__}: {error}"[:300], now)
    except Exception:
        # It stays leased for a while and comes again.
        logger.exception("the failure of clock %s could not be noted", clock_id)


@retried
def _note_failure(clock_id: int, text: str, now: datetime) -> None:
    with transaction.atomic():
        row = SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, pk=clock_id).first()
        if row is None:
            return
        wait = doubled(_FIRST_DELAY, row.failures, _LONGEST_DELAY)
        changes: dict[str, Any] = {"failures": F("failures") + 1, "error": text, "leased_until": now + wait}
        SLAClock.objects.filter(pk=clock_id).update(**changes)
        if not row.failures:
            rung = due_rung(row, now)
            data = {"clock": row.kind, "clock_id": row.pk, "action": rung.action if rung else "", "error": text}
            data |= {"sentence": "A step of its escalation failed; it is tried again by itself."}
            Event.objects.create(lead_id=row.lead_id, kind=Event.Kind.STEP_FAILED, at=now, data=data)


def try_again(clocks: Q) -> int:
    """Leave clocks that failed to the next sweep; what was taken is not taken again. Returns how many.

    Args:
        clocks: which of them, such as ``Q(pk__in=ids)``.
    """
    failed = SLAClock.objects.filter(RUNNING, clocks, failures__gt=0)
    with transaction.atomic():
        lock_clocks(failed.values_list("pk", flat=True))
        # Worked out again as well: their calendars may have been what was wrong.
        return failed.update(failures=0, error="", leased_until=None, stale=True)
