"""Open offers as values ready to show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from distribution.models import Offer
from pipeline.display import Due, age, due_of, money

LAST_CALL: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One lead that may be taken. ``place``: the pool or team it was offered through; ``due``: until when, urgent from
    ``amber`` on."""

    uid: UUID
    title: str
    company: str
    product: str
    value: str
    place: str
    created_at: datetime
    age: str
    due: Due | None
    amber: datetime | None


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
        due=due_of(offer.expires_at, now) if offer.expires_at else None,
        amber=offer.expires_at - LAST_CALL if offer.expires_at else None,
    )
