"""Lends the open leads of people on leave to those who stand in for them, and gives them back.

A loan is no new lead: no turn, no cap and no capacity is asked, and none is counted. Each lead is lent and given back
in a transaction of its own, so that one that fails stops nobody, and what a sweep left the next one finds.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from distribution.engine.moments import utc_text
from distribution.errors import AlreadyTaken
from distribution.hours import leave_on
from distribution.models import Assignment, Leave, Loan, Rep
from distribution.services import books, clocks
from distribution.services.handling import end_assignment, lock_held
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, place

logger = logging.getLogger(__name__)


def sweep_cover(limit: int = 500, *, now: datetime | None = None) -> tuple[int, int]:
    """Give back loans that are over, then lend for leave that has begun. Returns how many were lent and given back."""
    now = now or timezone.now()
    prolong(now)
    returned = sum(_safely(give_back, loan.pk, now) for loan in loans_over(now)[:limit])
    lent = sum(
        _safely(lend, held.lead_id, leave.pk, now) for leave in leave_that_lends(now) for held in to_lend(leave)[:limit]
    )
    return lent, returned


def _safely(step: Callable[..., bool], *args: object) -> bool:
    try:
        return step(*args)
    except AlreadyTaken:
        return False
    except Exception:
        logger.exception("%s of %s failed", step.__name__, args)
        return False


def leave_that_lends(now: datetime) -> QuerySet[Leave]:
    """Leave that holds, and whose cover is there to have the leads."""
    absent = leave_on(now).filter(rep=OuterRef("cover"))
    present = Q(cover__active=True, cover__user__is_active=True)
    return leave_on(now).filter(~Exists(absent), present, lend_leads=True).order_by("pk")


def to_lend(leave: Leave) -> QuerySet[Assignment]:
    """What the rep has had since before the leave, or since before it was known, and is not lent.

    What came back from a loan was the rep's before that loan.
    """
    loans = Loan.objects.filter(lead=OuterRef("lead"))
    came_back = loans.filter(lender=leave.rep_id, ended_at=OuterRef("started_at"))
    before = Q(started_at__lt=max(leave.starts_at, leave.created_at)) | Exists(came_back)
    held = Assignment.objects.filter(rep=leave.rep_id, ended_at=None, lead__closed_at=None, lead__archived_at=None)
    return held.filter(before, ~Exists(loans.filter(ended_at=None))).order_by("lead")


def loans_over(now: datetime) -> QuerySet[Loan]:
    """Open loans whose time is up, or whose leave was cancelled, ended sooner or lends to another one now."""
    ended = Q(until__lte=now) | Q(leave__ends_at__lte=now) | Q(leave__cancelled_at__isnull=False)
    other = Q(leave__lend_leads=False) | Q(leave__isnull=False) & ~Q(leave__cover=F("borrower"))
    return Loan.objects.filter(ended | other, ended_at=None).order_by("until", "pk")


def prolong(now: datetime) -> None:
    """Let loans go on that would end while other leave of the lender lends to the same person."""
    following = leave_that_lends(now).filter(rep=OuterRef("lender"), cover=OuterRef("borrower"))
    over = Loan.objects.filter(pk__in=loans_over(now).order_by().values("pk"))
    over.filter(Exists(following)).update(
        leave=Subquery(following.values("pk")[:1]), until=Subquery(following.values("ends_at")[:1])
    )


@retried
def lend(lead_id: int, leave_id: int, now: datetime) -> bool:
    """Give an open lead of the rep on leave to the cover for as long as the leave lasts.

    Raises:
        AlreadyTaken: somebody changed who has it a moment ago.
    """
    with transaction.atomic():
        held = lock_held(lead_id)
        leave = Leave.objects.select_related("rep", "cover__user").get(pk=leave_id)
        if held is None or leave.cover is None or held.rep_id != leave.rep_id or leave.cancelled_at is not None:
            return False
        words = f"Lent to {leave.cover.name} until {utc_text(leave.ends_at)}, while {leave.rep.name} is on leave."
        _move(held, leave.cover, None, Standing(Lead.RoutingState.ASSIGNED, "lent", words), Event.Kind.LENT, now)
        Loan.objects.create(
            lead_id=lead_id, lender=leave.rep, borrower=leave.cover, leave=leave, since=now, until=leave.ends_at
        )
        return True


@retried
def give_back(loan_id: int, now: datetime) -> bool:
    """End a loan. The lead goes back unless it was closed, somebody else has it meanwhile, or the lender has left.

    Raises:
        AlreadyTaken: somebody changed who has it a moment ago.
    """
    with transaction.atomic():
        loan = Loan.objects.select_related("lender__user", "borrower").get(pk=loan_id)
        held = lock_held(loan.lead_id)
        if not Loan.objects.filter(pk=loan_id, ended_at=None).update(ended_at=now):
            return False
        lender = loan.lender
        if held is None or held.rep_id != loan.borrower_id or not (lender.active and lender.user.is_active):
            return False
        words = f"Back with {lender.name}; {loan.borrower.name} had it meanwhile."
        before = Assignment.objects.filter(lead=loan.lead_id, rep=lender, end=Assignment.End.LENT).latest("pk")
        standing = Standing(Lead.RoutingState.ASSIGNED, "given_back", words)
        _move(held, lender, before.member_id, standing, Event.Kind.GIVEN_BACK, now)
        return True


def _move(
    held: Assignment, to: Rep, member_id: int | None, standing: Standing, event: Event.Kind, now: datetime
) -> None:
    """Let another rep have the lead, as accepted as it is, with a line in its history."""
    lead, words = held.lead, standing.sentence
    owned = Standing(
        standing.state, standing.code, words, owner_id=to.user_id, team_id=lead.team_id, accepted_at=lead.accepted_at
    )
    if not place(lead, owned):
        raise AlreadyTaken("Somebody changed this lead a moment ago.")
    promised = clocks.promised_by(held)
    end_assignment(held, Assignment.End.LENT, now)
    books.hold_place(to.pk, member_id)
    Assignment.objects.create(
        lead=lead,
        rep=to,
        member_id=member_id,
        decision_id=held.decision_id,
        trigger=Assignment.Trigger.LENT,
        started_at=now,
        accepted_at=held.accepted_at,
    )
    # Nothing new is promised: what the last owner had done is done.
    clocks.hand_over_clocks(lead.pk, to.pk, now, promised)
    data = {"rep": to.name, "user": to.user_id, "from": held.rep.name, "sentence": words}
    Event.objects.create(lead=lead, kind=event, at=now, data=data)
