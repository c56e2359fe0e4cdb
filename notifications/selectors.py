"""What the pages of notifications read. A message is its receiver's alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from notifications.channels import IN_APP
from notifications.kinds import KINDS
from notifications.models import Notification
from pipeline.display import age

# So many are counted; what is above is "99+".
MOST_COUNTED: Final = 100
ON_A_PAGE: Final = 30


@dataclass(frozen=True, slots=True)
class Unread:
    """How many messages in the app were not read yet, and the newest of them."""

    count: int
    newest: int

    @property
    def tag(self) -> str:
        return f'"{self.count}-{self.newest}"'

    @property
    def shown(self) -> str:
        return f"{MOST_COUNTED - 1}+" if self.count >= MOST_COUNTED else str(self.count or "")


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the app as it is shown."""

    pk: int
    kind: str
    subject: str
    text: str
    at: datetime
    age: str
    unread: bool
    urgent: bool


def messages_of(user: User) -> QuerySet[Notification]:
    """What a user was told in the app, newest first."""
    mine = Notification.objects.filter(user=user, channel=IN_APP, state=Notification.State.DELIVERED)
    return mine.order_by("-pk")


def unread_of(user: User) -> Unread:
    """One query over an index of what is unread."""
    newest = list(messages_of(user).filter(read_at=None).values_list("pk", flat=True)[:MOST_COUNTED])
    return Unread(len(newest), newest[0] if newest else 0)


def lines_of(user: User, now: datetime, *, before: int = 0, unread: bool = False, limit: int = ON_A_PAGE) -> list[Line]:
    """A page of messages; ``before``: only those older than this one."""
    rows = messages_of(user).select_related("lead")
    rows = rows.filter(pk__lt=before) if before else rows
    rows = rows.filter(read_at=None) if unread else rows
    return [_line(row, now) for row in rows[:limit]]


def _line(row: Notification, now: datetime) -> Line:
    return Line(
        pk=row.pk,
        kind=KINDS[row.kind].label if row.kind in KINDS else row.kind,
        subject=row.subject,
        text=_without_links(row.text),
        at=row.created_at,
        age=age(row.created_at, now),
        unread=row.read_at is None,
        urgent=row.urgency == Notification.Urgency.URGENT,
    )


def _without_links(text: str) -> str:
    """The message opens its lead by itself."""
    return "\n".join(line for line in text.splitlines() if "://" not in line)
