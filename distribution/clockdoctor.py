"""Checks of the promises that run, for ``manage.py doctor``."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from distribution.engine.moments import utc_text
from distribution.models import ClockKind, SLAClock
from leadcrm.lib.beat import interval_of
from leadcrm.lib.doctor import Violation, check

SWEEP: Final = "distribution.tasks.escalate_due"
EVERY: Final = timedelta(seconds=15)


def _told(code: str, rows: QuerySet[SLAClock], sentence: str) -> Iterator[Violation]:
    for row in rows.select_related("lead", "rep").order_by("pk").iterator():
        yield Violation(code, f"lead {row.lead.uid}", f"Its clock {row.pk} ({row.get_kind_display()}) {sentence}")


@check("running-clocks")
def running_clocks() -> Iterator[Violation]:
    """Every running clock is of an open lead and counts for the one who has it now."""
    running = SLAClock.objects.filter(stopped_at=None)
    shut = Q(lead__closed_at__isnull=False) | Q(lead__archived_at__isnull=False)
    yield from _told("running-clocks", running.filter(shut), "runs although the lead is closed or archived.")
    ended = running.filter(assignment__ended_at__isnull=False)
    yield from _told("running-clocks", ended, "runs although its owner no longer has the lead.")
    own = running.filter(~shut, kind=ClockKind.LEAD)
    strayed = own.exclude(rep__user=F("lead__owner")).exclude(rep=None, lead__owner=None)
    yield from _told("running-clocks", strayed, "counts for somebody who does not have the lead.")


@check("accepted-clocks")
def accepted_clocks() -> Iterator[Violation]:
    """No lead that was accepted is still waited for to be accepted."""
    waiting = SLAClock.objects.filter(stopped_at=None, kind=ClockKind.ACCEPT, lead__accepted_at__isnull=False)
    yield from _told("accepted-clocks", waiting, "still waits for the lead to be accepted, which it was.")


@check("kept-clocks")
def kept_clocks() -> Iterator[Violation]:
    """No promise counts as kept that was kept after it was due."""
    late = SLAClock.objects.filter(outcome=SLAClock.Outcome.KEPT, stopped_at__gt=F("due_at"))
    yield from _told("kept-clocks", late, "counts as kept although it was late.")


@check("due-clocks")
def due_clocks() -> Iterator[Violation]:
    """No step has been due for longer than two sweeps, but for those that failed."""
    late = timezone.now() - 2 * interval_of(SWEEP, EVERY)
    due = SLAClock.objects.filter(stopped_at=None, paused_at=None, next_at__lt=late, failures=0)
    for row in due.select_related("lead").order_by("next_at").iterator():
        since = utc_text(row.next_at) if row.next_at else "long ago"
        sentence = f"A step of its clock {row.pk} has been due since {since}: is the sweep running?"
        yield Violation("due-clocks", f"lead {row.lead.uid}", sentence)


@check("failing-clocks")
def failing_clocks() -> Iterator[Violation]:
    """Every step of a promise can be taken."""
    for row in SLAClock.objects.filter(stopped_at=None, failures__gt=0).select_related("lead").order_by("pk"):
        sentence = f"A step of its clock {row.pk} failed {row.failures} times, last with {row.error}"
        yield Violation("failing-clocks", f"lead {row.lead.uid}", sentence)
