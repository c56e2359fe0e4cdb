"""What reps do to get a lead: claim one that was offered, or ask for the next one of a queue."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from distribution.engine.eligibility import FULL, Demand, screen
from distribution.engine.people import Member, Pool
from distribution.errors import AlreadyTaken, Full, NotYours
from distribution.models import Assignment, Offer, PoolMember, Rep
from distribution.people import load_pool, load_rep
from distribution.services import books, clocks
from distribution.services.recording import end_waiting
from leadcrm.lib.prepared import Param
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead, Team
from pipeline.services.standing import Standing, open_leads, place

LOST: Final = (Assignment.End.REASSIGNED, Assignment.End.RETURNED, Assignment.End.RELEASED)


def offers_ever_to(user: User) -> QuerySet[Offer]:
    """Offers made to a user's profile, or to a pool or a team of it, those that have ended too."""
    return _offers_ever(Rep.objects.filter(user=user, active=True))


def offers_to(rep: Rep) -> QuerySet[Offer]:
    """Open offers that a rep may take: not of leads that the rep gave up or lost."""
    return _open_offers(Rep.objects.filter(pk=rep.pk))


def offers_to_user(user: User | Param) -> QuerySet[Offer]:
    """:func:`offers_to` for a user's profile, without reading it; none for a user who has none."""
    return _open_offers(Rep.objects.filter(user=user, active=True))


def _offers_ever(rep: QuerySet[Rep]) -> QuerySet[Offer]:
    pools = PoolMember.objects.filter(rep__in=rep.values("pk"), retired_at=None, paused=False).values("pool")
    teams = Team.members.through.objects.filter(user__in=rep.values("user")).values("team")
    return Offer.objects.filter(Q(rep__in=rep.values("pk")) | Q(rep=None, pool__in=pools) | Q(team__in=teams))


def _open_offers(rep: QuerySet[Rep]) -> QuerySet[Offer]:
    had = Assignment.objects.filter(rep__in=rep.values("pk"), end__in=LOST).values("lead")
    open_offers = _offers_ever(rep).filter(ended_at=None, lead__routing_state=Lead.RoutingState.CLAIMABLE)
    return open_offers.exclude(lead__in=had)


@retried
def claim_lead(lead_id: int, *, rep: Rep, now: datetime | None = None) -> Assignment:
    """Take a lead that was offered. The first to do so has it; doing it again changes nothing.

    Raises:
        NotYours: it was not offered to this rep. AlreadyTaken: somebody else was faster. Full: at capacity.
    """
    now = now or timezone.now()
    mine = Assignment.objects.filter(lead=lead_id, rep=rep, ended_at=None).first()
    if mine is not None:
        return mine
    offer = offers_to(rep).filter(lead=lead_id).filter(Q(expires_at=None) | Q(expires_at__gt=now)).first()
    if offer is None:
        _explain_missing_offer(lead_id, rep)
    with transaction.atomic():
        return _take(offer, rep, Assignment.Trigger.CLAIMED, now)


@retried
def pull_next(rep: Rep, *, now: datetime | None = None) -> Assignment | None:
    """Give a rep the next lead of the queues the rep may take from: highest priority first, then the oldest.

    Returns None when nothing waits.

    Raises:
        Full: at capacity.
    """
    now = now or timezone.now()
    with transaction.atomic():
        waiting = offers_to(rep).filter(Q(expires_at=None) | Q(expires_at__gt=now))
        next_lead = open_leads().filter(pk__in=waiting.values("lead")).order_by("-priority", "created_at", "pk")
        # Somebody who pulls at the same time gets the lead after this one.
        chosen = next_lead.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if chosen is None:
            return None
        offer = waiting.filter(lead=chosen).first()
        return _take(offer, rep, Assignment.Trigger.PULLED, now) if offer else None


def _explain_missing_offer(lead_id: int, rep: Rep) -> None:
    lost = Offer.objects.filter(Q(rep=rep) | Q(rep=None), lead=lead_id)
    if lost.exists():
        raise AlreadyTaken("Somebody else was faster, or the offer has ended.")
    raise NotYours("This lead was not offered to you.")


def _take(offer: Offer | None, rep: Rep, trigger: Assignment.Trigger, now: datetime) -> Assignment:
    lead = Lead.objects.select_for_update(no_key=True).filter(pk=offer.lead_id).first() if offer else None
    taker = _taker(offer, rep, now) if offer else None
    if offer is None or lead is None or taker is None:
        raise NotYours("This lead was not offered to you.")
    _check(taker)
    words = f"Taken by {rep.name}."
    owner, team = taker.rep.user_id, taker.rep.team_id
    taken = Standing(Lead.RoutingState.ASSIGNED, trigger, words, owner, team, assigned_at=now, accepted_at=now)
    if lead.routing_state != Lead.RoutingState.CLAIMABLE or not place(lead, taken):
        raise AlreadyTaken("Somebody else was faster.")
    if not books.take_place(taker.rep, now) or not books.take_member_place(taker.id, now):
        raise Full("You are at your limit of leads; close one, or ask for more capacity.")
    end_waiting(lead.pk, now, Offer.End.LOST)
    Offer.objects.filter(pk=offer.pk).update(end=Offer.End.TAKEN)
    event_data = {"rep": rep.name, "user": rep.user_id, "sentence": words}
    Event.objects.create(lead=lead, kind=Event.Kind.ASSIGNED, at=now, actor=rep.user, data=event_data)
    taken_on = Assignment.objects.create(
        lead=lead,
        rep=rep,
        member_id=taker.id or None,
        decision_id=offer.decision_id,
        trigger=trigger,
        actor=rep.user,
        started_at=now,
        accepted_at=now,
    )
    clocks.hand_over_clocks(lead.pk, rep.pk, now)
    return taken_on


def _taker(offer: Offer, rep: Rep, now: datetime) -> Member | None:
    """The rep as a member of the pool that offers; for a team's queue, as the member of no pool (id 0)."""
    if offer.pool_id is None:
        found = load_rep(now, pk=rep.pk)
        return Member(0, found) if found else None
    return next((member for member in load_pool(offer.pool_id, now).members if member.rep.id == rep.pk), None)


def _check(taker: Member) -> None:
    """Whoever takes a lead of their own accord is there, whatever the status says, but must have room."""
    present = replace(taker, rep=replace(taker.rep, away=False, leave=None, off_hours=False))
    refused = screen(Pool(0, "", "", (present,)), Demand()).refused
    for _, reason in refused:
        if reason.kind == FULL:
            raise Full(f"You are {reason.phrase}; close a lead, or ask for more capacity.")
        raise NotYours(f"You cannot take leads now: {reason.phrase}.")
