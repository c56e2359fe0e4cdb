"""When periodic tasks last did their work: noted by the workers, asked by `/readyz` and `manage.py doctor`."""

from datetime import datetime
from typing import Any

from celery.signals import task_success
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from leadcrm.models import TaskRun


@task_success.connect(dispatch_uid="leadcrm.task_done")
def task_done(sender: Any, **_: Any) -> None:
    """In the worker, when a task ended well. What fails here is logged by Celery, and the task stays done."""
    if not sender.request.is_eager:
        note_done(sender.name, timezone.now())


def note_done(task: str, now: datetime) -> None:
    """Note that a task did its work, if it is one that beat sends."""
    if TaskRun.objects.filter(pk=task).update(done_at=now):
        return
    if PeriodicTask.objects.filter(task=task).exists():
        TaskRun.objects.bulk_create([TaskRun(task=task, done_at=now)], ignore_conflicts=True)


def with_done_at() -> QuerySet[PeriodicTask]:
    """The enabled periodic tasks, each with when it last did its work, or None."""
    done = TaskRun.objects.filter(pk=OuterRef("task")).values("done_at")
    enabled = PeriodicTask.objects.filter(enabled=True).order_by("name")
    tasks: QuerySet[PeriodicTask] = enabled.annotate(done_at=Subquery(done))
    return tasks
