"""When the people of Ostrelle work, and when they are on leave."""

import random
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from distribution.demo.company import OFFICES, Company
from distribution.models import AwayReason, HoursException, Rep, TeamHours, WorkingHours, WorkShift
from distribution.services import availability
from distribution.weekview import day_of

Shifts = tuple[tuple[Iterable[int], int, int], ...]

# Office, country and region of its holidays, and its week: days, from and to, in full hours.
_WEEKS: Final[tuple[tuple[str, str, str, Shifts], ...]] = (
    ("Hamburg", "DE", "HH", ((range(1, 6), 8, 12), (range(1, 5), 13, 18), ((5,), 13, 16))),
    ("Chicago", "US", "IL", ((range(1, 6), 8, 17),)),
    ("Sydney", "AU", "NSW", ((range(1, 6), 9, 18),)),
)
# Of three offices around the world one is always on duty, on Sundays and holidays too: whenever somebody makes the
# demo, its first leads find an owner.
_DUTY: Final[Shifts] = ((range(1, 8), 6, 18),)
_ON_DUTY: Final = (1, 4)  # which of an office's first and of its second team
# None: until changed.
_AWAY_REASONS: Final = {"at lunch": 45, "in a meeting": 60, "in training": 240, "sick": None}
_REASONS: Final = ("on annual leave", "on annual leave", "on parental leave", "in training", "at a trade fair")
# Who of which team is on leave, from and for how many days (less than none: it has begun), why, and who stands in. The
# first one's open leads are lent, to the rep a visitor signs in as.
_LEAVE: Final[tuple[tuple[str, int, int, int, str, int | None], ...]] = (
    ("DACH", 5, -3, 9, "on annual leave", 0),
    ("North America West", 2, -1, 3, "in training", None),
    ("Oceania", 3, -4, 14, "on parental leave", 0),
    ("Western Europe", 1, 5, 3, "at a trade fair", None),
    ("North America East", 3, 9, 1, "moving house", None),
    ("DACH", 2, 12, 5, "on annual leave", 6),
    ("Asia", 0, 20, 14, "on annual leave", 2),
)


def build_leave(rng: random.Random, company: Company, until: datetime, days: int) -> None:
    """Plan everybody's leave of the past, and what holds or comes after ``until``, before the history begins.

    Args:
        days: how long the history is; there is no leave before it.
    """
    for reps in company.reps.values():
        for rep, colleague in zip(reps, [*reps[1:], reps[0]], strict=True):
            ago, length, reason = rng.randrange(25, 350), rng.choice((3, 5, 10, 14)), rng.choice(_REASONS)
            if ago < days:
                _plan(company, rep, _days(rep, until, -ago, length), reason, colleague)
    for row, (team, number, begin, length, reason, cover) in enumerate(_LEAVE):
        rep, stands_in = company.reps[team][number], None if cover is None else company.reps[team][cover]
        _plan(company, rep, _days(rep, until, begin, length), reason, stands_in, lend_leads=row == 0)


def _days(rep: Rep, until: datetime, begin: int, length: int) -> tuple[datetime, datetime]:
    """From midnight to midnight by the rep's own clock."""
    zone = ZoneInfo(rep.time_zone)
    first = until.astimezone(zone).date() + timedelta(days=begin)
    return _midnight(first, zone), _midnight(first + timedelta(days=length), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _plan(
    company: Company, rep: Rep, span: tuple[datetime, datetime], reason: str, cover: Rep | None, **more: Any
) -> None:
    starts_at, ends_at = span
    availability.plan_leave(
        rep,
        actor=company.admin,
        now=starts_at - timedelta(days=30),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        cover=cover,
        **more,
    )


def build_hours(company: Company, now: datetime) -> None:
    """Write whose hours hold from now on: the office's for its teams, and those of duty for two people of each."""
    AwayReason.objects.bulk_create(AwayReason(name=name, minutes=minutes) for name, minutes in _AWAY_REASONS.items())
    places = {office: (zone, [name for name, *_ in teams]) for office, zone, teams in OFFICES}
    for office, country, region, shifts in _WEEKS:
        zone, teams = places[office]
        holidays = {"holiday_country": country, "holiday_region": region}
        hours = _hours(f"{office} office", zone, shifts, is_default=office == "Hamburg", **holidays)
        closed = day_of(now, zone) + timedelta(days=30)
        HoursException.objects.create(hours=hours, date=closed, name="stocktaking")
        for team in teams:
            TeamHours.objects.create(team=company.teams[team], hours=hours)
        _put_on_duty([company.reps[team][at] for team, at in zip(teams, _ON_DUTY, strict=True)], office, zone)


def _put_on_duty(reps: Iterable[Rep], office: str, zone: str) -> None:
    duty = _hours(f"{office} on duty", zone, _DUTY)
    for rep in reps:
        rep.hours, rep.cap_per_day = duty, None
        rep.save(update_fields=["hours", "cap_per_day"])


def _hours(name: str, zone: str, shifts: Shifts, **more: Any) -> WorkingHours:
    hours = WorkingHours.objects.create(name=name, time_zone=zone, **more)
    WorkShift.objects.bulk_create(
        WorkShift(hours=hours, weekday=day, start=time(start), end=time(end))
        for days, start, end in shifts
        for day in days
    )
    return hours


def send_some_away(company: Company, now: datetime) -> None:
    """Two people are not at their desks today, so that decisions have somebody to skip."""
    for rep, reason in ((company.reps["DACH"][3], "sick"), (company.reps["Oceania"][2], "in training")):
        availability.set_away(rep, reason=reason, actor=company.admin, now=now)
