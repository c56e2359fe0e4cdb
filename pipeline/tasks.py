"""Doors through which beat tidies up. Each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from leadcrm.lib import beat
from pipeline.services import activity, idempotency


@shared_task
def prune_idempotency_keys() -> str:
    """Forget the keys of requests that are older than a day."""
    return f"forgot {idempotency.prune(timezone.now())}"


@shared_task
def wake_snoozed() -> str:
    """Let leads whose snooze is over be worked on again."""
    return f"woke {activity.wake_due()}"


beat.register("Wake snoozed leads", task="pipeline.tasks.wake_snoozed", every_seconds=15)
beat.register("Forget old idempotency keys", task="pipeline.tasks.prune_idempotency_keys", every_seconds=3600)
