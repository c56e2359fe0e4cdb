"""Working time: when somebody works, and what that makes of an instant or a span. Answers are UTC instants.

A shift belongs to the local date on which it begins. A holiday takes away the shifts that begin on it; one that began
the evening before runs on into it.

A local time means the first instant at which the clock on the wall there has reached it. So one that a change of
clocks skips is the instant of the change, one that comes twice is the first of the two, and one on a date that a zone
left out is the midnight that followed. Lengths are therefore exact in real time (22:00 to 06:00 lasts 7 hours in
spring and 9 in autumn), no shift ends before it begins, and of two shifts that meet in a skipped or repeated hour the
one ends where the other begins: no gap, and no minute counted for both. Why: docs/adr/0003-local-times.md.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

HORIZON: Final = timedelta(days=400)
"""How far ahead a question looks. More than a year, so that what happens once a year is found."""

Span = tuple[datetime, datetime]
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """A weekly interval that begins on a weekday.

    An end at or before the start lies on the next day; 00:00 to 00:00 is the whole day.
    """

    weekday: int  # 1 Monday to 7 Sunday
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody works: weekly shifts in a time zone, less holidays, with dated exceptions, less leave.

    ``always`` is round the clock: shifts, holidays and exceptions play no part then, only leave does. ``holidays``
    names the dates on which no shift begins. ``exceptions`` holds the local times that begin on a date instead of the
    weekly ones, holiday or not; none is closed. ``leave`` is UTC, each from an instant until just before another.
    """

    zone: tzinfo
    shifts: tuple[Shift, ...] = ()
    always: bool = False
    holidays: Mapping[date, str] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[tuple[time, time], ...]] = field(default_factory=dict)
    leave: tuple[Span, ...] = ()


def intervals(hours: Hours, start: datetime, end: datetime) -> Iterator[Span]:
    """The working time in [start, end): sorted, each from an instant until just before another, with a gap between."""
    return _joined(_pieces(hours, _utc(start), _utc(end)))


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether an instant is working time."""
    at = _utc(at)
    for leaves, returns in hours.leave:
        if leaves <= at < returns:
            return False
    if hours.always:
        return True
    local = at.astimezone(hours.zone)
    if local.fold:
        # In an hour that comes twice the clock on the wall has been further than it shows.
        return any(_pieces(hours, at, at + datetime.resolution))
    return _shown_open(hours, local.date(), local.time())


def next_opening(hours: Hours, after: datetime) -> datetime | None:
    """The first working instant, ``after`` itself when it is one; None: none within HORIZON."""
    after = _utc(after)
    return next((opens for opens, _ in _pieces(hours, after, after + HORIZON)), None)


def next_closing(hours: Hours, after: datetime) -> datetime | None:
    """When the working interval that holds or follows ``after`` ends; None: it does not, or none begins, in HORIZON."""
    after = _utc(after)
    limit = after + HORIZON
    closes = next((closes for _, closes in intervals(hours, after, limit)), limit)
    return closes if closes < limit else None


def add(hours: Hours, start: datetime, span: timedelta) -> datetime | None:
    """The earliest instant at which ``span`` of working time has passed since ``start``.

    What is spent exactly at closing ends at closing. No span at all ends at the start, or at the next opening when
    the start is closed. None: there is not that much working time before HORIZON and the span itself have passed.

    Raises:
        ValueError: the span is negative.
    """
    if span < timedelta(0):
        raise ValueError(f"A span of working time cannot be negative: {span}.")
    start = _utc(start)
    for opens, closes in _pieces(hours, start, start + span + HORIZON):
        if span <= closes - opens:
            return opens + span
        span -= closes - opens
    return None


def between(hours: Hours, start: datetime, end: datetime) -> timedelta:
    """The working time from one instant to another; none when the end is not after the start."""
    pieces = _pieces(hours, _utc(start), _utc(end))
    return sum((closes - opens for opens, closes in pieces), timedelta(0))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone, so it is not an instant.")
    return moment.astimezone(UTC)


def _pieces(hours: Hours, start: datetime, end: datetime) -> Iterator[Span]:
    """The working time in [start, end), sorted and each instant once; two pieces may touch.

    Read as far as needed: who works round the clock in seven shifts need not be joined up for 400 days first.
    """
    spans = ((start, end),) if hours.always else _shifts(hours, start, end)
    leave = list(_clip(sorted(hours.leave), start, end))
    return _without(_clip(spans, start, end), leave)


def _shifts(hours: Hours, start: datetime, end: datetime) -> Iterator[Span]:
    """The shifts that may have to do with [start, end), in the order in which they begin."""
    # From yesterday, whose shift may run on; until tomorrow, which a clock set back at 00:01 has already seen begin.
    day = start.astimezone(hours.zone).date() - _DAY
    last = end.astimezone(hours.zone).date() + _DAY
    while day <= last:
        for begins, ends in sorted(_begin_on(hours, day)):
            ends_on = day if begins < ends else day + _DAY
            yield _reached(hours.zone, day, begins), _reached(hours.zone, ends_on, ends)
        day += _DAY


def _begin_on(hours: Hours, day: date) -> Sequence[tuple[time, time]]:
    """The local times of the shifts that begin on a date."""
    if day in hours.exceptions:
        return hours.exceptions[day]
    if day in hours.holidays:
        return ()
    weekday = day.isoweekday()
    return [(shift.start, shift.end) for shift in hours.shifts if shift.weekday == weekday]


def _shown_open(hours: Hours, day: date, clock: time) -> bool:
    """Whether the clock on the wall, at its first time round, shows working time."""
    for begins, ends in _begin_on(hours, day):
        if begins <= clock and (clock < ends or ends <= begins):
            return True
    return any(ends <= begins and clock < ends for begins, ends in _begin_on(hours, day - _DAY))


# A team keeps the same hours: asked for each of its people, the zone's table is searched once.
@lru_cache(maxsize=4096)
def _reached(zone: tzinfo, day: date, clock: time) -> datetime:
    """The first instant at which the clock on the wall shows a local time, or has passed it."""
    first, second = (datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # PEP 495: only for a skipped time does fold=0 give the later instant. The change of clocks lies between the two.
    second = second.replace(microsecond=0)
    seconds = range(int((first - second).total_seconds()))
    wanted = datetime.combine(day, clock)
    return second + timedelta(seconds=bisect_left(seconds, wanted, key=lambda later: _wall(zone, second, later)))


def _wall(zone: tzinfo, instant: datetime, later: int) -> datetime:
    return (instant + timedelta(seconds=later)).astimezone(zone).replace(tzinfo=None)


def _clip(spans: Iterable[Span], start: datetime, end: datetime) -> Iterator[Span]:
    """What sorted spans cover of [start, end), each instant once."""
    for opens, closes in spans:
        opens, closes = max(opens, start), min(closes, end)
        if opens < closes:
            yield opens, closes
            start = closes


def _without(spans: Iterable[Span], leave: Sequence[Span]) -> Iterator[Span]:
    """Sorted spans less sorted ones."""
    for opens, closes in spans:
        for leaves, returns in leave:
            if opens < leaves < closes:
                yield opens, leaves
            if leaves < closes:
                opens = max(opens, returns)
        if opens < closes:
            yield opens, closes


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Sorted spans, those that touch made one."""
    held: Span | None = None
    for opens, closes in spans:
        if held and held[1] < opens:
            yield held
            held = None
        held = (held[0] if held else opens, closes)
    if held:
        yield held
