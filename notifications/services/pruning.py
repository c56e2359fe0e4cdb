"""Forgets what is old: messages, and what only the last minutes needed."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone

from notifications.models import ActionLink, ChannelWindow, FanOutFailure, Notification, ProviderEvent
from notifications.services.claiming import WAITING, State

BATCH: Final = 1000
# Longer than any provider repeats a call.
PROVIDER_DAYS: Final = 30
# After that a link in a message says no longer that it has expired, but that it is none of ours.
LINK_DAYS: Final = 30


def prune(now: datetime | None = None) -> int:
    """Delete messages older than ``MESSAGE_RETENTION_DAYS`` that nobody waits for, in batches. Returns how many."""
    now = now or timezone.now()
    kept_since = now - timedelta(days=settings.MESSAGE_RETENTION_DAYS)
    ChannelWindow.objects.filter(minute__lt=now - timedelta(days=1)).delete()
    _delete(ActionLink.objects.filter(expires_at__lt=now - timedelta(days=LINK_DAYS)))
    _delete(ProviderEvent.objects.filter(at__lt=now - timedelta(days=PROVIDER_DAYS)))
    _delete(FanOutFailure.objects.filter(solved_at__lt=kept_since))
    done = Notification.objects.filter(created_at__lt=kept_since).exclude(state__in=(*WAITING, State.SENDING))
    return _delete(done)


def _delete(rows: "QuerySet[Model]") -> int:
    """A batch at a time, so that no transaction holds the table for long."""
    gone = 0
    while batch := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=batch).delete()
        gone += len(batch)
    return gone
