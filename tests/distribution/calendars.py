"""Working hours and leave in a line or two."""

from datetime import date, datetime, time
from typing import Any

from distribution.models import HoursException, Leave, Rep, WorkingHours, WorkShift


def make_hours(name: str = "Office", start: str = "09:00", end: str = "18:00", days: str = "12345", **more: Any):
    """Hours with one shift on each of these weekdays, 1 Monday to 7 Sunday."""
    hours = WorkingHours.objects.create(name=name, **more)
    begins, ends = time.fromisoformat(start), time.fromisoformat(end)
    WorkShift.objects.bulk_create(WorkShift(hours=hours, weekday=int(day), start=begins, end=ends) for day in days)
    return hours


def make_exception(hours: WorkingHours, day: date, start: str = "", end: str = "") -> HoursException:
    """Other hours on a date; without times: closed."""
    times = {"start": time.fromisoformat(start), "end": time.fromisoformat(end)} if start else {}
    return HoursException.objects.create(hours=hours, date=day, **times)


def make_leave(rep: Rep, starts_at: datetime, ends_at: datetime, **more: Any) -> Leave:
    return Leave.objects.create(rep=rep, starts_at=starts_at, ends_at=ends_at, **more)
