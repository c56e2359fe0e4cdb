"""Promises and working hours for tests, and a way to look at the clocks."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from distribution.models import EscalationStep, SLAClock, SLAPolicy, WorkingHours, WorkShift
from pipeline.models import Event, Lead

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def after(minutes: float = 0, *, hours: float = 0, seconds: float = 0) -> datetime:
    """So long after Monday, ten o'clock."""
    return MONDAY + timedelta(minutes=minutes, hours=hours, seconds=seconds)


def make_policy(*steps: tuple[Any, ...], name: str = "Standard", **more: Any) -> SLAPolicy:
    """A default policy by the clock; a step is (clock, minutes or "80%", action, note)."""
    policy = SLAPolicy.objects.create(name=name, **{"time": "clock", "is_default": True, **more})
    for clock, when, action, *note in steps:
        percent = isinstance(when, str)
        EscalationStep.objects.create(
            policy=policy,
            clock=clock,
            after_minutes=None if percent else when,
            after_percent=int(when.rstrip("%")) if percent else None,
            action=action,
            note=note[0] if note else "",
        )
    return policy


def make_hours(name: str = "Office", begins: int = 10, ends: int = 18, **more: Any) -> WorkingHours:
    """Monday to Friday, in UTC."""
    hours = WorkingHours.objects.create(name=name, **{"time_zone": "UTC", **more})
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(begins), end=time(ends))
    return hours


def clock(lead: Lead, kind: str) -> SLAClock:
    """The latest clock of a kind."""
    return SLAClock.objects.filter(lead=lead, kind=kind).latest("pk")


def running(lead: Lead) -> dict[str, datetime | None]:
    """When each running clock of a lead is due."""
    return dict(SLAClock.objects.filter(lead=lead, stopped_at=None).values_list("kind", "due_at"))


def outcomes(lead: Lead) -> dict[str, str]:
    """How the stopped clocks of a lead ended; of several of a kind, the latest."""
    rows = SLAClock.objects.filter(lead=lead).exclude(stopped_at=None).order_by("pk")
    return dict(rows.values_list("kind", "outcome"))


def told(lead: Lead, prefix: str = "sla.") -> list[str]:
    """What the timeline says of escalation, in order."""
    kinds = Event.objects.filter(lead=lead, kind__startswith=prefix).order_by("at", "pk")
    return [kind.removeprefix(prefix) for kind in kinds.values_list("kind", flat=True)]
