"""Makes a claimed message ready to go, and asks everything that may forbid it, right before it goes."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from notifications import guard
from notifications.channels import CHANNELS, EMAIL, IN_APP, Message, SendError
from notifications.choosing import address_of, secret_for
from notifications.content import Content, combined, content_of, how_many_fit, language_of, link_of
from notifications.footer import Footer, footer_of
from notifications.kinds import KINDS
from notifications.models import Notification
from notifications.services import claiming, switches
from notifications.services.claiming import Claim, State


class Dropped(Exception):
    """The message must not, or need not, go at all."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Postponed(Exception):
    """The message must not go yet. ``for_all``: nor must any other of the channel."""

    def __init__(self, until: datetime, reason: str, *, for_all: bool = False) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason
        self.for_all = for_all


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may go, and what it says for each row that goes with it."""

    message: Message
    contents: tuple[Content, ...]

    @property
    def shown_address(self) -> str:
        """Where it went, for people: browsers have no address that says anything."""
        return "the user's browsers" if self.message.to.startswith("[") else self.message.to[:500]


def drop_outdated(claimed: Claim) -> Claim | None:
    """The claim without what need not be said any more; None when that is the message that was claimed."""
    head, reason = claimed.head, outdated(claimed.head)
    reasons = {other: outdated(other) for other in claimed.others}
    for other, why in reasons.items():
        if why:
            claiming.drop(other, why)
    live = tuple(other for other, why in reasons.items() if not why)
    if not reason:
        return replace(claimed, others=live)
    claiming.release(live, unsure=claimed.again)
    claiming.settle(Claim(head), state=State.SUPPRESSED, reason=reason)
    return None


def outdated(row: Notification) -> str:
    """Why a message need not be sent any more; empty when it must."""
    if row.user_id is None or row.lead is None or row.kind not in KINDS:
        return ""
    kind = KINDS[row.kind]
    if row.backup and kind.awaits and row.lead.accepted_at and row.lead.owner_id == row.user_id:
        return "The lead was accepted in time."
    return kind.outdated(row)


def only_what_fits(claimed: Claim, now: datetime) -> Claim:
    """The claim without those for which the channel has no room in one message; they go in the next one."""
    if not claimed.others:
        return claimed
    room = how_many_fit(_contents(claimed, now), claimed.head.channel) - 1
    with transaction.atomic():
        if claiming.is_ours(claimed):
            claiming.release(claimed.others[room:], unsure=claimed.again)
    return replace(claimed, others=claimed.others[:room])


def prepare(claimed: Claim, now: datetime) -> Ready:
    """The message to send.

    Raises:
        Dropped, Postponed: it must not go, or not yet. SendError: it has nowhere to go.
    """
    head = claimed.head
    address = _address(head)
    contents = _contents(claimed, now)
    footer = _footer(head, address)
    content = combined(contents, language_of(head), footer)
    _ask_guard(head, address, content, now)
    _ask_switches(head.channel, now)
    return Ready(build_message(claimed, address, content, footer.leave_url if footer else ""), contents)


def _footer(head: Notification, address: str) -> Footer | None:
    """Only e-mail to leads has one."""
    if head.user_id is not None or head.lead is None or head.channel != EMAIL:
        return None
    return footer_of(head.lead, address, language_of(head))


def _contents(claimed: Claim, now: datetime) -> tuple[Content, ...]:
    return tuple(_content(row, now, again=claimed.again) for row in claimed.rows)


def _content(row: Notification, now: datetime, *, again: bool) -> Content:
    """What a row says. What may have gone out already is said again in the same words: some providers know a message by
    nothing else, and the time that is left changes every minute."""
    content = content_of(row, now)
    return replace(content, subject=row.subject, text=row.text, html=row.html) if again and row.text else content


def _address(head: Notification) -> str:
    channel = CHANNELS[head.channel]
    missing = channel.unavailable()
    if missing:
        raise SendError(f"{channel.label} cannot be used: {missing}", "unavailable", permanent=True)
    if head.channel == IN_APP:
        return ""
    address = address_of(head.user, head.channel) if head.user else _address_of_lead(head)
    if not address:
        raise SendError(f"There is no verified address for {channel.label}.", "no-address", permanent=True)
    if head.user:
        guard.refuse_stopped(head.channel, address)
    return address


def _address_of_lead(row: Notification) -> str:
    return guard.address_of(row.lead, row.channel) if row.lead else ""


def _ask_guard(head: Notification, address: str, content: Content, now: datetime) -> None:
    if head.user_id is not None or head.lead is None:
        return
    verdict = guard.let_pass(head, address, now, approved_template=bool(content.content_sid))
    if verdict.allowed:
        return
    if verdict.until is None:
        raise Dropped(verdict.reason)
    raise Postponed(verdict.until, verdict.reason)


def _ask_switches(channel: str, now: datetime) -> None:
    stopped = switches.stop_of(channel)
    if stopped:
        raise Postponed(now, stopped, for_all=True)
    free_at = switches.take_place(channel, now)
    if free_at is not None:
        raise Postponed(free_at, switches.FULL, for_all=True)


def build_message(claimed: Claim, address: str, content: Content, leave_url: str = "") -> Message:
    head = claimed.head
    return Message(
        to=address,
        subject=content.subject,
        text=content.text,
        html=content.html,
        token=head.token,
        kind=head.kind,
        at=head.created_at,
        thread=str(head.lead.uid) if head.lead and not claimed.others else "",
        link=link_of(head) if head.user_id else "",
        unsubscribe_url=leave_url,
        reply_to=_reply_to(head),
        content_sid=content.content_sid,
        content_variables=content.content_variables,
        secret=secret_for(head.user, head.channel) if head.user else "",
        urgent=any(row.urgency == Notification.Urgency.URGENT for row in claimed.rows),
        again=claimed.again,
        tried=tuple(head.tried),
        data=facts_of(head),
    )


def _reply_to(head: Notification) -> str:
    """A lead that answers an e-mail writes to its owner."""
    return head.lead.owner.email if head.user_id is None and head.lead and head.lead.owner else ""


def facts_of(row: Notification) -> dict[str, Any]:
    """What programs are told about a message, beside its text."""
    event, lead = row.event, row.lead
    return {
        "lead": str(lead.uid) if lead else None,
        "event": event.kind if event else None,
        "at": (event.at if event else row.created_at).isoformat(),
        **({"data": row.data} if row.data else {}),
    }
