"""What a channel is: a way to carry one message to one address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from unicodedata import normalize
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to go.

    to: the address, as the channel writes it. token: the same with every attempt, so that a repeated message is
    recognised. thread: messages about one lead share it. at: when it was made. again: an earlier attempt broke off, and
    may have come through; tried: the marks of what it said then. link: the page that it is about. unsubscribe_url,
    reply_to: of an e-mail, the way out and who gets the answers. secret: by which a webhook knows us. data: plain
    values for programs that receive it.
    """

    to: str
    subject: str
    text: str
    token: UUID
    kind: str
    at: datetime
    html: str = ""
    thread: str = ""
    link: str = ""
    unsubscribe_url: str = ""
    reply_to: str = ""
    content_sid: str = ""
    content_variables: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    urgent: bool = False
    again: bool = False
    tried: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def mark_of(text: str) -> str:
    """By which a text is recognised whatever became of its spaces, its punctuation and its accents on the way: carriers
    and providers put signs in the place of others, to save segments."""
    letters = "".join(char for char in normalize("NFKD", text).casefold() if char.isalnum())
    return sha256(letters.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider took the message.

    provider_id: its name there. delivered: it is with its receiver already. gone: addresses, of several in one
    message, that no longer exist.
    """

    provider_id: str = ""
    delivered: bool = False
    gone: tuple[str, ...] = ()


class SendError(Exception):
    """A message did not go.

    Args:
        text: why, in a sentence for people; without secrets.
        code: short and stable, to filter by.
        permanent: it would not go the next time either.
        unsure: it may have gone all the same, as after an answer that broke off.
        retry_after: seconds that the provider asks to wait.
    """

    def __init__(
        self, text: str, code: str, *, permanent: bool, unsure: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.permanent = permanent
        self.unsure = unsure
        self.retry_after = retry_after


class Channel(Protocol):
    """One way to carry messages. It knows no other one, and no model.

    key: stored in data, never rename it. per_minute: messages that it may carry in a minute, None for any number.
    bundles: whether messages that come soon after each other become one.
    """

    key: str
    label: str
    per_minute: int | None
    bundles: bool

    def unavailable(self) -> str:
        """Why it cannot be used at all, naming the setting that is missing; empty when it can."""

    def send(self, message: Message) -> Receipt:
        """Carry one message.

        Raises:
            SendError: it did not go.
        """
