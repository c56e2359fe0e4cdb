"""Ladders of SLA policies as people read them: what happens when, drawn on a line, and what is odd about it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from distribution.engine.sla import ACTIONS, BREAK, Rung, moves_lead
from distribution.engine.worktime import Hours, Span, intervals
from distribution.hours import Timetable, first_team
from distribution.models import ClockKind, EscalationStep, Rep, SLAPolicy
from distribution.promises import Promise, after, build_policy, minutes_of

# Marks that would touch on the line stand below one another.
NEAR: Final = 5.0
WEEK: Final = timedelta(days=7)
PROMISES: Final[Mapping[str, str]] = {
    ClockKind.ACCEPT: "Accept within",
    ClockKind.CONTACT: "Contact within",
    ClockKind.IDLE: "Idle after",
    ClockKind.LEAD: "Answer the lead within",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A step on the line: ``x`` in percent of its length, ``lane`` counted from above."""

    number: int
    x: float
    lane: int
    when: str
    what: str
    note: str
    is_promise: bool

    @property
    def y(self) -> int:
        return 33 + 26 * self.lane


@dataclass(frozen=True, slots=True)
class Line:
    """One clock of a policy, drawn."""

    title: str
    marks: tuple[Mark, ...]
    lanes: int

    @property
    def height(self) -> int:
        return 22 + 26 * self.lanes


def draw_policy(policy: SLAPolicy) -> list[Line]:
    """A line for each promise of a policy, with its steps and the moment at which the promise is broken."""
    promises = build_policy(policy, policy.steps.all()).promises
    return [_draw(promises[kind]) for kind in ClockKind.values if kind in promises]


def _draw(promise: Promise) -> Line:
    longest = max(rung.after for rung in promise.ladder) or promise.span
    last_in_lane: list[float] = []
    marks = []
    for number, rung in enumerate(promise.ladder, 1):
        x = round(3 + 94 * (rung.after / longest), 2)
        free = [lane for lane, last in enumerate(last_in_lane) if x - last >= NEAR]
        lane = free[0] if free else len(last_in_lane)
        last_in_lane[lane : lane + 1] = [x]
        marks.append(_mark(rung, number, x, lane))
    return Line(PROMISES[promise.kind], tuple(marks), len(last_in_lane))


def _mark(rung: Rung, number: int, x: float, lane: int) -> Mark:
    broken = rung.action == BREAK
    what = "The promise is broken" if broken else action_label(rung.action)
    return Mark(number, x, lane, duration_words(rung.after), what, rung.note, broken)


def action_label(key: str) -> str:
    return ACTIONS[key].label if key in ACTIONS else key


def duration_words(length: timedelta) -> str:
    """``45 min``, ``2 h``, ``1 h 30 min``, ``36 s``."""
    hours, rest = divmod(int(length.total_seconds()), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "at once"


# --- What is odd ---------------------------------------------------------------------------------------


def policy_warnings(policy: SLAPolicy, now: datetime, timetable: Timetable) -> list[str]:
    """What the author of a policy may not have meant, a sentence each. Four queries at most."""
    steps = list(policy.steps.all())
    return [
        *_lengths(policy),
        *(sentence for kind in ClockKind.values for sentence in _ladder(policy, kind, steps)),
        *_nobody_works(policy, now, timetable),
        *_default(policy),
    ]


def _lengths(policy: SLAPolicy) -> Iterator[str]:
    if not any(minutes_of(policy).values()):
        yield "It promises nothing: fill in at least one number of minutes."
    if policy.accept_minutes and policy.contact_minutes and policy.accept_minutes > policy.contact_minutes:
        yield (
            f"Accepting may take longer ({policy.accept_minutes} min) than the contact that follows it "
            f"({policy.contact_minutes} min)."
        )


def _ladder(policy: SLAPolicy, kind: str, steps: Sequence[EscalationStep]) -> Iterator[str]:
    own = [step for step in steps if step.clock == kind]
    minutes, name = minutes_of(policy)[kind], f"“{PROMISES[kind]}”"
    if minutes is None:
        if own:
            yield f"{name} has steps but no minutes, so they are never taken."
        return
    if not own and kind != ClockKind.IDLE:  # who is idle has usual steps
        yield f"{name} has no steps: when the promise is broken, the owner and the manager hear of it, and that is all."
    span = timedelta(minutes=minutes)
    yield from _order(name, own, span)
    yield from _never_taken(name, kind, own, span)
    yield from _beyond_other(policy, name, kind, own, span)


def _order(name: str, steps: Sequence[EscalationStep], span: timedelta) -> Iterator[str]:
    if late := next((pair for pair in pairwise(steps) if after(pair[1], span) < after(pair[0], span)), None):
        yield f"The steps of {name} are out of order: “{late[1]}” comes before “{late[0]}”, but is listed after it."


def _never_taken(name: str, kind: str, steps: Sequence[EscalationStep], span: timedelta) -> Iterator[str]:
    """The clock of the lead itself goes on with the next owner; those of an owner do not."""
    leaving = [step for step in steps if moves_lead(step.action)]
    if kind == ClockKind.LEAD or not leaving:
        return
    first = min(leaving, key=lambda step: after(step, span))
    for step in steps:
        if after(step, span) > after(first, span):
            yield f"“{step}” of {name} is never taken: by then “{first}” has taken the lead away."


def _beyond_other(
    policy: SLAPolicy, name: str, kind: str, steps: Sequence[EscalationStep], span: timedelta
) -> Iterator[str]:
    """Steps of accepting that come when the contact is overdue already."""
    if kind != ClockKind.ACCEPT or not policy.contact_minutes:
        return
    limit = timedelta(minutes=policy.contact_minutes)
    for step in steps:
        if after(step, span) > limit:
            yield f"“{step}” of {name} comes after the contact was promised ({policy.contact_minutes} min)."


def _nobody_works(policy: SLAPolicy, now: datetime, timetable: Timetable) -> Iterator[str]:
    found = hours_of_all(timetable)
    if policy.time == SLAPolicy.Time.WORKING:
        if found and not any(found):
            yield "Nobody has working hours, so its minutes count by the clock, at night and on weekends too."
        return
    if found and all(found) and (gap := longest_gap([hours for hours in found if hours], now)):
        since, until = gap
        yield (
            f"It counts by the clock, but nobody works from {since:%A %H:%M} to {until:%A %H:%M} UTC: "
            "steps are taken while nobody can act."
        )


def hours_of_all(timetable: Timetable) -> list[Hours | None]:
    """The different hours of everybody who is active; None: somebody is always there. One query."""
    rows = Rep.objects.filter(active=True).annotate(team=first_team("user_id"))
    whose = set(rows.values_list("hours_id", "team", "time_zone"))
    return list({id(found): found for found in (timetable.hours(*row) for row in whose)}.values())


def longest_gap(all_hours: Iterable[Hours], now: datetime) -> Span | None:
    """The longest time within the coming week in which nobody works; None: somebody always does."""
    spans = sorted(span for hours in all_hours for span in intervals(hours, now, now + WEEK))
    gaps, free_from = [], now
    for opens, closes in [*spans, (now + WEEK, now + WEEK)]:
        if opens > free_from:
            gaps.append((free_from, opens))
        free_from = max(free_from, closes)
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)


def _default(policy: SLAPolicy) -> Iterator[str]:
    if not policy.is_default and not SLAPolicy.objects.filter(is_default=True, archived_at=None).exists():
        yield "No policy is the default: a lead whose rule and priority name none gets no promise."
