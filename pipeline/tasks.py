"""Doors through which beat tidies up. Each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from leadcrm.lib import beat
from pipeline.services import activity, idempotency, tasks


@shared_task
def prune_idempotency_keys() -> str:
    """Forget the keys of requests that are older than a day."""
    return f"forgot {idempotency.prune(timezone.now())}"


@shared_task
def wake_snoozed() -> str:
    """Let leads whose snooze is over be worked on again."""
    return f"woke {activity.wake_due()}"


@shared_task
def remind_of_tasks() -> str:
    """Remind people of what they wanted to do for a lead by now."""
    return f"reminded of {tasks.remind_due()} tasks"


beat.register("Wake snoozed leads", task="pipeline.tasks.wake_snoozed", every_seconds=15)
beat.register("Remind of tasks", task="pipeline.tasks.remind_of_tasks", every_seconds=15)
beat.register("Forget old idempotency keys", task="pipeline.tasks.prune_idempotency_keys", every_seconds=3600)
