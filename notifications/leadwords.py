"""What a message to a lead may name: plain texts about the lead, its owner, and when we are there."""

from datetime import datetime
from typing import Any, Final

from django.template import Context, Engine
from django.utils import timezone, translation
from django.utils.formats import date_format

from distribution.engine.worktime import next_opening
from distribution.hours import hours_of_reps, load_timetable
from distribution.models import Hold, Rep
from notifications import guard
from notifications.defaults.leads import HOW_TO_END, WORDS
from pipeline.display import person
from pipeline.models import Lead

LANGUAGES: Final = ("en", "de", "es", "fr", "pt")
_CAPITAL_DAYS: Final = ("en", "de")
# No loaders, libraries or builtins beyond Django's own: the text is ours.
_ENGINE: Final = Engine()


def default_words(kind: str, channel: str, lead: Lead, now: datetime | None = None) -> tuple[str, str]:
    """The default subject and text of a kind, for a lead, in its language or else in English.

    Messages to a number say how to end them, as carriers ask.
    """
    language = lead.language if lead.language in LANGUAGES else "en"
    words = WORDS[kind][language]
    context = Context(words_of(lead, now or timezone.now()), autoescape=False)
    text = _ENGINE.from_string(words.text).render(context)
    return words.subject, text if channel == "email" else f"{text} {HOW_TO_END[language]}"


def words_of(lead: Lead, now: datetime) -> dict[str, str]:
    """The texts that a message to this lead may name; "" for what is not known.

    ``opens_time`` and ``opens_day`` say when we are there, where the lead is and in its language; both are empty when
    we are there now or that is not known, and the day when it is today.
    """
    return {
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "name": lead.name,
        "company": lead.company,
        "product": lead.product,
        "phone": lead.phone,
        "owner": person(lead.owner) if lead.owner else "",
        **_opening_words(lead, now),
    }


def _opening_words(lead: Lead, now: datetime) -> dict[str, str]:
    opens, zones = opening_for(lead, now), guard.zones_of(lead, guard.policy_of(lead))
    clocks: set[Any] = {opens.astimezone(zone).utcoffset() for zone in zones} if opens else set()
    if opens is None or len(clocks) != 1:
        return {"opens_day": "", "opens_time": ""}
    local, today = opens.astimezone(zones[0]), now.astimezone(zones[0]).date()
    language = lead.language if lead.language in LANGUAGES else "en"
    with translation.override(language):
        day = date_format(local, "l")
    day = day if language in _CAPITAL_DAYS else day.lower()
    return {"opens_day": "" if local.date() == today else day, "opens_time": f"{local:%H:%M}"}


def opening_for(lead: Lead, now: datetime) -> datetime | None:
    """When somebody is there for this lead; None when somebody is there now, or nobody knows when."""
    if lead.owner_id is None:
        waits = Hold.objects.filter(lead=lead, released_at=None, retry_at__gt=now)
        return waits.values_list("retry_at", flat=True).first()
    rep = Rep.objects.filter(user=lead.owner_id).values_list("pk", flat=True).first()
    hours = hours_of_reps([rep], load_timetable(now.date()), now).get(rep) if rep else None
    opens = next_opening(hours, now) if hours else None
    return opens if opens and opens > now else None
