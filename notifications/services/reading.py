"""Notes which messages in the app were read. Doing it again changes nothing."""

from datetime import datetime

from django.contrib.auth.models import User

from notifications.selectors import messages_of


def mark_read(user: User, pk: int, now: datetime) -> None:
    messages_of(user).filter(pk=pk, read_at=None).update(read_at=now)


def mark_all_read(user: User, newest: int, now: datetime) -> int:
    """Mark what the reader has seen: up to the newest message that was shown, not what came meanwhile."""
    return messages_of(user).filter(pk__lte=newest, read_at=None).update(read_at=now)
