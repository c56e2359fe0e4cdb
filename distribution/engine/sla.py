"""Promises and their ladders: what is due when. Pure arithmetic over working time; the services act.

What an action does stands in ``distribution/services/escalation.py``, where actions can be added. Keys are stored in
policies and clocks: never rename one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from distribution.engine import worktime
from distribution.engine.registry import Registry
from distribution.engine.worktime import Hours

# The rung that every ladder has: the moment at which the promise is broken.
BREAK_KEY: Final = 0
BREAK: Final = "break"


@dataclass(frozen=True, slots=True)
class Action:
    """What a step does. ``tells``: it only tells somebody; the others change who has the lead, or a person's status.
    ``moves``: it takes the lead from its owner."""

    key: str
    label: str
    tells: bool = False
    moves: bool = False


ACTIONS: Registry[Action] = Registry("escalation action")


def register_action(key: str, label: str, *, tells: bool = False, moves: bool = False) -> None:
    ACTIONS.add(key, Action(key, label, tells, moves))


register_action("remind", "Remind the owner", tells=True)
register_action("backup", "Remind the owner by the second channel", tells=True)
register_action("manager", "Tell the manager", tells=True)
register_action("reassign", "Reassign to the next who can take it", moves=True)
register_action("offer_team", "Offer it to the team", moves=True)
register_action("queue", "Put it back in the team's queue", moves=True)
register_action("set_away", "Set the owner away")


def action_choices() -> list[tuple[str, str]]:
    return ACTIONS.choices(lambda entry: entry.label)


@dataclass(frozen=True, slots=True)
class Rung:
    """One entry of a frozen ladder: so much counted time after the start, do this."""

    key: int
    after: timedelta
    action: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How a clock counts: from an instant at which ``used`` of the promise was spent, by these hours (None: always)."""

    counted_from: datetime
    used: timedelta = timedelta()
    hours: Hours | None = None


def build_ladder(span: timedelta, rungs: Iterable[Rung]) -> tuple[Rung, ...]:
    """The rungs and the breaking of the promise, in the order in which they come; the breaking first among equals."""
    every = (Rung(BREAK_KEY, span, BREAK), *rungs)
    return tuple(sorted(every, key=lambda rung: (rung.after, rung.key)))


def dump_ladder(ladder: Sequence[Rung]) -> list[dict[str, Any]]:
    """A ladder as JSON-ready data; spans in seconds."""
    return [
        {"key": rung.key, "after": rung.after.total_seconds(), "action": rung.action, "note": rung.note}
        for rung in ladder
    ]


def load_ladder(data: Iterable[dict[str, Any]]) -> tuple[Rung, ...]:
    return tuple(Rung(row["key"], timedelta(seconds=row["after"]), row["action"], row["note"]) for row in data)


def instant_of(count: Count, after: timedelta) -> datetime | None:
    """When a clock will have counted this much; None when there is not so much working time ahead."""
    left = after - count.used
    if left <= timedelta():
        return count.counted_from
    return worktime.add(count.hours, count.counted_from, left) if count.hours else count.counted_from + left


def counted(count: Count, now: datetime) -> timedelta:
    """How much of the promise is spent by now."""
    if now <= count.counted_from:
        return count.used
    passed = worktime.between(count.hours, count.counted_from, now) if count.hours else now - count.counted_from
    return count.used + passed


# --- What happens to a clock ---------------------------------------------------------------------

RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"

PAUSE: Final = "pause"
RESUME: Final = "resume"
MOVE: Final = "move"
RESTART: Final = "restart"
MEET: Final = "meet"
END: Final = "end"

# From a state by an event to the next state; what is not here changes nothing.
TRANSITIONS: Final[Mapping[tuple[str, str], str]] = {
    (RUNNING, PAUSE): PAUSED,
    (PAUSED, RESUME): RUNNING,
    (RUNNING, MOVE): RUNNING,
    (PAUSED, MOVE): PAUSED,
    (RUNNING, RESTART): RUNNING,
    (PAUSED, RESTART): PAUSED,
    (RUNNING, MEET): STOPPED,
    (PAUSED, MEET): STOPPED,
    (RUNNING, END): STOPPED,
    (PAUSED, END): STOPPED,
}

KEPT: Final = "kept"
LATE: Final = "late"
ENDED: Final = "ended"
_OUTCOMES: Final[Mapping[str, str]] = {MEET: KEPT, END: ENDED}


@dataclass(frozen=True, slots=True)
class Clock:
    """One running promise. ``next_step``: place in the ladder of what comes next; what was taken is never repeated."""

    span: timedelta
    ladder: tuple[Rung, ...]
    count: Count
    state: str = RUNNING
    next_step: int = 0
    broken_at: datetime | None = None
    outcome: str = ""


def due_at(clock: Clock) -> datetime | None:
    """When the promise breaks; None while nothing is counted, and when there is not so much working time ahead."""
    return instant_of(clock.count, clock.span) if clock.state == RUNNING else None


def next_rung(clock: Clock) -> Rung | None:
    """What comes next on the ladder; None when nothing is left."""
    return clock.ladder[clock.next_step] if clock.next_step < len(clock.ladder) else None


def next_at(clock: Clock) -> datetime | None:
    """When the next rung is due; None when nothing is left or nothing is counted."""
    rung = next_rung(clock)
    return instant_of(clock.count, rung.after) if rung and clock.state == RUNNING else None


def apply(clock: Clock, event: str, now: datetime, hours: Hours | None = None) -> Clock:
    """The clock after something happened to it; the same one when that means nothing in its state.

    Args:
        hours: for MOVE, by whose hours it counts from now on; None: always.
    """
    state = TRANSITIONS.get((clock.state, event))
    if state is None:
        return clock
    if state == STOPPED:
        return _stopped(clock, event, now)
    if event == RESTART:
        return replace(clock, count=replace(clock.count, counted_from=now, used=timedelta()))
    spent = counted(clock.count, now) if clock.state == RUNNING else clock.count.used
    return replace(clock, state=state, count=Count(now, spent, hours if event == MOVE else clock.count.hours))


def _stopped(clock: Clock, event: str, now: datetime) -> Clock:
    """Late stays late, also when nobody had noticed yet that the promise was broken; but what was done in time and only
    noted afterwards keeps it."""
    due = clock.broken_at or (due_at(clock) if clock.state == RUNNING else _due_before_pause(clock))
    in_time = due is None or (now <= due and not (clock.broken_at and event == END))
    broken_at = None if in_time else due
    return replace(clock, state=STOPPED, broken_at=broken_at, outcome=LATE if broken_at else _OUTCOMES[event])


def before_end(clock: Clock) -> Clock:
    """A clock that ended by mistake, as it was before: what was only worked out at its end is taken back."""
    broke = any(rung.action == BREAK for rung in clock.ladder[: clock.next_step])
    return replace(clock, broken_at=clock.broken_at if broke else None, outcome="")


def _due_before_pause(clock: Clock) -> datetime | None:
    """A clock that was paused had been due when all of its time was spent by then."""
    return clock.count.counted_from if clock.count.used > clock.span else None


def take(clock: Clock, now: datetime) -> Clock:
    """The clock after its next rung was taken; with the breaking, the promise is broken."""
    rung = next_rung(clock)
    if rung is None:
        return clock
    broken_at = clock.broken_at or (due_at(clock) or now if rung.action == BREAK else None)
    return replace(clock, next_step=clock.next_step + 1, broken_at=broken_at)


def overdue(clock: Clock, now: datetime) -> tuple[list[tuple[Rung, datetime]], Clock]:
    """The rungs that are due by now and only tell somebody, each with when it was due, and the clock after them.

    They end before the first one that does more: that one is taken by itself.
    """
    taken: list[tuple[Rung, datetime]] = []
    while (rung := next_rung(clock)) and only_tells(rung) and (at := next_at(clock)) and at <= now:
        taken.append((rung, at))
        clock = take(clock, now)
    return taken, clock


def only_tells(rung: Rung) -> bool:
    return rung.action == BREAK or (rung.action in ACTIONS and ACTIONS[rung.action].tells)


def moves_lead(action: str) -> bool:
    """Whether an action takes the lead from its owner, so that the owner's clocks stop."""
    return action in ACTIONS and ACTIONS[action].moves
