"""Periodic tasks. An app says in its `tasks.py` what should run and how often; admins own the rows that result.

beat.register("Sweep unassigned leads", task="distribution.tasks.sweep_unassigned", every_seconds=30)
"""

from dataclasses import dataclass
from datetime import timedelta

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from leadcrm.lib.registry import AppRegistry


@dataclass(frozen=True)
class Schedule:
    task: str
    every_seconds: int


schedules: AppRegistry[Schedule] = AppRegistry("periodic task", "tasks")


def register(name: str, *, task: str, every_seconds: int) -> None:
    """Have the Celery task of this name run every so many seconds, unless an admin decides otherwise.

    name: what admins see; it must not change, because the row is found by it.
    """
    schedules.add(name, Schedule(task, every_seconds))


def ensure_schedules() -> list[str]:
    """Create the rows that are missing, never touching one that exists; return their names. Safe to run twice."""
    existing = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = {name: schedule for name, schedule in schedules.all().items() if name not in existing}
    return [name for name, schedule in missing.items() if _create(name, schedule)]


def _create(name: str, schedule: Schedule) -> bool:
    """Whether this call made the row (another process may be quicker)."""
    # A run that could not start before the next one is due is skipped, so that no backlog builds up.
    defaults = {
        "task": schedule.task,
        "interval": _interval(schedule.every_seconds),
        "expire_seconds": schedule.every_seconds,
    }
    _, created = PeriodicTask.objects.get_or_create(name=name, defaults=defaults)
    return bool(created)


def _interval(seconds: int) -> IntervalSchedule:
    """The interval row, taken from any that exist: its table has no unique constraint."""
    values = {"every": seconds, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**values).first() or IntervalSchedule.objects.create(**values)


def interval_of(task: str, usual: timedelta) -> timedelta:
    """How often a task runs, as the admins set it; ``usual`` when its row is missing."""
    row = PeriodicTask.objects.filter(task=task, interval__isnull=False).select_related("interval").first()
    return timedelta(seconds=row.interval.schedule.run_every.total_seconds()) if row else usual
