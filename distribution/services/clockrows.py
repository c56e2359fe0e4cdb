"""Running promises as rows: how the engine reads a clock, how a policy makes one, and how all of it is written."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from distribution.compiling import live_world
from distribution.engine import sla
from distribution.engine.worktime import Hours
from distribution.hours import Timetable, hours_of_reps
from distribution.models import SLAClock
from distribution.promises import Policy
from leadcrm.lib.bulk import update_each
from leadcrm.lib.prepared import Each, Prepared
from pipeline.models import Lead

HoursOf = Mapping[int | None, Hours | None]

RUNNING: Final = Q(stopped_at=None)
# What steps and calendars change, and what everything else that happens to a clock does.
_TIMES: Final = (
    "id", "next_step", "due_at", "next_at", "broken_at", "leased_until", "failures", "error", "stale",
)  # fmt: skip
_ALL: Final = (*_TIMES, "rep_id", "counted_from", "used", "paused_at", "stopped_at", "outcome")


def clock_of(row: SLAClock, hours: HoursOf) -> sla.Clock:
    """A clock as the engine reads it."""
    state = sla.STOPPED if row.stopped_at else sla.PAUSED if row.paused_at else sla.RUNNING
    count = sla.Count(row.counted_from, row.used, hours[row.rep_id] if row.working else None)
    return sla.Clock(row.span, sla.load_ladder(row.ladder), count, state, row.next_step, row.broken_at, row.outcome)


def set_clock(row: SLAClock, clock: sla.Clock, now: datetime) -> None:
    """Put what the engine made of a clock into its row. When a promise broke stays told as it was."""
    row.counted_from, row.used = clock.count.counted_from, clock.count.used
    row.next_step, row.broken_at, row.outcome = clock.next_step, clock.broken_at, clock.outcome
    if clock.state != sla.STOPPED:  # that it waited when it ended stays told
        row.paused_at = (row.paused_at or now) if clock.state == sla.PAUSED else None
    row.stopped_at = now if clock.state == sla.STOPPED else None
    row.next_at = sla.next_at(clock)
    if clock.state != sla.STOPPED and row.broken_at is None:
        row.due_at = sla.due_at(clock)
    row.stale, row.leased_until = False, None


def hours_for(rows: Iterable[SLAClock]) -> HoursOf:
    """The hours that running clocks count by, with the leave since they began to count. At most one query."""
    counting = [row for row in rows if row.working]
    if not counting:
        return {}
    return hours_by_rep((row.rep_id for row in counting), min(row.counted_from for row in counting))


def hours_by_rep(reps: Iterable[int | None], since: datetime, timetable: Timetable | None = None) -> HoursOf:
    """The hours of reps, and under None those of a lead that nobody has: the default ones."""
    timetable = timetable or live_world().timetable
    owners = {rep for rep in reps if rep is not None}
    found = hours_of_reps(owners, timetable, since) if owners else {}
    return {None: timetable.hours(None, None, "UTC"), **{pk: found[pk] for pk in owners}}


def earliest(rows: Iterable[SLAClock]) -> datetime | None:
    """Until when somebody must do something: the first promise of those that run."""
    running = (row.due_at for row in rows if row.stopped_at is None and row.paused_at is None)
    return min((due for due in running if due is not None), default=None)


def build_clocks(
    lead: Lead,
    policy: Policy,
    kinds: Iterable[str],
    rep_id: int | None,
    hours: HoursOf,
    now: datetime,
    since: datetime | None = None,
) -> list[SLAClock]:
    """Unsaved clocks of the kinds that a policy promises, with its terms as they are now. Paused for a snoozed lead."""
    promised = [policy.promises[kind] for kind in kinds if kind in policy.promises]
    rows = [
        SLAClock(
            kind=promise.kind,
            lead_id=lead.pk,
            rep_id=rep_id,
            policy_id=policy.id,
            span=promise.span,
            working=policy.working,
            max_hops=policy.max_hops,
            ladder=sla.dump_ladder(promise.ladder),
            started_at=since or now,
            counted_from=since or now,
            used=timedelta(),
            paused_at=now if lead.snoozed_until else None,
        )
        for promise in promised
    ]
    for row in rows:
        set_clock(row, clock_of(row, hours), now)
    return rows


def move_clock(row: SLAClock, rep_id: int | None, hours: HoursOf, now: datetime) -> None:
    """Let the lead's own clock count by somebody else's hours from now on; None: by the default ones."""
    if row.rep_id != rep_id:
        moved = sla.apply(clock_of(row, hours), sla.MOVE, now, hours[rep_id] if row.working else None)
        row.rep_id = rep_id
        set_clock(row, moved, now)


def free_at(now: datetime) -> Q:
    """Clocks that no worker has, and that are not put off because something failed."""
    return Q(leased_until=None) | Q(leased_until__lte=now)


def lock_clocks(ids: Iterable[int]) -> None:
    """Lock clocks in the order of their ids, for whoever is about to change several."""
    _LOCK.rows(clocks=ids)


_LOCK: Final = Prepared(
    lambda: (
        SLAClock.objects.select_for_update(no_key=True)
        .filter(pk__in=Each("clocks", int))
        .order_by("pk")
        .values_list("pk")
    )
)


def write_times(rows: Iterable[SLAClock]) -> None:
    """Store what is due when on locked clocks, in one statement."""
    _write(rows, _TIMES)


def write_clocks(rows: Iterable[SLAClock]) -> None:
    """Store all that happened to locked clocks, in one statement."""
    _write(rows, _ALL)


def _write(rows: Iterable[SLAClock], names: Sequence[str]) -> None:
    unique = {row.pk: row for row in rows}
    values = [{name: getattr(row, name) for name in names} for row in unique.values()]
    update_each(SLAClock, values, match=("id",))
