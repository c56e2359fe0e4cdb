"""What a message to a lead may name: plain texts about the lead, its owner, and when we are there."""

from datetime import datetime
from typing import Any, Final

from distribution.engine.worktime import next_opening
from distribution.hours import hours_of_reps, load_timetable
from distribution.models import Hold, Rep
from leadcrm.lib.text import clean
from notifications import guard
from notifications.fields import EMPTY
from notifications.localwords import day_words
from notifications.readerwords import LONGEST
from pipeline.display import person
from pipeline.models import Lead

_OWN: Final = ("name", "first_name", "last_name", "company", "product", "phone", "email")


def words_to(lead: Lead, now: datetime) -> dict[str, str]:
    """The texts by name of ``notifications.fields`` that a message to this lead may name: only what it knows anyway.

    ``opens_time`` and ``opens_day`` say when we are there, where the lead is and in its language; both are empty when
    we are there now or that is not known, and the day when it is today.
    """
    told = {name: clean(getattr(lead, name))[:LONGEST] for name in _OWN}
    owner = person(lead.owner) if lead.owner else ""
    return {**EMPTY, **told, "lead": str(lead), "owner": owner, **_opening_words(lead, now)}


def _opening_words(lead: Lead, now: datetime) -> dict[str, str]:
    opens, zones = opening_for(lead, now), guard.zones_of(lead, guard.policy_of(lead))
    clocks: set[Any] = {opens.astimezone(zone).utcoffset() for zone in zones} if opens else set()
    if opens is None or len(clocks) != 1:
        return {"opens_day": "", "opens_time": ""}
    local, today = opens.astimezone(zones[0]), now.astimezone(zones[0]).date()
    day = "" if local.date() == today else day_words(local, lead.language)
    return {"opens_day": day, "opens_time": f"{local:%H:%M}"}


def opening_for(lead: Lead, now: datetime) -> datetime | None:
    """When somebody is there for this lead; None when somebody is there now, or nobody knows when."""
    if lead.owner_id is None:
        waits = Hold.objects.filter(lead=lead, released_at=None, retry_at__gt=now)
        return waits.values_list("retry_at", flat=True).first()
    rep = Rep.objects.filter(user=lead.owner_id).values_list("pk", flat=True).first()
    hours = hours_of_reps([rep], load_timetable(now.date()), now).get(rep) if rep else None
    opens = next_opening(hours, now) if hours else None
    return opens if opens and opens > now else None
