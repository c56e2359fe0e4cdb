"""How values of leads are written for people on pages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User

from leadcrm.lib.moments import short_moment, span_text
from leadcrm.lib.places import countries, regions
from pipeline.models import Account, Lead
from pipeline.selectors import status_of
from pipeline.signals import takeable_asked

# Status: what a badge says, and its tone (a class of the stylesheet).
BADGES: Final = {
    "new": ("New", "info"),
    "unassigned": ("Nobody yet", "warn"),
    "held": ("Waiting", "warn"),
    "claimable": ("Up for claim", "act"),
    "assigned": ("To accept", "act"),
    "accepted": ("Accepted", "good"),
    "contacted": ("Contacted", "good"),
    "won": ("Won", "good"),
    "lost": ("Lost", ""),
    "excluded": ("Kept out", ""),
    "error": ("Routing failed", "bad"),
}
_STEPS: Final = (
    (timedelta(minutes=1), timedelta(hours=1), "min"),
    (timedelta(hours=1), timedelta(days=1), "h"),
    (timedelta(days=1), timedelta(days=14), "d"),
    (timedelta(days=7), timedelta(days=365), "wk"),
    (timedelta(days=365), timedelta.max, "y"),
)


def badge_of(lead: Lead) -> tuple[str, str]:
    """What the badge of a lead says, and its tone. Reads the lead's stage."""
    return BADGES[status_of(lead)]


def takeable(user: User, leads: Iterable[Lead]) -> set[int]:
    """The ids of those of these leads that the user may take now."""
    free = [lead.pk for lead in leads if lead.routing_state == Lead.RoutingState.CLAIMABLE]
    answers: list[tuple[Any, Any]] = takeable_asked.send(Lead, user=user, lead_ids=free) if free else []
    return {pk for _, found in answers for pk in found}


def action_of(lead: Lead, user: User, free: Collection[int]) -> str:
    """What this user is asked to do with a lead: ``accept``, ``claim`` when it is among the free ones, or nothing."""
    if lead.closed_at or lead.archived_at:
        return ""
    if lead.owner_id == user.pk:
        return "" if lead.accepted_at else "accept"
    return "claim" if lead.pk in free else ""


def age(moment: datetime, now: datetime) -> str:
    """How long ago: ``just now``, ``5 min ago``, ``3 h ago``, ``2 d ago``."""
    passed = rough(now - moment)
    return f"{passed} ago" if passed else "just now"


def rough(span: timedelta) -> str:
    """A span in its largest unit: ``5 min``, ``3 h``, ``2 d``; empty below a minute."""
    for unit, limit, name in _STEPS:
        if unit <= span < limit:
            return f"{span // unit} {name}"
    return ""


def exact(span: timedelta) -> str:
    """A span as clocks tell it: below a day to the minute, ``1 h 51 min``, else :func:`rough`."""
    return span_text(span) if span < timedelta(days=1) else rough(span)


@dataclass(frozen=True, slots=True)
class Due:
    """Until when somebody must do something: ``text`` for cards, ``left`` for where there is room."""

    at: datetime
    text: str
    left: str
    late: bool


def due_of(at: datetime, now: datetime) -> Due:
    """``by 14:05`` with ``4 min left``; once it has passed ``late, was due by 14:05`` with ``5 min late``."""
    moment, late = short_moment(at, now), at <= now
    span = exact(abs(at - now)) or "less than a minute"
    return Due(
        at, f"late, was due by {moment}" if late else f"by {moment}", f"{span} {'late' if late else 'left'}", late
    )


def money(amount: Decimal | None, currency: str) -> str:
    """12,500 EUR; cents only where there are any; empty for nothing."""
    if amount is None:
        return ""
    digits = 0 if amount == amount.to_integral_value() else 2
    return f"{amount:,.{digits}f} {currency}"


def field_label(name: str) -> str:
    """What people call a field of a lead."""
    return "E-mail" if name == "email" else str(getattr(Lead._meta.get_field(name), "verbose_name", name)).capitalize()


def place_of(where: Lead | Account) -> str:
    """Where somebody is, by the names that people know; what is in no table stays as it came."""
    country, region = countries().get(where.country), regions(where.country).get(where.region)
    parts = (f"{where.postal_code} {where.city}".strip(), region.name if region else where.region)
    return ", ".join(filter(None, (*parts, country.name if country else where.country)))


def person(user: User) -> str:
    return user.get_full_name() or user.get_username()


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def cut(sentence: str, length: int) -> tuple[str, str]:
    """A sentence cut between two words, when it is longer: its beginning, and the rest."""
    if len(sentence) <= length:
        return sentence, ""
    end = sentence.rfind(" ", length // 2, length)
    end = length if end == -1 else end
    return sentence[:end], sentence[end:].strip()
