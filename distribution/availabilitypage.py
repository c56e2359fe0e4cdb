"""When a rep is there, as values ready to show: status, hours, leave, calendar, caps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from distribution.availabilityforms import away_reasons
from distribution.compiling import live_timetable
from distribution.engine.people import Cap
from distribution.engine.people import Rep as Person
from distribution.hours import Timetable, hours_of_reps
from distribution.leavecalendars import PATIENCE
from distribution.leavespan import span_text, state_of_leave
from distribution.models import AwayReason, Leave, LeaveCalendar, Rep, WorkingHours
from distribution.people import load_rep
from distribution.states import State, load_of, state_of
from distribution.weekview import Week, build_week, day_of, midnight, monday_of, notes_of

MOST_LEAVE: Final = 30
SHOWN_AFTER: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LeaveLine:
    """One leave. ``changeable``: it is not over, and was not taken from a calendar."""

    id: int
    span: str
    reason: str
    cover: str
    lends: bool
    state: str
    changeable: bool
    cancellable: bool
    origin: str


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """A calendar on the web; its address is a secret, so only its host is shown. ``asked_at``: when somebody wanted it
    read, until it is; ``forgotten``: no task has begun to."""

    host: str
    read_at: datetime | None
    result: str
    error: str
    asked_at: datetime | None
    forgotten: bool


@dataclass(frozen=True, slots=True)
class AvailabilityPage:
    """``own``: the reader is the rep. ``week`` is None for who is always there."""

    id: int
    name: str
    own: bool
    state: State
    reasons: list[AwayReason]
    zone: str
    hours: str
    week: Week | None
    today: date
    leave: list[LeaveLine]
    calendar: CalendarLine | None
    load: str
    caps: Sequence[Cap]


def build_availability(rep: Rep, own: bool, now: datetime) -> AvailabilityPage:
    """Everything about when a rep is there; a fixed number of queries."""
    timetable = live_timetable()
    person = load_rep(now, timetable, pk=rep.pk)
    if person is None:
        raise LookupError(f"there is no rep {rep.pk}")
    today = day_of(now, rep.time_zone)
    hours_id = timetable.find(rep.hours_id, person.team_id)
    return AvailabilityPage(
        id=rep.pk,
        name=rep.name,
        own=own,
        state=state_of(person, now),
        reasons=away_reasons(),
        zone=rep.time_zone,
        hours=WorkingHours.objects.get(pk=hours_id).name if hours_id else "",
        week=_week(person, hours_id, timetable, today) if hours_id else None,
        today=today,
        leave=build_leave(rep, now),
        calendar=build_calendar(rep, now),
        load=load_of(person),
        caps=person.caps,
    )


def _week(person: Person, hours_id: int, timetable: Timetable, today: date) -> Week:
    monday = monday_of("", today)
    hours = hours_of_reps([person.id], timetable, midnight(monday, person.time_zone))[person.id]
    notes = notes_of(hours_id, timetable.weeks[hours_id].holidays, monday)
    return build_week(hours, monday, person.time_zone, notes)


def build_leave(rep: Rep, now: datetime) -> list[LeaveLine]:
    """What is to come first, then what was lately."""
    rows = rep.leaves.filter(ends_at__gt=now - SHOWN_AFTER).select_related("rep", "cover").order_by("starts_at")
    lines = [_leave_line(leave, now) for leave in rows[:MOST_LEAVE]]
    return sorted(lines, key=lambda line: not line.cancellable)


def _leave_line(leave: Leave, now: datetime) -> LeaveLine:
    state = state_of_leave(leave, now)
    current = state in ("now", "ahead")
    return LeaveLine(
        id=leave.pk,
        span=span_text(leave),
        reason=leave.reason,
        cover=leave.cover.name if leave.cover else "",
        lends=leave.lend_leads,
        state="to come" if state == "ahead" else state,
        changeable=current and leave.origin == Leave.Origin.TYPED,
        cancellable=current,
        origin="" if leave.origin == Leave.Origin.TYPED else leave.get_origin_display(),
    )


def build_calendar(rep: Rep, now: datetime) -> CalendarLine | None:
    """The calendar on the web that the rep's leave follows."""
    row = LeaveCalendar.objects.filter(rep=rep).first()
    if row is None:
        return None
    forgotten = row.asked_at is not None and row.asked_at <= now - 2 * PATIENCE
    host = urlsplit(row.url).hostname or ""
    return CalendarLine(host, row.read_at, row.result, row.error, row.asked_at, forgotten)
