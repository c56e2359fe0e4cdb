"""What providers say later about a message: delivered, or not after all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from leadcrm.lib.text import clean
from notifications.models import Notification
from notifications.services import claiming
from notifications.services.delivering import tell_timeline, wait_after
from notifications.services.failing import after_failure, has_backup
from notifications.twilioclient import is_passing, meaning

State = Notification.State

# Calls come out of order and twice, so a state only ever moves up. That a message left is ours to say: it is what the
# worker that sends it writes down.
_LOST: Final = (State.RETRY, State.QUEUED)
_GONE: Final = (State.SENDING, State.SENT, State.RETRY, State.QUEUED)
_MEANING: Final[Mapping[str, State]] = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
}


def move(token: UUID, status: str, *, sid: str = "", error_code: str = "", now: datetime | None = None) -> bool:
    """Note what became of a message; one that was not delivered goes by the backup channel, or is tried again if the
    reason may pass.

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
        head = Notification.objects.filter(_is_news(state, sid), token=token)
        pks = list(head.select_for_update(no_key=True).values_list("pk", flat=True))
        if not pks:
            return False
        # What went along as one message arrived with it, or did not.
        rows = Notification.objects.filter(Q(pk__in=pks) | Q(bundled_into__in=pks, state__in=_GONE))
        pks = list(rows.values_list("pk", flat=True))
        rows = Notification.objects.filter(pk__in=pks)
        columns = {"leased_until": None, **_columns(state, sid, error_code, now)}
        if state == State.DELIVERED:
            left = list(rows.filter(state__in=_LOST, sent_at=None).select_related("lead"))
            rows.update(state=state, **columns)
            _note_left(left, now)
        else:
            again = _try_again(rows, token, columns, now) if is_passing(_number(error_code)) else []
            lost = rows.exclude(pk__in=again)
            lost.update(state=state, **columns)
            after_failure(lost.select_related("lead", "event", "user").order_by("pk"), now)
    return True


def _try_again(rows: QuerySet[Notification], token: UUID, columns: Mapping[str, Any], now: datetime) -> list[int]:
    """Have those tried again, as after an attempt that failed, that nobody is told by a backup. Returns which."""
    head = rows.get(token=token)
    if claiming.tries(head) >= claiming.MOST_ATTEMPTS:
        return []
    again = [row.pk for row in rows if not has_backup(row)]
    # Those whose head goes by its backup go by themselves, and its attempts count for them.
    alone = {} if head.pk in again else {"bundled_into": None, "attempts": head.attempts}
    next_at = now + wait_after(claiming.tries(head))
    # While it is being sent, the report may be about an earlier attempt.
    unsure = head.state == State.SENDING
    values = {**columns, **alone, "state": State.RETRY, "next_at": next_at, "unsure": unsure}
    Notification.objects.filter(pk__in=again).update(**values)
    return again


def _note_left(rows: list[Notification], now: datetime) -> None:
    """Nobody else will say that these left: the answer to the attempt was lost."""
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now, next_at=None, unsure=False)
    for row in rows:
        tell_timeline(row)


def _is_news(state: State, sid: str) -> Q:
    """Which rows a report may be about. Its message is the one that we know by that name; or one that we have not noted
    yet, because the report was faster than the answer, or the answer was lost. A report about an earlier attempt, which
    has another name, says nothing about the last one."""
    noted = Q(state=State.SENT, provider_id__in=("", sid)) if sid else Q(state=State.SENT)
    if state == State.DELIVERED:
        return noted | Q(state__in=(State.SENDING, State.RETRY, State.QUEUED))
    earlier = Q(provider_id=sid) if sid else Q(pk=None)
    return noted | (Q(state=State.SENDING) & ~earlier)


def _columns(state: State, sid: str, error_code: str, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {"provider_id": clean(sid)[:200]} if sid else {}
    if state == State.DELIVERED:
        columns["delivered_at"] = now
    if state == State.FAILED:
        known = _number(error_code)
        columns |= {
            "error_code": clean(error_code)[:40],
            "reason": f"It was not delivered. {meaning(known) if known else ''}",
        }
    return columns


def _number(error_code: str) -> int:
    return int(error_code) if error_code.isascii() and error_code.isdigit() and len(error_code) < 8 else 0
