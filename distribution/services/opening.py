"""The clocks that a decision about a lead starts, and the lead's own one as it goes on.

Everything here runs in the caller's transaction, which has locked the lead. Clocks are locked after it and by id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from distribution.compiling import World
from distribution.models import ClockKind, Decision, SLAClock
from distribution.promises import Policy
from distribution.services.clockrows import (
    RUNNING,
    HoursOf,
    build_clocks,
    earliest,
    hours_by_rep,
    lock_clocks,
    move_clock,
)
from leadcrm.lib.bulk import update_each
from leadcrm.lib.prepared import Each, Prepared
from pipeline.models import Lead


class ClockChanged(Exception):
    """A step of the lead's own clock was taken meanwhile: roll back and decide again."""


@dataclass(frozen=True, slots=True)
class Routed:
    """A lead that is being decided about: who gets it (None: nobody), under which policy.

    ``since``: from when its own clock counts, if this is what starts it.
    """

    lead: Lead
    policy: Policy | None
    rep_id: int | None
    since: datetime


@dataclass(slots=True)
class Opening:
    """The clocks that a decision starts, not stored yet, and the lead's own one as it goes on."""

    started: list[SLAClock] = field(default_factory=list)
    going_on: SLAClock | None = None

    @property
    def respond_by(self) -> datetime | None:
        return earliest([*self.started, *([self.going_on] if self.going_on else [])])


def open_clocks(routed: Sequence[Routed], world: World, now: datetime) -> dict[int, Opening]:
    """The clocks that decisions about leads start, by lead. Reads nothing where no promise can run."""
    owns = _own_clocks([one.lead for one in routed], any_promise=bool(world.policies.policies))
    hours = _hours_to_start(routed, owns, world, now)
    return {one.lead.pk: _opening(one, owns, hours, now) for one in routed}


def _hours_to_start(
    routed: Sequence[Routed], owns: Mapping[int, SLAClock | None], world: World, now: datetime
) -> HoursOf:
    counting = {one.rep_id for one in routed if one.policy and one.policy.working}
    moving = [row for row in owns.values() if row and row.working]
    if not counting and not moving:
        return {}
    since = min(now, *(one.since for one in routed), *(row.counted_from for row in moving))
    counting |= {one.rep_id for one in routed if moving} | {row.rep_id for row in moving}
    return hours_by_rep(counting, since, world.timetable)


def _opening(one: Routed, owns: Mapping[int, SLAClock | None], hours: HoursOf, now: datetime) -> Opening:
    opening = Opening()
    if one.policy is not None and one.rep_id is not None:
        kinds = (ClockKind.ACCEPT, ClockKind.CONTACT)
        opening.started = build_clocks(one.lead, one.policy, kinds, one.rep_id, hours, now)
    own = owns.get(one.lead.pk)
    if own is not None:
        opening.going_on = own
        move_clock(own, one.rep_id, hours, now)
    elif one.policy is not None and one.lead.pk not in owns and one.lead.first_contacted_at is None:
        opening.started += build_clocks(one.lead, one.policy, (ClockKind.LEAD,), one.rep_id, hours, now, one.since)
    return opening


_OWN: Final = Prepared(
    lambda: SLAClock.objects.filter(RUNNING, lead__in=Each("leads", int), kind=ClockKind.LEAD).order_by()
)


def _own_clocks(leads: Sequence[Lead], *, any_promise: bool) -> dict[int, SLAClock | None]:
    """The lead's own clock, by lead: running; None for one that can have none any more; absent before the first
    decision, when it may start."""
    known = [lead for lead in leads if lead.attempts]
    if not known or not (any_promise or any(lead.respond_by for lead in known)):
        return {}
    found: dict[int, SLAClock | None] = {row.lead_id: row for row in _OWN.rows(leads=[lead.pk for lead in known])}
    rest = [lead for lead in known if lead.pk not in found]
    # Who had an owner was decided about; of the others some only failed so far.
    had_none = [lead.pk for lead in rest if lead.assigned_at is None]
    decided = Decision.objects.filter(lead__in=had_none).values_list("lead", flat=True) if had_none else ()
    return found | dict.fromkeys(lead.pk for lead in rest if lead.assigned_at) | dict.fromkeys(decided)


def write_moved(openings: Iterable[Opening]) -> None:
    """Store where the own clocks of leads went on. Before reps are locked.

    Raises:
        ClockChanged: one of them took a step or stopped meanwhile.
    """
    rows = [opening.going_on for opening in openings if opening.going_on is not None]
    if len(rows) > 1:
        # One update may lock its rows in any order.
        lock_clocks(row.pk for row in rows)
    values = [{name: getattr(row, name) for name in _MOVED} for row in rows]
    # The step is asked for, so that none is taken twice.
    changed = update_each(SLAClock, values, match=("id", "next_step"), where="t.stopped_at IS NULL")
    if len(changed) < len(rows):
        raise ClockChanged


_MOVED: Final = (
    "id", "next_step", "counted_from", "used", "due_at", "next_at", "rep_id", "stale", "leased_until",
)  # fmt: skip


def write_started(openings: Iterable[tuple[Opening, int | None]]) -> None:
    """Store the clocks that decisions started with the ids of their assignments, in one statement."""
    rows = []
    for opening, assignment_id in openings:
        for row in opening.started:
            row.assignment_id = None if row.kind == ClockKind.LEAD else assignment_id
            rows.append(row)
    if rows:
        SLAClock.objects.bulk_create(rows, batch_size=500)
