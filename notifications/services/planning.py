"""Which rows a message to one user becomes: in the app, by the first channel, by the backup."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.channels import EMAIL, IN_APP
from notifications.choosing import Wishes
from notifications.kinds import Kind
from notifications.models import Notification
from pipeline.models import Event


@dataclass(frozen=True, slots=True)
class Subject:
    """What is told: an event, or something about no lead that has a key of its own."""

    event: Event | None = None
    key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def plan(kind: Kind, subject: Subject, user_id: int, wishes: Wishes, now: datetime) -> list[Notification]:
    """The rows by which one user is told; unsaved."""
    return [
        build(kind, subject, user_id, wishes, channel, at, backup=backup)
        for channel, at, backup in _ways(kind, wishes, now)
    ]


def _ways(kind: Kind, wishes: Wishes, now: datetime) -> Iterator[tuple[str, datetime, bool]]:
    """Channel, when, and whether as a backup."""
    choice = wishes.choice(kind.urgency, _outside(kind))
    first = choice.backup or choice.first if kind.by_backup else choice.first
    if IN_APP in kind.channels:
        yield IN_APP, now, False
    if first == IN_APP or kind.channels == (IN_APP,):
        return
    begin = wishes.not_before(kind.urgency, now)
    yield first, begin, False
    if kind.awaits and choice.backup:
        yield choice.backup, begin + wishes.backup_after, True


def _outside(kind: Kind) -> str:
    """The channel beside the app for who chose none."""
    return next((channel for channel in kind.channels if channel != IN_APP), EMAIL)


def build(
    kind: Kind, subject: Subject, user_id: int, wishes: Wishes, channel: str, at: datetime, *, backup: bool
) -> Notification:
    event = subject.event
    return Notification(
        kind=kind.key,
        event=event,
        key=subject.key,
        lead_id=event.lead_id if event else None,
        data=dict(subject.data),
        urgency=kind.urgency,
        user_id=user_id,
        channel=channel,
        backup=backup,
        language=wishes.language,
        next_at=at,
    )
