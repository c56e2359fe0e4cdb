"""A week of somebody's hours as people read it: day by day, by the clock of one time zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from distribution.engine.worktime import Hours, Span, intervals
from distribution.models import HoursException

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
MINUTES: Final = 1440
# The dates that calendars hold; in any time zone.
CENTURY: Final = (date(2000, 1, 1), date(2099, 12, 31))
# Dates outside have no week before or after that could be shown.
FIRST, LAST = date(2000, 1, 3), date(2099, 12, 28)


@dataclass(frozen=True, slots=True)
class Block:
    """Part of a day: minutes by the clock on the wall, and the words for it. ``away``: leave, not working time."""

    start: int
    width: int
    words: str
    away: bool = False


@dataclass(frozen=True, slots=True)
class DayLine:
    day: date
    blocks: tuple[Block, ...]
    away: tuple[Block, ...]
    worked: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days by the clock of ``zone``. ``total`` is real time, such as ``40 h``."""

    zone: str
    lines: tuple[DayLine, ...]
    total: str


def monday_of(text: str, today: date) -> date:
    """The Monday of the week that holds a date written as in ``2026-03-02``; this week's for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    return min(max(day - timedelta(days=day.weekday()), FIRST), LAST)


def day_of(now: datetime, zone: str) -> date:
    """The date that a calendar in a time zone shows."""
    return now.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    """When a date begins in a time zone, in UTC; of two midnights the first."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def build_week(hours: Hours | None, monday: date, zone: str, notes: Mapping[date, Sequence[str]]) -> Week:
    """The week from a Monday on, as a clock in ``zone`` shows it; hours of None: always there.

    notes: what is to be said about a date, such as the name of a holiday.
    """
    hours = hours or Hours(zone=ZoneInfo(zone), always=True)
    lines = tuple(_line(hours, monday + DAY * n, zone, notes) for n in range(7))
    worked = sum((_length(intervals(hours, *_bounds(line.day, zone))) for line in lines), timedelta())
    return Week(zone, lines, in_hours(worked))


def _line(hours: Hours, day: date, zone: str, notes: Mapping[date, Sequence[str]]) -> DayLine:
    start, end = _bounds(day, zone)
    spans = list(intervals(hours, start, end))
    leave = [(max(start, begins), min(end, ends)) for begins, ends in hours.leave if begins < end and ends > start]
    said = (*notes.get(day, ()), *_change_of_clocks(end - start), *(["On leave"] if leave else []))
    blocks = tuple(_block(span, day, zone) for span in spans)
    away = tuple(_block(span, day, zone, away=True) for span in leave)
    return DayLine(day, blocks, away, in_hours(_length(spans)), said)


def _bounds(day: date, zone: str) -> Span:
    return midnight(day, zone), midnight(day + DAY, zone)


def _change_of_clocks(length: timedelta) -> Iterable[str]:
    if length != DAY:
        yield f"The clocks {'go forward' if length < DAY else 'go back'}: {in_hours(length)} long"


def _block(span: Span, day: date, zone: str, *, away: bool = False) -> Block:
    start, end = (_minute(moment, day, zone) for moment in span)
    # In an hour that comes twice the clock may show the end before the start.
    return Block(start, max(end - start, 1), f"{_clock(start)}–{_clock(end)}", away)


def _minute(moment: datetime, day: date, zone: str) -> int:
    local = moment.astimezone(ZoneInfo(zone))
    return MINUTES if local.date() > day else local.hour * 60 + local.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((end - start for start, end in spans), timedelta())


def in_hours(length: timedelta) -> str:
    """``8 h``, ``7.5 h``; for lists and drawings."""
    return f"{length / timedelta(hours=1):.2f}".rstrip("0").rstrip(".") + " h"


def notes_of(hours_id: int | None, holidays: Mapping[date, str], monday: date) -> dict[date, list[str]]:
    """The names of holidays and exceptions of a week, by date. One query."""
    sunday = monday + WEEK - DAY
    notes: dict[date, list[str]] = {day: [name] for day, name in holidays.items() if monday <= day <= sunday}
    rows = HoursException.objects.filter(hours=hours_id, date__range=(monday, sunday)).order_by("date", "start")
    for row in rows:
        word = row.name or ("closed" if row.start is None else "other hours")
        said = notes.setdefault(row.date, [])
        if word not in said:
            said.append(word)
    return notes
