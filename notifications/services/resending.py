"""What admins do with messages: send one again, try a channel."""

from datetime import datetime
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from leadcrm.lib.wake import wake_after_commit
from notifications.channels import CHANNELS, Message, Receipt
from notifications.models import Notification
from notifications.services.claiming import MOST_ATTEMPTS
from notifications.services.direct import send_now

TEST: Final = "test"


def send_again(chosen: QuerySet[Notification], now: datetime | None = None) -> int:
    """Make messages that failed due at once, under their old token. Returns how many; others are left alone."""
    from notifications.tasks import deliver

    failed = dict(chosen.filter(state=Notification.State.FAILED).values_list("pk", "channel"))
    again = Notification.objects.filter(pk__in=failed, state=Notification.State.FAILED)
    changed = again.update(
        state=Notification.State.QUEUED,
        next_at=now or timezone.now(),
        bundled_into=None,
        # So many that the next attempt is the first of a new round.
        attempts=F("attempts") + (MOST_ATTEMPTS - F("attempts") % MOST_ATTEMPTS) % MOST_ATTEMPTS,
        reason="Sent again by hand.",
    )
    for channel in sorted(set(failed.values())):
        wake_after_commit(deliver, channel)
    return changed


def send_test(channel: str, address: str, secret: str = "") -> Receipt:
    """Send a message that only says that the channel works, at once; ``secret`` is that of a webhook.

    Raises:
        SendError: it did not go; the text says why.
    """
    text = f"This is a test of {CHANNELS[channel].label} by {settings.SITE_URL}. It works."
    said = Message(
        address, "Test of messages", text, uuid4(), TEST, timezone.now(), link=settings.SITE_URL, secret=secret
    )
    return send_now(channel, said)
