"""What a message to one of our people may name, as plain texts. Nobody is told more of a lead than they may read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User

from distribution.blind import called, hidden_from
from distribution.models import Rep
from leadcrm.lib.text import clean, clean_lines
from notifications import links
from notifications.channels import IN_APP
from notifications.defaults import LANGUAGES
from notifications.fields import EMPTY
from notifications.localwords import amount_words, moment_words, span_words
from notifications.models import Notification
from notifications.why import why_in
from pipeline.display import person
from pipeline.models import Event, Lead
from pipeline.selectors import visible_leads

LONGEST: Final = 300
LONGEST_LINES: Final = 3000
# Kinds that ask for an answer, and so carry the links by which it is given.
ASKING: Final = ("assigned", "offered", "reminder", "warning", "broken", "lent", "given_back", "woken")


def words_for(notification: Notification, now: datetime) -> dict[str, str]:
    """The texts by name of ``notifications.fields``; those that are not known are empty."""
    user, lead, event = notification.user, notification.lead, notification.event
    data = event.data if event else notification.data
    words: dict[str, str] = {**EMPTY, **_told(data, event), "reader": user.first_name if user else ""}
    if due := data.get("due"):
        words["due"] = moment_words(
            datetime.fromisoformat(due), now, zone_of(notification.user_id), notification.language
        )
    if lead is not None:
        words |= _lead_words(notification, lead, user, now)
    return {name: _plain(name, text) for name, text in words.items()}


def _plain(name: str, text: str) -> str:
    """User text cannot add lines, nor characters that are not seen, nor take more than its room."""
    if name == "message_lines":
        return clean_lines(text)[:LONGEST_LINES]
    return text if name.startswith("link_") else _cut(clean(text), 1000 if name in ("text", "message") else LONGEST)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _told(data: Mapping[str, Any], event: Event | None) -> dict[str, str]:
    """What the event says."""
    notes = data.get("notes") or ()
    return {
        "sentence": str(data.get("sentence") or ""),
        "reason": str(data.get("reason") or "").rstrip("."),
        "text": str(data.get("text") or ""),
        "notes": " ".join(map(str, notes)) if isinstance(notes, list | tuple) else str(notes),
        "actor": person(event.actor) if event and event.actor else "",
    }


def _lead_words(row: Notification, lead: Lead, user: User | None, now: datetime) -> dict[str, str]:
    seen = user is not None and visible_leads(user).filter(pk=lead.pk).exists()
    hidden = user is not None and not seen and lead.pk in hidden_from(user, [lead.pk])
    words = {
        "lead": called(lead, hidden=hidden),
        "name": "" if hidden else lead.name,
        "owner": person(lead.owner) if lead.owner else "",
    }
    if not seen and row.kind != "offered":
        return {**words, "text": ""}
    facts = _facts_told(lead, row.language, seen=seen, hidden=hidden)
    return (
        words
        | facts
        | _why_words(lead, row.language)
        | _clock_words(lead, row, now)
        | _link_words(row, lead, user, seen)
    )


def _facts_told(lead: Lead, language: str, *, seen: bool, hidden: bool) -> dict[str, str]:
    """Of a lead that is only offered, not how to reach it; of one that is hidden, nothing that says who it is."""
    if hidden:
        return hidden_facts_of(lead, language)
    facts = facts_of(lead, language)
    return facts if seen else {**facts, "phone": "", "email": ""}


def hidden_facts_of(lead: Lead, language: str = "en") -> dict[str, str]:
    """What helps to decide about a lead of which nobody may know who it is."""
    known = facts_of(lead, language)
    kept = {name: known[name] for name in ("product", "value", "score", "source", "why")}
    # What people wrote about it may name it too.
    silent = dict.fromkeys((*known, "text", "reason"), "")
    return {**silent, **kept, "lead": called(lead, hidden=True), "place": lead.country}


def facts_of(lead: Lead, language: str = "en") -> dict[str, str]:
    """What a lead says about itself."""
    return {
        "lead": str(lead),
        "name": lead.name,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "role": lead.job_title,
        "company": lead.company,
        "place": ", ".join(filter(None, (lead.city, lead.country))),
        "phone": lead.phone,
        "email": lead.email,
        "product": lead.product,
        "value": amount_words(lead.value, lead.currency, language),
        "message": lead.message,
        "message_lines": lead.message,
        "score": str(lead.score) if lead.score is not None else "",
        "source": lead.source.name,
        "why": lead.routing_sentence,
    }


def _why_words(lead: Lead, language: str) -> dict[str, str]:
    """In English the whole sentence that was stored; in other languages, and in short, what its codes can tell."""
    why, sentence = why_in(lead, language), lead.routing_sentence
    told = why.whole or sentence if language in LANGUAGES and language != "en" else sentence
    return {"why": told, "why_short": why.short or sentence}


def _clock_words(lead: Lead, row: Notification, now: datetime) -> dict[str, str]:
    due = lead.respond_by
    if due is None or lead.first_contacted_at or lead.closed_at:
        return {}
    passed = now > due
    return {
        "answer_by": moment_words(due, now, zone_of(row.user_id), row.language),
        "time_left": "" if passed else span_words(due - now, row.language),
        "late_by": span_words(now - due, row.language) if passed else "",
    }


def zone_of(user_id: int | None) -> ZoneInfo:
    """The zone in which a user reads times."""
    zone = Rep.objects.filter(user=user_id).values_list("time_zone", flat=True).first() if user_id else None
    return ZoneInfo(zone or settings.TIME_ZONE)


def _link_words(row: Notification, lead: Lead, user: User | None, seen: bool) -> dict[str, str]:
    words = {"link_open": links.page_of(lead) if seen else f"{settings.SITE_URL}/offers/"}
    if lead.phone and seen:
        words["link_call"] = f"tel:{lead.phone}"
    if user is not None and row.kind in ASKING and row.channel != IN_APP:
        words |= {f"link_{action}": url for action, url in links.action_links(user, lead).items()}
    return words
