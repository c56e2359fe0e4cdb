"""Open offers as values ready to show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from distribution.models import Offer
from pipeline.display import age, money


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One lead that may be taken. ``place``: the pool or team it was offered through."""

    uid: UUID
    title: str
    company: str
    product: str
    value: str
    place: str
    created_at: datetime
    age: str
    expires_at: datetime | None


def build_offers(offers: Iterable[Offer], now: datetime) -> list[OfferLine]:
    """Offers that were read with their lead, pool and team."""
    return [_line(offer, now) for offer in offers]


def _line(offer: Offer, now: datetime) -> OfferLine:
    lead = offer.lead
    return OfferLine(
        uid=lead.uid,
        title=str(lead),
        company=lead.company if lead.name else "",
        product=lead.product,
        value=money(lead.value, lead.currency),
        place=str(offer.pool or offer.team or ""),
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        expires_at=offer.expires_at,
    )
