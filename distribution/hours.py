"""Whose hours hold when: turns working hours, holidays and leave from rows into what the engine reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from distribution.engine.worktime import Hours, Shift, is_open, next_opening
from distribution.models import HoursException, Leave, Rep, TeamHours, WorkingHours, WorkShift
from pipeline.models import Team

Times = tuple[tuple[time, time], ...]

# Holidays are worked out for these years around the present: enough for every promise and for a replay.
YEARS_BACK: Final = 3
YEARS_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Week:
    """One set of working hours as rows say it; ``zone`` is empty when each rep's own counts."""

    zone: str
    shifts: tuple[Shift, ...]
    always: bool
    holidays: Mapping[date, str]
    exceptions: Mapping[date, Times]


@dataclass(frozen=True, slots=True)
class Timetable:
    """All working hours, and whose they are."""

    weeks: Mapping[int, Week] = field(default_factory=dict)
    of_team: Mapping[int, int] = field(default_factory=dict)
    default: int | None = None
    _made: dict[tuple[int, str], Hours] = field(default_factory=dict)

    def find(self, own: int | None, team: int | None) -> int | None:
        """Which hours hold: the rep's own, the team's, or the default ones; None: always there."""
        return (own or self.of_team.get(team or 0) or self.default) if self.weeks else None

    def hours(self, own: int | None, team: int | None, zone: str) -> Hours | None:
        """The hours of somebody, without leave; None: always there. ``zone``: the rep's own, an IANA name."""
        pk = self.find(own, team)
        if pk is None:
            return None
        week = self.weeks[pk]
        key = (pk, week.zone or zone)
        if key not in self._made:
            self._made[key] = _in_zone(week, key[1])
        return self._made[key]


ALWAYS: Final = Timetable()
"""No working hours at all: everybody is always there."""


@dataclass(slots=True)
class Doors:
    """Who is outside working hours at one instant. Each set of hours is looked at once per zone."""

    timetable: Timetable
    now: datetime
    _seen: dict[tuple[int | None, str], tuple[bool, datetime | None]] = field(default_factory=dict)

    def closed(self, own: int | None, team: int | None, zone: str) -> tuple[bool, datetime | None]:
        """Whether it is outside somebody's hours, and when they begin; None: not within a year. Leave aside."""
        key = (self.timetable.find(own, team), zone)
        if key not in self._seen:
            hours = self.timetable.hours(own, team, zone)
            off = hours is not None and not is_open(hours, self.now)
            self._seen[key] = off, next_opening(hours, self.now) if hours is not None and off else None
        return self._seen[key]


def _in_zone(week: Week, zone: str) -> Hours:
    return Hours(
        zone=ZoneInfo(zone),
        shifts=week.shifts,
        always=week.always,
        holidays=week.holidays,
        exceptions=week.exceptions,
    )


def load_timetable(today: date | None = None) -> Timetable:
    """Every set of working hours with its shifts, exceptions and holidays; four queries."""
    year = (today or timezone.now().date()).year
    shifts, exceptions = _shifts(), _exceptions()
    rows = list(WorkingHours.objects.order_by("pk"))
    return Timetable(
        weeks={row.pk: _week(row, shifts.get(row.pk, ()), exceptions.get(row.pk, {}), year) for row in rows},
        of_team=dict(TeamHours.objects.values_list("team_id", "hours_id")),
        default=next((row.pk for row in rows if row.is_default), None),
    )


def _week(row: WorkingHours, shifts: Iterable[Shift], exceptions: Mapping[date, Times], year: int) -> Week:
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    holidays = holidays_of(row.holiday_country, row.holiday_region, years)
    return Week(row.time_zone, tuple(shifts), row.always, holidays, exceptions)


def _shifts() -> dict[int, list[Shift]]:
    found: dict[int, list[Shift]] = defaultdict(list)
    for hours, weekday, start, end in WorkShift.objects.values_list("hours_id", "weekday", "start", "end"):
        found[hours].append(Shift(weekday, start, end))
    return found


def _exceptions() -> dict[int, dict[date, Times]]:
    found: dict[int, dict[date, Times]] = defaultdict(dict)
    for hours, day, start, end in HoursException.objects.values_list("hours_id", "date", "start", "end"):
        times = found[hours].get(day, ())
        found[hours][day] = times if start is None or end is None else (*times, (start, end))
    return found


def holidays_of(country: str, region: str, years: Iterable[int]) -> dict[date, str]:
    """The public holidays of a country, or of one of its regions, by date; none without a country.

    Raises:
        NotImplementedError: the country or the region is not known.
    """
    if not country:
        return {}
    import holidays  # takes a quarter of a second, and most processes never ask

    return dict(holidays.country_holidays(country, subdiv=region or None, years=years))


def leave_on(now: Any) -> QuerySet[Leave]:
    """Leave that holds at an instant, or at a place for one in a prepared query."""
    return Leave.objects.filter(cancelled_at=None, starts_at__lte=now, ends_at__gt=now)


def hours_of_reps(reps: Iterable[int], timetable: Timetable, since: datetime) -> dict[int, Hours | None]:
    """The hours of reps with their leave that ends after ``since``; None: always there. One query."""
    leave: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    plain: dict[int, tuple[Hours | None, str]] = {}
    for pk, own, team, zone, start, end in _reps_with_leave(set(reps), since):
        plain[pk] = timetable.hours(own, team, zone), zone
        if start is not None and end is not None:
            leave[pk].append((start, end))
    return {pk: with_leave(hours, leave[pk], zone) for pk, (hours, zone) in plain.items()}


def _reps_with_leave(reps: set[int], since: datetime) -> QuerySet[Rep, tuple[Any, ...]]:
    """A row per rep and leave: id, own hours, first team, zone, begin and end of the leave (or None)."""
    ahead = FilteredRelation("leaves", condition=Q(leaves__cancelled_at=None, leaves__ends_at__gt=since))
    rows = Rep.objects.filter(pk__in=reps).annotate(team=first_team("user_id"), ahead=ahead)
    columns = ("pk", "hours_id", "team", "time_zone", "ahead__starts_at", "ahead__ends_at")
    return rows.order_by("ahead__starts_at").values_list(*columns)


def first_team(user: str) -> Subquery:
    """The first team of the user at this column of the outer query: its hours hold when the rep has none."""
    teams = Team.members.through.objects.filter(user=OuterRef(user))
    return Subquery(teams.order_by("team_id").values("team_id")[:1])


def with_leave(hours: Hours | None, leave: Iterable[tuple[datetime, datetime]], zone: str) -> Hours | None:
    """The same hours less leave; who is always there is so but for leave."""
    spans = tuple(leave)
    if not spans:
        return hours
    return replace(hours or Hours(zone=ZoneInfo(zone), always=True), leave=spans)


def reps_using(hours: WorkingHours) -> QuerySet[Rep]:
    """The reps for whom these hours hold: by their profile, by their team, or by default."""
    rows = Rep.objects.annotate(team=first_team("user_id"))
    # Who is in no team would drop out of "not in": in SQL an unknown team is neither in nor not in.
    team_has_none = Q(team=None) | ~Q(team__in=TeamHours.objects.values("team"))
    through_team = Q(hours=None, team__in=TeamHours.objects.filter(hours=hours).values("team"))
    by_default = Q(hours=None) & team_has_none if hours.is_default else Q(pk__in=())
    return rows.filter(Q(hours=hours) | through_team | by_default)
