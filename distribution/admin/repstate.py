"""What a rep's page and line say of the rep now: state, hours, load, caps."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from distribution.engine.people import CAP_PERIODS
from distribution.engine.worktime import Hours, is_open, next_opening
from distribution.hours import Timetable, with_leave
from distribution.models import Leave, Rep, WorkingHours
from distribution.periods import period_starts
from leadcrm.lib.moments import moment_text


def state_of(rep: Rep, now: datetime, timetable: Timetable | None = None) -> tuple[str, str]:
    """Whether a rep can take leads now: a tone for the badge, and the words in it. Reads leave that was prefetched."""
    if not (rep.active and rep.user.is_active):
        return "danger", "inactive"
    if rep.is_away(now):
        return "warning", f"away until {_by_own_clock(rep, rep.away_until)}" if rep.away_until else "away"
    if leave := next((row for row in rep.leaves.all() if holds(row, now)), None):
        return "warning", f"on leave until {_by_own_clock(rep, leave.ends_at)}"
    hours = hours_of(rep, timetable) if timetable else None
    if hours and not is_open(hours, now):
        opens = next_opening(hours, now)
        return "info", f"opens {opens.astimezone(ZoneInfo(rep.time_zone)):%a %H:%M}" if opens else "never open"
    if rep.capacity is not None and rep.open_leads >= rep.capacity:
        return "info", f"full {rep.open_leads} of {rep.capacity}"
    return "success", "available"


def _by_own_clock(rep: Rep, at: datetime) -> str:
    return moment_text(at, ZoneInfo(rep.time_zone))


def holds(leave: Leave, now: datetime) -> bool:
    return leave.cancelled_at is None and leave.starts_at <= now < leave.ends_at


def hours_of(rep: Any, timetable: Timetable) -> Hours | None:
    """A rep's hours less the leave that was prefetched; the rep is annotated with the first team."""
    leave = [(row.starts_at, row.ends_at) for row in rep.leaves.all() if row.cancelled_at is None]
    return with_leave(timetable.hours(rep.hours_id, rep.first_team, rep.time_zone), leave, rep.time_zone)


def whose_hours(rep: Any, timetable: Timetable) -> str:
    """Which hours hold for a rep, and why."""
    pk = timetable.find(rep.hours_id, rep.first_team)
    if pk is None:
        return "Always there: the profile and the team name no hours, and none are the default."
    why = "own" if rep.hours_id else "of the first team" if rep.first_team in timetable.of_team else "the default"
    return f"{WorkingHours.objects.get(pk=pk)} ({why})"


def load_of(rep: Rep) -> str:
    return f"{rep.open_leads} of {rep.capacity}" if rep.capacity is not None else str(rep.open_leads)


def caps_of(rep: Rep, now: datetime) -> str:
    """How much of each cap is used: ``day 3 of 5, week 9 of 20``. Reads counters that were prefetched."""
    limits = {period: getattr(rep, f"cap_per_{period}") for period in CAP_PERIODS}
    starts = period_starts(now, rep.time_zone)
    used = {
        counter.period: counter.count for counter in rep.counters.all() if counter.starts_at == starts[counter.period]
    }
    caps = (f"{period} {used.get(period, 0)} of {limit}" for period, limit in limits.items() if limit is not None)
    return ", ".join(caps) or "-"
