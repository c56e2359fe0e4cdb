"""What follows when a message could not be delivered: the backup or the next channel, and a word to the admins."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from notifications.channels import CHANNELS, IN_APP
from notifications.choosing import Wishes, wishes_of
from notifications.kinds import KINDS, admins
from notifications.models import Notification
from notifications.services.claiming import WAITING
from notifications.services.planning import Subject, build
from notifications.services.sequences import use_next_channel
from notifications.services.telling import store, tell

FAILING: Final = "delivery_failing"


def after_failure(rows: Iterable[Notification], now: datetime) -> None:
    """Try the backup channel of whoever did not get a message, or the next one of a lead, and tell the admins; when the
    rows say *failed*."""
    for row in rows:
        if _may_have_backup(row):
            use_backup(row, now)
        if row.run_id is not None:
            use_next_channel(row, now)
        if row.kind != FAILING:
            tell_admins(row, now)


def _may_have_backup(row: Notification) -> bool:
    return row.user_id is not None and not row.backup and row.kind in KINDS


def has_backup(row: Notification) -> bool:
    """Whether there is a backup by which its receiver is told, or was."""
    return _may_have_backup(row) and (_backups(row).exists() or bool(_backup_channel(row, _wishes(row))))


def use_backup(row: Notification, now: datetime) -> None:
    """Send by the backup channel at once: the message that waits for it, or a new one."""
    mine = _backups(row)
    if mine.filter(state__in=WAITING, next_at__gt=now).update(next_at=now) or mine.exists():
        return
    wishes = _wishes(row)
    backup = _backup_channel(row, wishes)
    if backup:
        subject = Subject(row.event, row.key, row.data)
        store([build(KINDS[row.kind], subject, row.user_id or 0, wishes, backup, now, backup=True)], now)


def _backups(row: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(event=row.event_id, key=row.key, user=row.user_id, backup=True)


def _wishes(row: Notification) -> Wishes:
    return wishes_of([row.user_id or 0]).get(row.user_id or 0, Wishes())


def _backup_channel(row: Notification, wishes: Wishes) -> str:
    backup = wishes.choice(row.urgency).backup
    return backup if backup != row.channel and row.channel != IN_APP else ""


def tell_admins(row: Notification, now: datetime) -> None:
    """Once per channel and hour, whatever the number of failures."""
    failed = Notification.objects.filter(pk=row.pk).values_list("reason", flat=True).first() or row.reason
    sentence = f"A message by {CHANNELS[row.channel].label} could not be sent: {failed}"
    data = {"channel": row.channel, "sentence": sentence}
    tell(FAILING, admins(), key=f"{FAILING}:{row.channel}:{now:%Y-%m-%dT%H}", data=data, now=now)
