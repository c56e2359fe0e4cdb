"""Doors through which beat tidies up. Each is safe to run twice."""

from celery import shared_task
from django.utils import timezone

from leadcrm.lib import beat
from pipeline.services import idempotency


@shared_task
def prune_idempotency_keys() -> str:
    """Forget the keys of requests that are older than a day."""
    return f"forgot {idempotency.prune(timezone.now())}"


beat.register("Forget old idempotency keys", task="pipeline.tasks.prune_idempotency_keys", every_seconds=3600)
