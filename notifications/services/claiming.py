"""Takes one message that is due, with those that go along with it, so that no other worker sends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet

from notifications.channels import CHANNELS
from notifications.content import is_approved
from notifications.models import Notification

State = Notification.State
WAITING: Final = (State.QUEUED, State.RETRY)

MOST_ATTEMPTS: Final = 8
INTERRUPTED: Final = "interrupted"
BROKE_OFF: Final = "The worker that sent it stopped in the middle."
# Longer than any channel may take to send one message.
LEASE: Final = timedelta(minutes=2)
# What comes so soon after a message to the same recipient waits, and goes as one message.
BUNDLE: Final = timedelta(minutes=2)
MOST_IN_ONE: Final = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is being sent: the row, and the later ones that go with it as one. ``again``: it may have gone out
    before, so that whoever can should look."""

    head: Notification
    others: tuple[Notification, ...] = ()
    again: bool = False

    @property
    def rows(self) -> tuple[Notification, ...]:
        return (self.head, *self.others)


def due(channel: str, now: datetime) -> QuerySet[Notification]:
    """What may be sent now, longest due first. What goes along with another message is not due by itself."""
    waiting = Notification.objects.filter(channel=channel, state__in=WAITING, bundled_into=None)
    return waiting.filter(next_at__lte=now).order_by("next_at", "pk")


def note_why(channel: str, reason: str, now: datetime) -> None:
    """Write at what is due why it does not go."""
    due(channel, now).exclude(reason=reason).order_by().update(reason=reason)


def claim(channel: str, now: datetime, lease: timedelta = LEASE) -> Claim | None:
    """Take the next message of a channel; None when nothing is due. It is ours until the lease ends."""
    while True:
        with transaction.atomic():
            row = due(channel, now).select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
            if row is None:
                return None
            wait = _wait_until(row, now)
            if wait is None:
                return _take(row, now, lease)
            Notification.objects.filter(pk=row.pk).update(next_at=wait, reason="Goes with others as one message.")


def _wait_until(row: Notification, now: datetime) -> datetime | None:
    """Until when a message waits because one went to the same recipient a moment ago; None: it goes now.

    Locks the recipient, so that of two messages one is the first.
    """
    if row.user_id is None or row.attempts or not _bundles(row):
        return None
    list(User.objects.select_for_update(no_key=True).filter(pk=row.user_id).values_list("pk"))
    others = Notification.objects.filter(user=row.user_id, channel=row.channel, bundled_into=None).exclude(pk=row.pk)
    sent = others.filter(sent_at__gt=now - BUNDLE).order_by("-sent_at").values_list("sent_at", flat=True).first()
    if sent is not None:
        return sent + BUNDLE
    return now + BUNDLE if others.filter(state=State.SENDING, leased_until__gt=now).exists() else None


def _take(row: Notification, now: datetime, lease: timedelta) -> Claim:
    again = row.unsure
    others = _companions(row, now)
    Notification.objects.filter(pk__in=[other.pk for other in others]).update(bundled_into=row)
    Notification.objects.filter(pk=row.pk).update(
        state=State.SENDING, leased_until=now + lease, attempts=F("attempts") + 1, reason=""
    )
    return Claim(_read(row.pk), tuple(_read(other.pk) for other in others), again)


def _read(pk: int) -> Notification:
    """The row with what its text is made of, as it is now."""
    return Notification.objects.select_related("user", "event", "lead__owner", "lead__source", "lead__account").get(
        pk=pk
    )


def _companions(row: Notification, now: datetime) -> list[Notification]:
    """Those that went along at the first attempt go along at every other; at the first, what is due is taken along.

    With what may have gone out already nothing new goes: found at the provider, all of it counts as sent.
    """
    if row.user_id is None or not _bundles(row):
        return []
    if row.attempts or row.unsure:
        return list(row.bundled.filter(state__in=WAITING).order_by("pk"))
    same = due(row.channel, now).filter(user=row.user_id, attempts=0, unsure=False).exclude(pk=row.pk)
    found = same.select_for_update(skip_locked=True, no_key=True, of=("self",))[: MOST_IN_ONE - 1]
    return sorted((other for other in found if _bundles(other)), key=lambda other: other.pk)


def _bundles(row: Notification) -> bool:
    """An approved template is what WhatsApp approved, and nothing else goes with it."""
    return CHANNELS[row.channel].bundles and not is_approved(row)


def settle(claimed: Claim, **values: object) -> bool:
    """Write how an attempt ended, for all that went with it. False, and nothing is written, when somebody else has the
    message by now: the lease had ended."""
    with transaction.atomic():
        mine = Notification.objects.filter(pk=claimed.head.pk, state=State.SENDING, attempts=claimed.head.attempts)
        if not mine.update(leased_until=None, **values):
            return False
        Notification.objects.filter(pk__in=[row.pk for row in claimed.others]).update(**values)
    return True


def is_ours(claimed: Claim) -> bool:
    """Whether the lease of a message is still ours; to be asked within a transaction, until whose end it stays so."""
    mine = Notification.objects.filter(pk=claimed.head.pk, state=State.SENDING, attempts=claimed.head.attempts)
    return bool(mine.select_for_update(no_key=True).values_list("pk"))


def catch_up(claimed: Claim, **values: object) -> bool:
    """Write that a message left of which the provider has reported already what became of it; False otherwise."""
    reported = Notification.objects.filter(state__in=(State.DELIVERED, State.FAILED), sent_at=None)
    return reported.filter(pk=claimed.head.pk, attempts=claimed.head.attempts).update(**values) == 1


def let_go(claimed: Claim, until: datetime, reason: str) -> None:
    """Give a message back without an attempt; it is due again at ``until``."""
    with transaction.atomic():
        if settle(claimed, state=State.QUEUED, next_at=until, reason=reason[:300]):
            release(claimed.others, unsure=claimed.again)
            Notification.objects.filter(pk=claimed.head.pk).update(attempts=F("attempts") - 1)


def release(rows: Iterable[Notification], *, unsure: bool) -> None:
    """Let messages that would have gone along with another one go by themselves.

    Args:
        unsure: they may have gone along with it already.
    """
    marked = {"unsure": True} if unsure else {}
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(bundled_into=None, **marked)


def drop(row: Notification, reason: str) -> None:
    """Take one out that need not be said any more."""
    Notification.objects.filter(pk=row.pk).update(
        state=State.SUPPRESSED, reason=reason, bundled_into=None, leased_until=None
    )


def tries(row: Notification) -> int:
    """Which attempt of ``MOST_ATTEMPTS`` the last one was. Somebody who sends it again by hand begins a new round; the
    count goes on, because an attempt is known by its number."""
    return (row.attempts - 1) % MOST_ATTEMPTS + 1


def rescue(now: datetime) -> tuple[int, list[Notification]]:
    """Make what hangs in *sending* due again: its worker died, or took longer than the lease.

    What was tried often enough has failed instead, as it may be what kills the workers. Returns how many are due again,
    and those that failed.
    """
    hanging = Notification.objects.filter(state=State.SENDING, leased_until__lt=now)
    broken_off = {"leased_until": None, "unsure": True, "error_code": INTERRUPTED, "reason": BROKE_OFF}
    given_up = [row for row in hanging if tries(row) == MOST_ATTEMPTS]
    failed = [
        row
        for row in given_up
        if Notification.objects.filter(pk=row.pk, state=State.SENDING, attempts=row.attempts).update(
            state=State.FAILED, **broken_off
        )
    ]
    return hanging.update(state=State.RETRY, next_at=now, **broken_off), failed
