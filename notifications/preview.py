"""What a message template would say, without sending or storing anything."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.contrib.auth.models import User

from notifications.channels import EMAIL, IN_APP
from notifications.content import Content, combined, fill_in
from notifications.defaults import Words
from notifications.fields import EMPTY, SAMPLE
from notifications.footer import build_footer
from notifications.guard import SEQUENCE_KINDS
from notifications.leadwords import words_to
from notifications.localwords import day_words
from notifications.models import Notification
from notifications.readerwords import words_for
from notifications.smslength import sms_length
from notifications.wording import BadWording, read_wording
from pipeline.models import Lead

PARTS: Final = ("subject", "text", "html")
# Text messages are paid by length; a template for every channel is one for them too.
COUNTED: Final = ("sms", "")
# Kinds that tell what somebody wrote just now.
WITH_TEXT: Final = ("reply", "mention")
A_MONDAY: Final = date(2026, 3, 2)
# The preview opens no links.
SAMPLE_LEAVE: Final = "https://crm.example/leave/x/"


@dataclass(frozen=True, slots=True)
class Preview:
    """``length``: how long it is as a text message; empty for channels that do not count."""

    content: Content
    page: str
    length: str


def check_words(words: Words) -> dict[str, str]:
    """What is wrong with a template, by part; it must also fill in whole for a lead of which nothing is known."""
    errors: dict[str, str] = {}
    for part, source in zip(PARTS, words, strict=True):
        try:
            read_wording(source)
        except BadWording as error:
            errors[part] = str(error)
    if not errors:
        for values in (SAMPLE, EMPTY):
            fill_in(words, EMAIL, values)
    return errors


def preview(
    words: Words, kind: str, channel: str, language: str, values: dict[str, str], lead: Lead | None = None
) -> Preview:
    """A template filled in, as its receiver would see it.

    Args:
        lead: whose footer stands below; None: that of leads of no country.

    Raises:
        BadWording: it is no template of ours.
    """
    content = fill_in(words, channel or EMAIL, values)
    footer = build_footer(lead, SAMPLE_LEAVE, language) if kind in SEQUENCE_KINDS else None
    page = combined([content], language, footer).html if content.html else ""
    return Preview(content, page, str(sms_length(content.text)) if channel in COUNTED else "")


def preview_values(lead: Lead | None, kind: str, language: str, reader: User, now: datetime) -> dict[str, str]:
    """What the template is filled in with: what is known of a lead, with links that do nothing; or the sample."""
    if lead is None:
        text = SAMPLE["text"] if kind in WITH_TEXT else ""
        return {**SAMPLE, "text": text, "opens_day": day_words(A_MONDAY, language)}
    if kind in SEQUENCE_KINDS:
        return words_to(lead, now)
    row = Notification(kind=kind, channel=IN_APP, lead=lead, user=reader, language=language)
    told = {name: SAMPLE[name] for name in ("sentence", "actor", "link_accept", "link_decline", "link_snooze")}
    return {**words_for(row, now), **told}
