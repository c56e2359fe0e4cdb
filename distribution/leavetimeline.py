"""The leave of a team over some weeks: people down, days across."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from distribution.compiling import live_world
from distribution.engine.worktime import Hours, next_opening
from distribution.hours import Timetable, first_team
from distribution.models import Leave, Rep
from distribution.weekview import midnight
from pipeline.models import Team

DAYS: Final = 35
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of somebody. ``kind``: leave, part (some hours of leave), holiday, closed or open; ``words`` say it in
    full, ``mark`` in a letter."""

    kind: str
    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    rep: Rep
    cells: tuple[Cell, ...]


def team_timeline(team: Team, first: date) -> list[Row]:
    """A row for each active rep of a team, with a cell for each day from ``first`` on. A constant number of queries."""
    timetable = live_world().timetable
    members = Rep.objects.filter(user__in=team.members.values("pk"), active=True)
    reps = list(members.annotate(team=first_team("user_id")).order_by("name"))
    taken, covered = _leave(reps, first)
    days = [first + ONE_DAY * n for n in range(DAYS)]
    return [Row(rep, _cells(rep, days, timetable, taken[rep.pk], covered[rep.pk])) for rep in reps]


def _leave(reps: Sequence[Rep], first: date) -> tuple[dict[int, list[Leave]], dict[int, list[Leave]]]:
    """Leave by whose it is, and by who stands in."""
    since, until = midnight(first - ONE_DAY, "UTC"), midnight(first + ONE_DAY * (DAYS + 1), "UTC")
    rows = Leave.objects.filter(cancelled_at=None, ends_at__gt=since, starts_at__lt=until).select_related(
        "rep", "cover"
    )
    taken, covered = defaultdict(list), defaultdict(list)
    known = {rep.pk for rep in reps}
    for leave in rows.order_by("starts_at"):
        if leave.rep_id in known:
            taken[leave.rep_id].append(leave)
        if leave.cover_id in known:
            covered[leave.cover_id].append(leave)
    return taken, covered


def _cells(
    rep: Rep, days: Sequence[date], timetable: Timetable, taken: Sequence[Leave], covered: Sequence[Leave]
) -> tuple[Cell, ...]:
    own: int | None = timetable.find(rep.hours_id, getattr(rep, "team", None))
    holidays = timetable.weeks[own].holidays if own else {}
    hours = timetable.hours(rep.hours_id, getattr(rep, "team", None), rep.time_zone)
    return tuple(_cell(rep, day, hours, holidays.get(day, ""), taken, covered) for day in days)


def _cell(
    rep: Rep, day: date, hours: Hours | None, holiday: str, taken: Sequence[Leave], covered: Sequence[Leave]
) -> Cell:
    start, end = midnight(day, rep.time_zone), midnight(day + ONE_DAY, rep.time_zone)
    away = next((leave for leave in taken if leave.starts_at < end and leave.ends_at > start), None)
    if away:
        whole = away.starts_at <= start and away.ends_at >= end
        cover = f", covered by {away.cover}" if away.cover else ""
        words = f"{'' if whole else 'partly '}{away.reason or 'on leave'}{cover}"
        return Cell("leave", "L", words) if whole else Cell("part", "l", words)
    if holiday:
        return Cell("holiday", "H", holiday)
    stands_in = sorted({leave.rep.name for leave in covered if leave.starts_at < end and leave.ends_at > start})
    if stands_in:
        return Cell("cover", "C", f"stands in for {', '.join(stands_in)}")
    opens = next_opening(hours, start) if hours else start
    return Cell("open", "", "") if opens is not None and opens < end else Cell("closed", "–", "closed")
