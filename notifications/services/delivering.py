"""Sends what is due: claims a message, sends it outside any transaction, writes down what became of it.

A worker that dies in between leaves the row in *sending*; when its lease ends it is sent again with the same token. So
each message arrives at least once, and twice only where a worker died after sending and before writing it down.
"""

import logging
import random
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from notifications.channels import CHANNELS, Receipt, SendError
from notifications.channels.base import mark_of
from notifications.models import Notification, PushSubscription
from notifications.services import claiming, switches
from notifications.services.claiming import Claim, State
from notifications.services.failing import after_failure
from notifications.services.preparing import Dropped, Postponed, Ready, drop_outdated, only_what_fits, prepare
from pipeline.services import activity

logger = logging.getLogger(__name__)

FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
JITTER: Final = 0.25
LONGEST_SUBJECT: Final = 300
# A task gives way to others after so long; what is left wakes the next one.
SECONDS: Final = 5.0
# After so many messages that a channel could not take, it is left alone until the next sweep.
MOST_TROUBLE: Final = 3


def deliver(channel: str, *, seconds: float = SECONDS, lease: timedelta = claiming.LEASE) -> tuple[int, bool]:
    """Send what is due over a channel, one message after the other.

    It ends when nothing is due, when the channel is stopped, full or does not answer, and after ``seconds``, by the
    clock by which messages are due. Returns how many were taken up, and whether there is more to do at once.
    """
    ends, taken, trouble = timezone.now() + timedelta(seconds=seconds), 0, 0
    while (now := timezone.now()) < ends:
        stopped = switches.stop_of(channel)
        if stopped:
            claiming.note_why(channel, stopped, now)
        claimed = None if stopped else claiming.claim(channel, now, lease)
        if claimed is None:
            return taken, False
        taken += 1
        trouble += not attempt(claimed)
        if trouble >= MOST_TROUBLE:
            return taken, False
    return taken, True


def attempt(taken: Claim) -> bool:
    """Send a claimed message and write down what became of it. False when the channel could not take it now."""
    claimed = drop_outdated(taken)
    if claimed is None:
        return True
    try:
        now = timezone.now()
        claimed = only_what_fits(claimed, now)
        ready = prepare(claimed, now)
        if not keep_content(claimed, ready):
            return True
        receipt = CHANNELS[claimed.head.channel].send(ready.message)
    except Dropped as dropped:
        claiming.settle(claimed, state=State.SUPPRESSED, reason=dropped.reason[:300])
    except Postponed as postponed:
        claiming.let_go(claimed, postponed.until, postponed.reason)
        return not postponed.for_all
    except SendError as error:
        note_error(claimed, error, timezone.now())
        return error.permanent
    except Exception as error:
        logger.exception("message %s could not be made or sent", claimed.head.pk)
        text = f"{type(error).__name__}: {error}"
        note_error(claimed, SendError(text, "broken", permanent=False), timezone.now())
    else:
        note_sent(claimed, receipt, timezone.now())
    return True


def note_sent(claimed: Claim, receipt: Receipt, now: datetime) -> None:
    """Write down that a message left."""
    said = {"sent_at": now, "provider_id": receipt.provider_id[:200], "unsure": False, "tried": []}
    with transaction.atomic():
        written = claiming.settle(
            claimed,
            state=State.DELIVERED if receipt.delivered else State.SENT,
            delivered_at=now if receipt.delivered else None,
            reason="",
            error_code="",
            **said,
        )
        if written or claiming.catch_up(claimed, **said):
            if claimed.head.sent_at is None:  # else it left before, and is told already
                tell_timeline(claimed.head)
            PushSubscription.objects.filter(endpoint__in=receipt.gone).update(failed_at=now)


def tell_timeline(row: Notification) -> None:
    """What a lead was written stands in its history, without the way out; it is no contact."""
    if row.user_id is None and row.lead is not None:
        channel = row.channel if row.channel in activity.CHANNELS else "other"
        activity.record_contact(row.lead, channel=channel, outbound=True, automatic=True, actor=None, text=row.text)


def keep_content(claimed: Claim, ready: Ready) -> bool:
    """Keep what is about to be said, and where it goes: should the attempt break off, the same words are looked for at
    the provider and sent again. False when the lease has ended, so that it is somebody else's to send."""
    for row, content in zip(claimed.rows, ready.contents, strict=True):
        row.subject, row.text, row.html = content.subject[:LONGEST_SUBJECT], content.text, content.html
        row.address = ready.shown_address
        row.tried = list(dict.fromkeys((*row.tried, mark_of(ready.message.text))))
    with transaction.atomic():
        ours = claiming.is_ours(claimed)
        if ours:
            Notification.objects.bulk_update(claimed.rows, ("subject", "text", "html", "address", "tried"))
    return ours


def note_error(claimed: Claim, error: SendError, now: datetime) -> None:
    """Write down that a message did not leave, and when it is tried again, if it is."""
    tries = claiming.tries(claimed.head)
    values: dict[str, Any] = {"reason": error.text[:300], "error_code": error.code[:40]}
    if error.unsure:
        values |= {"unsure": True}
    if not error.permanent and tries < claiming.MOST_ATTEMPTS:
        claiming.settle(claimed, state=State.RETRY, next_at=now + wait_after(tries, error.retry_after), **values)
    elif claiming.settle(claimed, state=State.FAILED, **values):
        after_failure(claimed.rows, now)


def wait_after(tries: int, asked: float | None = None) -> timedelta:
    """How long to wait after so many attempts: twice as long each time up to an hour, a quarter more or less so that
    what failed together is not tried together, and never less than the provider asked for, up to that hour."""
    doubled: timedelta = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    jittered = doubled * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return max(jittered, min(timedelta(seconds=asked or 0), LONGEST_WAIT))


def rescue(now: datetime | None = None) -> int:
    """Make due again what hangs in *sending*, because its worker died. Returns how many."""
    now = now or timezone.now()
    due_again, failed = claiming.rescue(now)
    after_failure(failed, now)
    return due_again


def channels_with_work(now: datetime | None = None) -> list[str]:
    """The channels over which something is due."""
    now = now or timezone.now()
    return [key for key in CHANNELS if claiming.due(key, now).exists()]
