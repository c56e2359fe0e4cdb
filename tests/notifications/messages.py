"""Messages to send, and what became of them."""

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from notifications.channels import CHANNELS, Message, Receipt, SendError
from notifications.models import Notification
from pipeline.models import Event
from tests.distribution.setups import make_user
from tests.distribution.world import make_lead

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class Recorder:
    """A channel that keeps what it is given; ``answers`` says what the next ones end with instead."""

    label = "Recorder"

    def __init__(self, key: str = "recorder", *, bundles: bool = True, per_minute: int | None = None) -> None:
        self.key, self.bundles, self.per_minute = key, bundles, per_minute
        self.seen: list[Message] = []
        self.answers: list[Any] = []
        self.missing = ""

    def unavailable(self) -> str:
        return self.missing

    def send(self, message: Message) -> Receipt:
        self.seen.append(message)
        answer = self.answers.pop(0) if self.answers else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer or Receipt(f"id-{len(self.seen)}")


@contextmanager
def channels(*extra: Any):
    """Have more channels, for a test."""
    with ExitStack() as stack:
        for channel in extra:
            CHANNELS.add(channel.key, channel)
            stack.callback(CHANNELS.remove, channel.key)
        yield


def user(name: str, **more: Any) -> User:
    return User.objects.filter(username=name).first() or make_user(name, email=f"{name}@sales.example", **more)


def happened(kind: str, **data: Any) -> Event:
    """Something that happened to a new lead."""
    return Event.objects.create(lead=make_lead(last_name="Novak"), kind=kind, at=NOW, data=data)


def queued(to: User, channel: str = "recorder", **more: Any) -> Notification:
    defaults = {"kind": "mention", "key": f"test:{Notification.objects.count()}", "next_at": NOW}
    return Notification.objects.create(user=to, channel=channel, **{**defaults, **more})


def passing(text: str = "Not now.") -> SendError:
    return SendError(text, "busy", permanent=False)


def permanent(text: str = "No such address.") -> SendError:
    return SendError(text, "unknown", permanent=True)


def states(**where: Any) -> list[str]:
    return list(Notification.objects.filter(**where).order_by("pk").values_list("state", flat=True))
