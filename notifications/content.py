"""What a message says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from notifications.kinds import KINDS
from notifications.leadwords import default_words
from notifications.models import Notification
from pipeline.models import Lead


@dataclass(frozen=True, slots=True)
class Content:
    """One message in words. ``html`` is for e-mail; ``content_sid`` names an approved WhatsApp template."""

    subject: str
    text: str
    html: str = ""
    content_sid: str = ""
    content_variables: Mapping[str, str] = field(default_factory=dict)


def content_of(notification: Notification) -> Content:
    """What one notification says."""
    if notification.user_id is None and notification.lead is not None:
        return _to_lead(notification, notification.lead)
    label, lead = KINDS[notification.kind].label, notification.lead
    event = notification.event
    words = str(event.data.get("sentence") or "") if event else str(notification.data.get("sentence") or "")
    lines = [line for line in (str(lead) if lead else "", words, link_of(notification)) if line]
    return Content(f"{label}: {lead}" if lead else label, "\n".join(lines))


def _to_lead(notification: Notification, lead: Lead) -> Content:
    subject, text = default_words(notification.kind, notification.channel, lead)
    return Content(subject, text)


def combined(contents: Sequence[Content]) -> Content:
    """Several messages to one recipient as one."""
    if len(contents) == 1:
        return contents[0]
    parts = [f"{number}. {content.subject}\n{content.text}" for number, content in enumerate(contents, 1)]
    return Content(f"{len(contents)} messages: {contents[0].subject}", "\n\n".join(parts))


def link_of(notification: Notification) -> str:
    """The page that a notification is about."""
    lead = notification.lead
    return f"{settings.SITE_URL}/leads/{lead.uid}/" if lead else settings.SITE_URL
