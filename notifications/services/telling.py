"""Stores what is to be told, and wakes who sends it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from leadcrm.lib.wake import wake_after_commit
from notifications.choosing import wishes_of
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.services.planning import Subject, plan


def tell(
    kind: str, users: Iterable[int], *, key: str, data: Mapping[str, Any] | None = None, now: datetime | None = None
) -> None:
    """Tell users something about no lead.

    Args:
        kind: entry of ``KINDS``.
        key: names what is told; the same key is told to the same user once over each channel.
        data: plain values for its text, as JSON.
    """
    now = now or timezone.now()
    subject = Subject(key=key, data=data or {})
    wishes = wishes_of(users)
    store([row for user, wish in wishes.items() for row in plan(KINDS[kind], subject, user, wish, now)], now)


def store(rows: list[Notification], now: datetime) -> None:
    """Store those that are new, and have those that are due sent after the commit."""
    from notifications.tasks import deliver

    with transaction.atomic():
        # Told before is told: the constraints of the table decide, whoever comes first.
        Notification.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        for channel in dict.fromkeys(row.channel for row in rows if row.next_at and row.next_at <= now):
            wake_after_commit(deliver, channel)
