"""Promises that run: clocks start with an assignment, stop with what was promised, and count by whoever has the lead.

Everything here runs in the caller's transaction, which has locked the lead. Clocks are locked after it and by id.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from distribution.compiling import World, live_world
from distribution.engine import sla
from distribution.engine.worktime import Hours
from distribution.hours import Timetable, hours_of_reps
from distribution.models import Assignment, ClockKind, Decision, SLAClock
from distribution.promises import Policy
from leadcrm.lib.bulk import update_each
from leadcrm.lib.prepared import Each, Param, Prepared
from leadcrm.lib.transactions import retried
from pipeline.models import Lead
from pipeline.services.standing import set_respond_by, set_respond_bys

HoursOf = Mapping[int | None, Hours | None]

# What the owner of an assignment promises; the lead's own clock is apart.
OWNED: Final = (ClockKind.ACCEPT, ClockKind.CONTACT, ClockKind.IDLE)
RUNNING: Final = Q(stopped_at=None)
_CHUNK: Final = 200
# What steps and calendars change, and what everything else that happens to a clock does.
_TIMES: Final = (
    "id", "next_step", "due_at", "next_at", "broken_at", "leased_until", "failures", "error", "stale",
)  # fmt: skip
_ALL: Final = (*_TIMES, "rep_id", "counted_from", "used", "paused_at", "stopped_at", "outcome")


class ClockChanged(Exception):
    """A step of the lead's own clock was taken meanwhile: roll back and decide again."""


# --- Rows and the engine -------------------------------------------------------------------------


def clock_of(row: SLAClock, hours: HoursOf) -> sla.Clock:
    """A clock as the engine reads it."""
    state = sla.STOPPED if row.stopped_at else sla.PAUSED if row.paused_at else sla.RUNNING
    count = sla.Count(row.counted_from, row.used, hours[row.rep_id] if row.working else None)
    return sla.Clock(row.span, sla.load_ladder(row.ladder), count, state, row.next_step, row.broken_at, row.outcome)


def set_clock(row: SLAClock, clock: sla.Clock, now: datetime) -> None:
    """Put what the engine made of a clock into its row. When a promise broke stays told as it was."""
    row.counted_from, row.used = clock.count.counted_from, clock.count.used
    row.next_step, row.broken_at, row.outcome = clock.next_step, clock.broken_at, clock.outcome
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


# --- Starting ------------------------------------------------------------------------------------


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


def earliest(rows: Iterable[SLAClock]) -> datetime | None:
    """Until when somebody must do something: the first promise of those that run."""
    running = (row.due_at for row in rows if row.stopped_at is None and row.paused_at is None)
    return min((due for due in running if due is not None), default=None)


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


def write_moved(openings: Iterable[Opening]) -> None:
    """Store where the own clocks of leads went on. Before reps are locked.

    Raises:
        ClockChanged: one of them took a step or stopped meanwhile.
    """
    for row in (opening.going_on for opening in openings):
        if row is None:
            continue
        columns = {name: getattr(row, name) for name in ("counted_from", "used", "due_at", "next_at", "rep_id")}
        same = SLAClock.objects.filter(RUNNING, pk=row.pk, next_step=row.next_step)
        if not same.update(**columns, stale=False, leased_until=None):
            raise ClockChanged


def write_started(openings: Iterable[tuple[Opening, int | None]]) -> None:
    """Store the clocks that decisions started with the ids of their assignments, in one statement."""
    rows = []
    for opening, assignment_id in openings:
        for row in opening.started:
            row.assignment_id = None if row.kind == ClockKind.LEAD else assignment_id
            rows.append(row)
    if rows:
        SLAClock.objects.bulk_create(rows, batch_size=500)


# --- While a lead is worked on -------------------------------------------------------------------


_OF_LEAD: Final = Prepared(
    lambda: SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, lead=Param("lead")).order_by("pk")
)


class LeadClocks:
    """The running clocks of one lead, locked. Change them, then :meth:`save`."""

    def __init__(self, lead_id: int, now: datetime) -> None:
        self.lead_id, self.now = lead_id, now
        self.rows = _OF_LEAD.rows(lead=lead_id)
        self.hours = hours_for(self.rows)
        self._changed: list[SLAClock] = []
        self._new: list[SLAClock] = []

    def apply(self, event: str, which: Callable[[SLAClock], bool] = lambda row: True) -> None:
        """Let something happen to the clocks that ``which`` picks."""
        for row in filter(which, self.rows):
            clock = clock_of(row, self.hours)
            after = sla.apply(clock, event, self.now)
            if after is not clock:
                set_clock(row, after, self.now)
                self._changed.append(row)

    def move(self, rep_id: int | None) -> None:
        """Let the lead's own clock count by somebody else's hours."""
        for row in self.rows:
            if row.kind == ClockKind.LEAD and row.rep_id != rep_id:
                if row.working:
                    self.hours = {**self.hours, **hours_by_rep([rep_id], row.counted_from)}
                move_clock(row, rep_id, self.hours, self.now)
                self._changed.append(row)

    def start(self, lead: Lead, policy: Policy, kinds: Sequence[str], held: Assignment) -> None:
        """Start the clocks of an assignment that do not run yet."""
        there = {row.kind for row in self.rows if row.stopped_at is None and row.assignment_id == held.pk}
        hours = hours_by_rep([held.rep_id], self.now) if policy.working else {}
        wanted = [kind for kind in kinds if kind not in there]
        rows = build_clocks(lead, policy, wanted, held.rep_id, hours, self.now)
        for row in rows:
            row.assignment = held
        self._new += rows

    def again(self, row: SLAClock) -> None:
        """Start a clock anew, from the foot of its ladder and on the terms it had."""
        columns = ("kind", "lead_id", "assignment_id", "rep_id", "policy_id", "span", "working", "max_hops", "ladder")
        anew = SLAClock(**{name: getattr(row, name) for name in columns}, used=timedelta())
        anew.started_at = anew.counted_from = self.now
        set_clock(anew, clock_of(anew, self.hours), self.now)
        self._new.append(anew)

    def save(self) -> None:
        """Store all, and until when somebody must do something."""
        if self._changed:
            _write(self._changed, _ALL)
        if self._new:
            SLAClock.objects.bulk_create(self._new)
        if self._changed or self._new:
            set_respond_by(self.lead_id, earliest([*self.rows, *self._new]))


def accepted(held: Assignment, now: datetime) -> None:
    """The owner took the lead on: that promise is kept or late, and idleness counts from now."""
    clocks = LeadClocks(held.lead_id, now)
    clocks.apply(sla.MEET, lambda row: row.kind == ClockKind.ACCEPT)
    policy = policy_of(held)
    if policy is not None and _still_to_answer(held):
        clocks.start(held.lead, policy, (ClockKind.IDLE,), held)
    clocks.save()


def _still_to_answer(held: Assignment) -> bool:
    contacted = held.lead.first_contacted_at
    return contacted is None or contacted < held.started_at


def policy_of(held: Assignment) -> Policy | None:
    """The policy of an assignment: of the rule that the lead came by last, else of its priority, else the default.

    None for a lead that came in with its owner: nobody was promised anything then.
    """
    if not live_world().policies.policies or held.trigger == Assignment.Trigger.INTAKE:
        return None
    named = Decision.objects.filter(lead=held.lead_id).order_by("-pk").values_list("rule__sla_policy", flat=True)
    return live_world().policies.choose(named.first(), held.lead.priority)


def contacted(lead_id: int, at: datetime) -> None:
    """Somebody really reached out to the lead: nothing is asked for any more."""
    clocks = LeadClocks(lead_id, at)
    clocks.apply(sla.MEET)
    clocks.save()


def touched(lead_id: int, now: datetime) -> None:
    """The owner did something with the lead: idleness counts from now again."""
    clocks = LeadClocks(lead_id, now)
    idle = next((row for row in clocks.rows if row.kind == ClockKind.IDLE), None)
    if idle is None:
        return
    clocks.apply(sla.MEET if idle.next_step else sla.RESTART, lambda row: row is idle)
    if idle.stopped_at:
        # What was taken of its ladder stays with it; a new one may take it again.
        clocks.again(idle)
    clocks.save()


def pause(lead_id: int, now: datetime) -> None:
    _apply_all(lead_id, sla.PAUSE, now)


def resume(lead_id: int, now: datetime) -> None:
    _apply_all(lead_id, sla.RESUME, now)


def end_all(lead_id: int, now: datetime) -> None:
    """Nothing is promised any more: the lead is closed, out of routing or out of sight."""
    _apply_all(lead_id, sla.END, now)


def _apply_all(lead_id: int, event: str, now: datetime) -> None:
    clocks = LeadClocks(lead_id, now)
    clocks.apply(event)
    clocks.save()


def end_assignment_clocks(held: Assignment, now: datetime) -> None:
    """The owner no longer has the lead: nothing is asked of that one; the lead's own clock counts on without."""
    clocks = LeadClocks(held.lead_id, now)
    clocks.apply(sla.END, lambda row: row.assignment_id == held.pk)
    clocks.move(None)
    clocks.save()


def hand_over_clocks(lead_id: int, rep_id: int, now: datetime) -> None:
    """Somebody else has the lead now, by hand, by taking it or on loan: start the clocks of the open assignment, and
    let the lead's own clock count by the new owner's hours.

    The clocks of the last owner end with that assignment (:func:`end_assignment_clocks`).
    """
    held = Assignment.objects.filter(lead=lead_id, rep=rep_id, ended_at=None).select_related("lead").first()
    if held is None:
        return
    clocks = LeadClocks(lead_id, now)
    clocks.move(rep_id)
    policy = policy_of(held)
    if policy is not None:
        kinds = (ClockKind.IDLE if held.accepted_at else ClockKind.ACCEPT, ClockKind.CONTACT)
        clocks.start(held.lead, policy, kinds, held)
    clocks.save()


# --- When calendars change -----------------------------------------------------------------------


@transaction.atomic
def mark_stale(which: Q) -> int:
    """Have the sweep work out again when these clocks are due; only working time can change. Returns how many.

    Args:
        which: of clocks, such as ``Q(rep=ada)``.
    """
    running = SLAClock.objects.filter(RUNNING, which, working=True, stale=False)
    # Locked by id, as everybody does it.
    in_order = running.order_by("pk").select_for_update(no_key=True, of=("self",))
    return SLAClock.objects.filter(pk__in=in_order.values("pk")).update(stale=True)


def recompute_stale(limit: int = 1000, *, now: datetime | None = None) -> int:
    """Work out again when clocks are due whose calendars changed; what was taken stays taken. Returns how many."""
    now, done = now or timezone.now(), 0
    while done < limit and (found := _recompute_some(min(_CHUNK, limit - done), now)):
        done += found
    return done


def stale_clocks() -> QuerySet[SLAClock]:
    """Running clocks whose calendars changed. Reads only their index."""
    return SLAClock.objects.filter(RUNNING, stale=True).order_by("pk")


@retried
def _recompute_some(limit: int, now: datetime) -> int:
    leads = set(stale_clocks().values_list("lead", flat=True)[:limit])
    if not leads:
        return 0
    with transaction.atomic():
        # Leads that somebody works on now come next time: whoever stops their clocks works them out.
        free = Lead.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=leads).order_by("pk")
        locked = list(free.values_list("pk", flat=True))
        rows = list(SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, lead__in=locked).order_by("pk"))
        changed = [row for row in rows if row.stale]
        hours = hours_for(changed)
        for row in changed:
            set_clock(row, clock_of(row, hours), now)
        write_times(changed)
        set_respond_bys({pk: earliest(row for row in rows if row.lead_id == pk) for pk in locked})
    return len(changed)


def write_times(rows: Iterable[SLAClock]) -> None:
    """Store what is due when on locked clocks, in one statement."""
    _write(rows, _TIMES)


def _write(rows: Iterable[SLAClock], names: Sequence[str]) -> None:
    unique = {row.pk: row for row in rows}
    values = [{name: getattr(row, name) for name in names} for row in unique.values()]
    update_each(SLAClock, values, match=("id",))
