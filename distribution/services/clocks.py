"""Promises that run while a lead is worked on: they stop with what was promised, and count by whoever has the lead.

Everything here runs in the caller's transaction, which has locked the lead. Clocks are locked after it and by id.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Field

from distribution.compiling import live_world
from distribution.engine import sla
from distribution.models import Assignment, ClockKind, Decision, SLAClock
from distribution.promises import Policy
from distribution.services.clockrows import (
    RUNNING,
    build_clocks,
    clock_of,
    earliest,
    hours_by_rep,
    hours_for,
    move_clock,
    set_clock,
    write_clocks,
)
from leadcrm.lib.prepared import Each, Prepared
from pipeline.models import Lead
from pipeline.services.standing import set_respond_bys

# The clock of idleness as it was when something was done, as JSON: since when it had counted, and when that was.
Touch = dict[str, Any]
_COUNTED: Final = ("counted_from", "used")
_OF_LEADS: Final = Prepared(
    lambda: SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, lead__in=Each("leads", int)).order_by("pk")
)


class LeadClocks:
    """The running clocks of leads, locked. Change them, then :meth:`save`."""

    def __init__(self, leads: Collection[int], now: datetime) -> None:
        self.now = now
        self.rows = _OF_LEADS.rows(leads=leads)
        self.hours = hours_for(self.rows)
        self._changed: list[SLAClock] = []
        self._new: list[SLAClock] = []

    @property
    def idle(self) -> SLAClock | None:
        return next((row for row in self.rows if row.kind == ClockKind.IDLE), None)

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

    def put_back(self, row: SLAClock, counted_from: datetime, used: timedelta) -> None:
        """Let a clock that was stopped, or began anew, by mistake run as before."""
        row.stopped_at, row.counted_from, row.used = None, counted_from, used
        set_clock(row, sla.before_end(clock_of(row, hours_for([row]))), self.now)
        self._changed.append(row)

    def write(self) -> None:
        """Store all."""
        if self._changed:
            write_clocks(self._changed)
        if self._new:
            SLAClock.objects.bulk_create(self._new)

    def save(self) -> None:
        """Store all, and until when somebody must do something."""
        self.write()
        leads = {row.lead_id for row in (*self._changed, *self._new)}
        rows = [*self.rows, *self._new]
        set_respond_bys({pk: earliest(row for row in rows if row.lead_id == pk) for pk in leads})


def accepted(held: Assignment, now: datetime) -> None:
    """The owner took the lead on: that promise is kept or late, and idleness counts from now."""
    clocks = LeadClocks([held.lead_id], now)
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
    clocks = LeadClocks([lead_id], at)
    clocks.apply(sla.MEET)
    clocks.save()


def touched(lead_id: int, now: datetime) -> Touch | None:
    """The owner did something with the lead: idleness counts from now again. Returns what :func:`untouch` asks for."""
    clocks = LeadClocks([lead_id], now)
    idle = clocks.idle
    if idle is None:
        return None
    before: Touch = {"clock": idle.pk, "at": now.isoformat()} | {name: _text(idle, name) for name in _COUNTED}
    clocks.apply(sla.MEET if idle.next_step else sla.RESTART, lambda row: row is idle)
    if idle.stopped_at:
        # What was taken of its ladder stays with it; a new one may take it again.
        clocks.again(idle)
    clocks.save()
    return before


def untouch(lead_id: int, before: Touch) -> None:
    """The owner had not done it: idleness counts as before. Unless it began anew again since, or somebody was told."""
    at = datetime.fromisoformat(before["at"])
    clocks = LeadClocks([lead_id], at)
    idle = clocks.idle
    if idle is None or idle.counted_from != at or idle.next_step:
        return
    if idle.pk != before["clock"]:
        idle.delete()
        clocks.rows.remove(idle)
        idle = SLAClock.objects.select_for_update(no_key=True).get(pk=before["clock"])
        clocks.rows.append(idle)
    clocks.put_back(idle, **{name: _field(name).to_python(before[name]) for name in _COUNTED})
    clocks.save()


def _field(name: str) -> "Field[Any, Any]":
    fields: dict[str, Field[Any, Any]] = {field.name: field for field in SLAClock._meta.concrete_fields}
    return fields[name]


def _text(row: SLAClock, name: str) -> str:
    text: str = _field(name).value_to_string(row)
    return text


def pause(lead_id: int, now: datetime) -> None:
    _apply_all(lead_id, sla.PAUSE, now)


def resume(lead_id: int, now: datetime) -> None:
    _apply_all(lead_id, sla.RESUME, now)


def end_all(lead_id: int, now: datetime) -> None:
    """Nothing is promised any more: the lead is closed, out of routing or out of sight."""
    _apply_all(lead_id, sla.END, now)


def take_up(lead_id: int, ended_at: datetime) -> None:
    """The promises of a lead that ended with its closing at this moment run, or wait, as before."""
    ended = SLAClock.objects.select_for_update(no_key=True).filter(lead=lead_id, stopped_at=ended_at)
    rows = list(ended.order_by("pk"))
    hours = hours_for(rows)
    for row in rows:
        row.stopped_at = None
        set_clock(row, sla.before_end(clock_of(row, hours)), ended_at)
    if rows:
        write_clocks(rows)
        set_respond_bys({lead_id: earliest(rows)})


def _apply_all(lead_id: int, event: str, now: datetime) -> None:
    clocks = LeadClocks([lead_id], now)
    clocks.apply(event)
    clocks.save()


def end_assignment_clocks(ended: Iterable[Assignment], now: datetime, *, decided: bool) -> None:
    """Owners no longer have their leads: nothing is asked of them; the leads' own clocks count on without.

    Args:
        decided: it is recorded in the same transaction where the leads go; that moves their own clocks, and says until
            when somebody must do something.
    """
    leads = {held.pk: held.lead_id for held in ended}
    clocks = LeadClocks(leads.values(), now)
    clocks.apply(sla.END, lambda row: row.assignment_id in leads)
    if decided:
        clocks.write()
    else:
        clocks.move(None)
        clocks.save()


def promised_by(held: Assignment) -> list[str]:
    """What the owner of a lead still promises: the kinds of the clocks that run."""
    return list(SLAClock.objects.filter(RUNNING, assignment=held).values_list("kind", flat=True))


def hand_over_clocks(lead_id: int, rep_id: int, now: datetime, kinds: Sequence[str] | None = None) -> None:
    """Somebody else has the lead now, by hand, by taking it or on loan: start the clocks of the open assignment, and
    let the lead's own clock count by the new owner's hours.

    The clocks of the last owner end with that assignment (:func:`end_assignment_clocks`).

    Args:
        kinds: start only these; None: all that a new owner promises.
    """
    held = Assignment.objects.filter(lead=lead_id, rep=rep_id, ended_at=None).select_related("lead").first()
    if held is None:
        return
    clocks = LeadClocks([lead_id], now)
    clocks.move(rep_id)
    policy = policy_of(held)
    if policy is not None:
        first = ClockKind.IDLE if held.accepted_at else ClockKind.ACCEPT
        clocks.start(held.lead, policy, (first, ClockKind.CONTACT) if kinds is None else kinds, held)
    clocks.save()
