"""What a message says: an installation's own template, or the default one, filled in for its reader."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from leadcrm.lib.text import clean, clean_lines
from notifications import links
from notifications.channels import EMAIL
from notifications.defaults import LANGUAGES, Words, default_words
from notifications.footer import Footer
from notifications.kinds import KINDS
from notifications.leadwords import words_to
from notifications.mailframe import frame, html_of
from notifications.models import MessageTemplate, Notification
from notifications.readerwords import words_for
from notifications.smslength import plain_signs, without_accents
from notifications.wording import BadWording, names_in, render

logger = logging.getLogger(__name__)

DEFAULT_LANGUAGE: Final = "en"
LONGEST_SUBJECT: Final = 200
SMS: Final = "sms"
# Twilio takes text messages up to 1,600 characters, and WhatsApp no empty variable.
LONGEST_TEXT: Final = {SMS: 1600, "whatsapp": 1600}
NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Content:
    """One message in words. ``html`` is for e-mail; ``content_sid`` names an approved WhatsApp template."""

    subject: str
    text: str
    html: str = ""
    content_sid: str = ""
    content_variables: Mapping[str, str] = field(default_factory=dict)


def content_of(notification: Notification, now: datetime | None = None) -> Content:
    """What one notification says. Its ``html`` is without the frame that ``combined`` puts around it."""
    label = KINDS[notification.kind].label
    said = _said(notification, _words(notification, now or timezone.now()))
    return said if said.subject else replace(said, subject=label)


def _words(notification: Notification, now: datetime) -> dict[str, str]:
    """What its template may name; a lead is told of itself only."""
    if notification.user_id is None and notification.lead is not None:
        return words_to(notification.lead, now)
    return words_for(notification, now)


def _said(notification: Notification, words: Mapping[str, str]) -> Content:
    kind, channel = notification.kind, notification.channel
    own = own_template(notification)
    if own is not None:
        try:
            return fill_in(words_of(own), channel, words, own.content_sid)
        except BadWording:
            logger.exception("template %s could not be filled in; the default text goes instead", own.pk)
    said = fill_in(default_words(kind, channel, language_of(notification)), channel, words)
    # Colleagues read a name without its accent; leads are written as they write themselves.
    return replace(said, text=without_accents(said.text)) if channel == SMS and notification.user_id else said


def language_of(notification: Notification) -> str:
    return notification.language if notification.language in LANGUAGES else DEFAULT_LANGUAGE


def own_template(notification: Notification) -> MessageTemplate | None:
    """The installation's template: in the reader's language, else in the one of the default text that would go
    instead; for the channel before one for all channels."""
    languages = (notification.language or DEFAULT_LANGUAGE, language_of(notification))
    found = MessageTemplate.objects.filter(kind=notification.kind, active=True, language__in=languages)
    fitting = found.filter(channel__in=(notification.channel, ""))
    return min(fitting, key=lambda one: (one.language != languages[0], not one.channel), default=None)


def is_approved(notification: Notification) -> bool:
    """Whether WhatsApp itself approved what a notification says."""
    own = own_template(notification) if notification.channel == "whatsapp" else None
    return own is not None and own.content_sid != ""


def words_of(template: MessageTemplate) -> Words:
    return Words(template.subject, template.text, template.html)


def fill_in(template: Words, channel: str, words: Mapping[str, str], content_sid: str = "") -> Content:
    """A template filled in for a channel.

    An approved template names its places by number: 1 is what the text names first, and so on.

    Raises:
        BadWording: it is no template of ours.
    """
    subject = clean(render(template.subject, words), no_break=True).rstrip(" \u00a0:")[:LONGEST_SUBJECT]
    text = clean_lines(render(template.text, words), no_break=True)
    text = (plain_signs(text) if channel == SMS else text)[: LONGEST_TEXT.get(channel)]
    numbered = enumerate(names_in(template.text), 1) if content_sid else ()
    return Content(
        subject=subject,
        text=text,
        html=(render(template.html, words, html=True) or html_of(text)) if channel == EMAIL else "",
        content_sid=content_sid,
        content_variables={str(number): words.get(name) or NOTHING for number, name in numbered},
    )


def combined(contents: Sequence[Content], language: str = "", footer: Footer | None = None) -> Content:
    """One or several messages to one recipient, as many as fit, as one that is ready to go."""
    first = contents[0]
    bodies = [content.html for content in contents if content.html]
    if len(contents) == 1:
        html = frame(first.subject, bodies, language, footer) if bodies else ""
        text = f"{first.text}\n\n{footer.text}" if footer else first.text
        return Content(first.subject, text, html, first.content_sid, first.content_variables)
    words = LANGUAGES.get(language, LANGUAGES[DEFAULT_LANGUAGE])
    subject = f"{len(contents)} {words.several}{words.colon} {first.subject}"
    return Content(subject, _listed(contents), frame(subject, bodies, language) if bodies else "")


def how_many_fit(contents: Sequence[Content], channel: str) -> int:
    """How many of several messages, from the first on, a channel carries as one: at least one."""
    longest = LONGEST_TEXT.get(channel)
    counts = range(len(contents), 1, -1)
    return next((count for count in counts if longest is None or len(_listed(contents[:count])) <= longest), 1)


def _listed(contents: Sequence[Content]) -> str:
    return "\n\n".join(f"{number}. {_whole(content)}" for number, content in enumerate(contents, 1))


def _whole(content: Content) -> str:
    return content.text if content.text.startswith(content.subject) else f"{content.subject}\n{content.text}"


def link_of(notification: Notification) -> str:
    """The page that a notification is about."""
    return links.page_of(notification.lead) if notification.lead else settings.SITE_URL
