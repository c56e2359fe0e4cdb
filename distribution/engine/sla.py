"""Promises and their ladders: what is due when. Pure arithmetic over working time; the services act.

To add an action, register it here under a short key and give it a function in ``distribution/services/escalation.py``.
Keys are stored in policies and clocks: never rename one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """What a step does. ``tells``: it only tells somebody; the others change who has the lead, or a person's status."""

    key: str
    label: str
    tells: bool


ACTIONS: Registry[Action] = Registry("escalation action")


def register_action(key: str, label: str, *, tells: bool = False) -> None:
    ACTIONS.add(key, Action(key, label, tells))


register_action("remind", "Remind the owner", tells=True)
register_action("backup", "Remind the owner by the second channel", tells=True)
register_action("manager", "Tell the manager", tells=True)
register_action("reassign", "Reassign to the next who can take it")
register_action("offer_team", "Offer it to the team")
register_action("queue", "Put it back in the team's queue")
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
