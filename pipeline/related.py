"""Other leads that belong to one: of the same person, and of the same company. Only those that the reader may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q

from pipeline.display import age, badge_of, person
from pipeline.models import Lead
from pipeline.selectors import visible_leads

MOST: Final = 6


@dataclass(frozen=True, slots=True)
class RelatedLine:
    """Another lead. ``why``: what it shares with the one that is looked at."""

    uid: UUID
    title: str
    badge: str
    tone: str
    owner: str
    why: str
    created_at: datetime
    age: str


def same_person(lead: Lead, user: User, now: datetime) -> list[RelatedLine]:
    """Leads with the same e-mail address or phone number, and those that it was recognised as; the newest first."""
    asked = Q(duplicate_of=lead) | Q(pk=lead.duplicate_of_id)
    asked |= Q(email=lead.email) if lead.email else Q()
    asked |= Q(phone=lead.phone) if lead.phone else Q()
    return _lines(lead, user, asked, now)


def same_company(lead: Lead, user: User, now: datetime) -> list[RelatedLine]:
    """The other leads of the account or, of a company that we do not know, those that name it; the newest first."""
    if lead.account_id:
        return _lines(lead, user, Q(account=lead.account_id), now)
    named = Q(company__iexact=lead.company) & ~Q(company="")  # as the index says it
    return _lines(lead, user, named, now) if lead.company else []


def _lines(lead: Lead, user: User, asked: Q, now: datetime) -> list[RelatedLine]:
    found = visible_leads(user).filter(asked).exclude(pk=lead.pk).select_related("stage", "owner")
    return [_line(other, lead, now) for other in found.order_by("-created_at", "-pk")[:MOST]]


def _line(other: Lead, lead: Lead, now: datetime) -> RelatedLine:
    badge, tone = badge_of(other)
    return RelatedLine(
        uid=other.uid,
        title=str(other),
        badge=badge,
        tone=tone,
        owner=person(other.owner) if other.owner else "",
        why=", ".join(_shared(other, lead)),
        created_at=other.created_at,
        age=age(other.created_at, now),
    )


def _shared(other: Lead, lead: Lead) -> Iterable[str]:
    if other.email and other.email == lead.email:
        yield "same e-mail"
    if other.phone and other.phone == lead.phone:
        yield "same phone"
    if other.duplicate_of_id == lead.pk:
        yield "came again"
    if lead.duplicate_of_id == other.pk:
        yield "came before"
