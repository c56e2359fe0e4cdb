"""Open offers as values ready to show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from distribution.blind import called, called_by, hidden_while_offered
from distribution.models import Offer
from distribution.selectors import open_offers
from leadcrm.lib.prepared import Param, Prepared
from pipeline.display import Due, age, due_of, money, person
from pipeline.models import Lead
from pipeline.selectors import known_people, visible_leads

LAST_CALL: Final = timedelta(minutes=2)
_REMEMBERED: Final = "_offered"


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One lead that may be taken. ``place``: the pool or team it was offered through; ``due``: until when, urgent from
    ``amber`` on; ``hidden``: who it is shows once it is taken."""

    uid: UUID
    hidden: bool
    title: str
    company: str
    product: str
    country: str
    value: str
    score: int | None
    place: str
    created_at: datetime
    age: str
    due: Due | None
    amber: datetime | None


def build_offers(user: User, now: datetime) -> list[OfferLine]:
    """What a user may take now, each lead once. One query."""
    reads_all = user.has_perm("pipeline.view_lead")
    return [_line(offer, offer.hidden and not reads_all, now) for offer in offered_to(user)]


def offered_to(user: User) -> list[Any]:
    """The open offers to a user, each lead once. The user object remembers them, as it does permissions: it lives as
    long as a request, and a board asks both for the lane and for its cards."""
    found: list[Any] | None = getattr(user, _REMEMBERED, None)
    if found is None:
        found = list({offer.lead_id: offer for offer in _OFFERS.rows(user=user.pk)}.values())
        setattr(user, _REMEMBERED, found)
    return found


def _with_what_is_shown() -> QuerySet[Offer]:
    user = Param("user")
    offers = open_offers(user).select_related("lead", "pool", "team")
    return offers.annotate(hidden=hidden_while_offered(user))


_OFFERS: Final = Prepared(_with_what_is_shown)


def _line(offer: Offer, hidden: bool, now: datetime) -> OfferLine:
    lead = offer.lead
    return OfferLine(
        uid=lead.uid,
        hidden=hidden,
        title=called(lead, hidden=hidden),
        company=lead.company if lead.name and not hidden else "",
        product=lead.product if not hidden else "",  # its title says it
        country=lead.country if not hidden else "",
        value=money(lead.value, lead.currency),
        score=lead.score,
        place=str(offer.pool or offer.team or ""),
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        due=due_of(offer.expires_at, now) if offer.expires_at else None,
        amber=offer.expires_at - LAST_CALL if offer.expires_at else None,
    )


def too_late(user: User, lead: Lead) -> str:
    """What to tell a user who was too late to take a lead: who has it now, where the user may know."""
    name = called_by(user, lead)
    winner = User.objects.filter(owned_leads=lead.pk).first()
    if winner is None:
        return f"{name} is not offered to you any more."
    seen = visible_leads(user).filter(pk=lead.pk).exists() or known_people(user).filter(pk=winner.pk).exists()
    return f"{person(winner) if seen else 'Somebody else'} was faster: {name} is taken."
