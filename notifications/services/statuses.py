"""What providers say later about a message: delivered, or not after all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from leadcrm.lib.text import clean
from notifications.models import Notification
from notifications.services.failing import after_failure
from notifications.twilioclient import meaning

State = Notification.State

# Calls come out of order and twice, so a state only ever moves up: the states that each may follow. That a message left
# is ours to say: it is what the worker that sends it writes down.
_FOLLOWS: Final[Mapping[State, tuple[State, ...]]] = {
    State.DELIVERED: (State.SENDING, State.SENT),
    State.FAILED: (State.SENDING, State.SENT),
}
_MEANING: Final[Mapping[str, State]] = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
}


def move(token: UUID, status: str, *, sid: str = "", error_code: str = "", now: datetime | None = None) -> bool:
    """Note what became of a message; one that was not delivered goes by the backup channel.

    Args:
        token: our own name of the message: the call may come before we have noted the provider's.
        status: the provider's word; those that say nothing new are passed over.
        sid: the provider's name of the message.

    Returns whether that was news.
    """
    now, state = now or timezone.now(), _MEANING.get(status)
    if state is None:
        return False
    with transaction.atomic():
        known = Notification.objects.filter(token=token, state__in=_FOLLOWS[state])
        if not known.update(state=state, leased_until=None, **_columns(state, sid, error_code, now)):
            return False
        if state == State.FAILED:
            after_failure(Notification.objects.select_related("lead", "event", "user").filter(token=token), now)
    return True


def _columns(state: State, sid: str, error_code: str, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {"provider_id": clean(sid)[:200]} if sid else {}
    if state == State.DELIVERED:
        columns["delivered_at"] = now
    if state == State.FAILED:
        known = int(error_code) if error_code.isascii() and error_code.isdigit() and len(error_code) < 8 else 0
        columns |= {
            "error_code": clean(error_code)[:40],
            "reason": f"It was not delivered. {meaning(known) if known else ''}",
        }
    return columns
