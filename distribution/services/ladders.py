"""The sweep over promises: takes the steps that are due, each once, whatever stops in between.

A worker leases due clocks, the longest overdue first, so that several may sweep at once. Steps that only tell somebody
are taken for many clocks in one transaction; steps that change something get one each. Both lock what they change and
look again: a promise that was kept between lease and lock takes no step. A step that fails is tried again later and
stops nobody else. What a worker that died had leased comes again when the lease is over.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from distribution.engine import sla
from distribution.engine.sla import Rung
from distribution.errors import Contention
from distribution.models import Assignment, SLAClock, StepTaken
from distribution.services import clockrows, recounting
from distribution.services.assigning import Draft, draft_decision, settle
from distribution.services.escalation import HANDLERS, ROUTES, Step
from distribution.services.moving import reassign_together
from distribution.services.notices import build_notices
from distribution.services.recording import Changed
from distribution.services.stepping import ACTIVE, due_rung, note_taken, postpone
from distribution.snapshots import read_leads
from leadcrm.lib.prepared import Param, Prepared
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead
from pipeline.signals import events_stored

logger = logging.getLogger(__name__)

BATCH: Final = 100
LEASE: Final = timedelta(minutes=1)
_ROUNDS: Final = 20


def sweep_clocks(limit: int = 5000, *, now: datetime | None = None) -> int:
    """Take the steps that are due, of the longest overdue clock first. Returns how many clocks had any.

    Clocks whose calendars changed are worked out first. Each batch has a moment of its own: what the sweep took so far
    is not taken from the time that a new owner is promised, or from a lease.
    """
    _recompute_safely(now or timezone.now())
    done = 0
    while done < limit and (leased := _sweep_batch(min(BATCH, limit - done), now or timezone.now())):
        done += leased
    return done


def _sweep_batch(limit: int, now: datetime) -> int:
    leased = _lease(limit, now)
    for pk in reassign_together(_tell_safely(leased, now), now) if leased else ():
        _act_safely(pk, now)
    return len(leased)


def _recompute_safely(now: datetime) -> None:
    try:
        recounting.recompute_stale(now=now)
    except Exception:
        # They stay marked, and take no step before they are worked out; the others must not wait for them.
        logger.exception("clocks whose calendars changed could not be worked out")


def due_clocks(now: datetime) -> QuerySet[SLAClock]:
    """Clocks with a step that is due and that no worker has, the longest overdue first. Reads only their index."""
    return SLAClock.objects.filter(ACTIVE, clockrows.free_at(now), stale=False, next_at__lte=now).order_by("next_at")


@retried
def _lease(limit: int, now: datetime) -> list[int]:
    with transaction.atomic():
        rows = due_clocks(now).select_for_update(skip_locked=True, no_key=True)
        ids = [pk for _, pk in sorted(rows.values_list("next_at", "pk")[:limit])]
        if ids:
            SLAClock.objects.filter(pk__in=ids).update(leased_until=now + LEASE)
    return ids


# --- Telling ---------------------------------------------------------------------------------------


def _tell_safely(ids: Sequence[int], now: datetime) -> list[int]:
    """Take the telling steps of clocks together; when that fails, one by one. Returns those with more to do."""
    try:
        return _tell(ids, now)
    except Exception as error:
        if len(ids) == 1:
            postpone(ids[0], error, now)
            return []
        logger.exception("taking steps together failed; they are taken one by one")
    return [pk for one in ids for pk in _tell_safely([one], now)]


@retried
def _tell(ids: Sequence[int], now: datetime) -> list[int]:
    """One transaction: the steps, the lines of the timeline, and what is due next. Returns the clocks whose next step,
    due as well, does more than tell, in the order given; they stay leased."""
    with transaction.atomic():
        rows = list(_locked(ids, now).select_related("rep", "lead__team__manager"))
        hours = clockrows.hours_for(rows)
        taken = [_take_telling(row, hours, now) for row in rows]
        told = [(row, rungs) for row, rungs in zip(rows, taken, strict=True) if rungs]
        StepTaken.objects.bulk_create(_steps(told, now), batch_size=500)
        Event.objects.bulk_create((line for row, rungs in told for line in build_notices(row, rungs, now)), 500)
        clockrows.write_times(row for row, _ in told)
        if told:
            transaction.on_commit(partial(events_stored.send_robust, Lead), robust=True)
    more = {row.pk for row in rows if row.next_at is not None and row.next_at <= now}
    return [pk for pk in ids if pk in more]


def _locked(ids: Iterable[int], now: datetime) -> QuerySet[SLAClock]:
    """Those among the clocks that still have something due, locked by id."""
    due = SLAClock.objects.filter(ACTIVE, pk__in=ids, stale=False, next_at__lte=now)
    return due.order_by("pk").select_for_update(no_key=True, of=("self",))


def _take_telling(row: SLAClock, hours: clockrows.HoursOf, now: datetime) -> list[tuple[Rung, datetime]]:
    taken, after = sla.overdue(clockrows.clock_of(row, hours), now)
    if taken:
        clockrows.set_clock(row, after, now)
        row.failures, row.error = 0, ""
        if row.next_at is not None and row.next_at <= now:
            row.leased_until = now + LEASE
    return taken


def _steps(told: Iterable[tuple[SLAClock, list[tuple[Rung, datetime]]]], now: datetime) -> list[StepTaken]:
    return [
        StepTaken(clock=row, key=rung.key, action=rung.action, due_at=due, at=now)
        for row, rungs in told
        for rung, due in rungs
    ]


# --- Acting ----------------------------------------------------------------------------------------

# Each runs for every clock that acts.
_CLOCK: Final = Prepared(lambda: SLAClock.objects.filter(ACTIVE, pk=Param("clock")).order_by())
_LOCK_LEAD: Final = Prepared(lambda: Lead.objects.select_for_update(no_key=True).filter(pk=Param("lead")).order_by())
_LOCK_CLOCK: Final = Prepared(
    lambda: SLAClock.objects.select_for_update(no_key=True).filter(ACTIVE, pk=Param("clock"), stale=False).order_by()
)
_HELD: Final = Prepared(
    lambda: Assignment.objects.filter(lead=Param("lead"), ended_at=None).select_related("rep__user").order_by()
)


def _act_safely(clock_id: int, now: datetime) -> None:
    try:
        _act(clock_id, now)
    except Exception as error:
        postpone(clock_id, error, now)


def _act(clock_id: int, now: datetime) -> None:
    for _ in range(_ROUNDS):
        try:
            return _act_once(clock_id, now)
        except Changed:
            continue
    raise Contention("The lead or its pool kept changing; it is tried again by itself.")


@retried
def _act_once(clock_id: int, now: datetime) -> None:
    """One transaction: what the next step does, its row, its line of the timeline."""
    found = _CLOCK.first(clock=clock_id)
    rung = due_rung(found, now) if found is not None else None
    if found is None or rung is None or sla.only_tells(rung):
        return
    draft = _draft(found.lead_id, found.rep_id, now) if rung.action in ROUTES else None
    with transaction.atomic():
        settled = settle(draft) if draft else None
        step = _lock_step(found, rung, settled, now)
        if step is not None:
            result = HANDLERS[rung.action](step)
            note_taken([(step, result)], now)


def _draft(lead_id: int, owner_id: int | None, now: datetime) -> Draft | None:
    """Where the lead would go without its owner; None when it has none."""
    if owner_id is None:
        return None
    lead = next(iter(read_leads([lead_id])), None)
    if lead is None or lead.closed_at is not None or lead.archived_at is not None:
        return None
    return draft_decision(lead, now, {owner_id})


def _lock_step(found: SLAClock, rung: Rung, draft: Draft | None, now: datetime) -> Step | None:
    """The step, its lead and its clock locked; None when the promise was kept meanwhile or the step was taken."""
    lead = _LOCK_LEAD.first(lead=found.lead_id)
    clock = _LOCK_CLOCK.first(clock=found.pk)
    if lead is None or clock is None or clock.next_step != found.next_step or due_rung(clock, now) is None:
        return None
    return Step(lead, clock, _HELD.first(lead=lead.pk), rung, now, draft)
