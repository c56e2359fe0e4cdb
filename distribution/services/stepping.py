"""What taking a step is, for one clock and for many: whether it is due, and that it was taken."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import Q

from distribution.engine import sla
from distribution.engine.sla import Rung
from distribution.models import SLAClock, StepTaken
from distribution.services.clockrows import clock_of, hours_for, set_clock, write_times
from distribution.services.escalation import Step

# What the index on due clocks holds.
ACTIVE: Final = Q(stopped_at=None, paused_at=None)


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
