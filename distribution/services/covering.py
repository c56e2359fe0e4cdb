"""Lends the open leads of people on leave to those who stand in for them, and gives them back.

A loan is no new lead: no turn, no cap and no capacity is asked, and none is counted. Each lead is lent and given back
in a transaction of its own, so that one that fails stops nobody, and what a sweep left the next one finds.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from distribution.engine.moments import utc_text
from distribution.errors import AlreadyTaken
from distribution.hours import leave_on
from distribution.models import Assignment, Leave, Loan, Rep
from distribution.services import books, clocks
from distribution.services.handling import end_assignment, lock_held, place_or_raise
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing

logger = logging.getLogger(__name__)


def sweep_cover(limit: int = 500, *, now: datetime | None = None) -> tuple[int, int]:
    """Give back loans that are over, then lend for leave that has begun. Returns how many were lent and given back.

    Loans whose leave changed, or is followed by other leave, go on until its end.
    """
    now = now or timezone.now()
    for loan in loans_to_adjust(now)[:limit]:
        _safely(adjust, loan.pk, now)
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
    return _open_loans().filter(_over(now)).order_by("until", "pk")


def loans_to_adjust(now: datetime) -> QuerySet[Loan]:
    """Open loans whose leave ends at another time than they do, or that other leave lets go on when they are over."""
    following = leave_that_lends(now).filter(rep=OuterRef("lender"), cover=OuterRef("borrower"))
    changed = Q(leave__isnull=False) & ~Q(until=F("leave__ends_at"))
    return _open_loans().filter(changed & ~_over(now) | _over(now) & Exists(following)).order_by("pk")


def _open_loans() -> QuerySet[Loan]:
    return Loan.objects.filter(ended_at=None)


def _over(now: datetime) -> Q:
    ended = Q(leave=None, until__lte=now) | Q(leave__ends_at__lte=now) | Q(leave__cancelled_at__isnull=False)
    return ended | Q(leave__lend_leads=False) | Q(leave__isnull=False) & ~Q(leave__cover=F("borrower"))


@retried
def adjust(loan_id: int, now: datetime) -> bool:
    """Let a loan end with the leave for which it goes on, and let its lead say so.

    Raises:
        AlreadyTaken: somebody changed who has it a moment ago.
    """
    with transaction.atomic():
        loan = Loan.objects.select_related("lender", "borrower").get(pk=loan_id)
        held = lock_held(loan.lead_id)
        leave = _goes_on_for(loan, now)
        same = _open_loans().filter(pk=loan_id)
        if leave is None or not same.update(leave=leave, until=leave.ends_at):
            return False
        if held is not None and held.rep_id == loan.borrower_id:
            _retell(held.lead, loan, leave, now)
        return True


def _goes_on_for(loan: Loan, now: datetime) -> Leave | None:
    """The leave that a loan was made for while that lends; else other leave that lends to the same person now."""
    own = not _open_loans().filter(_over(now), pk=loan.pk).exists()
    return loan.leave if own else leave_that_lends(now).filter(rep=loan.lender, cover=loan.borrower).first()


def _retell(lead: Lead, loan: Loan, leave: Leave, now: datetime) -> None:
    words = _lent_words(loan.borrower, leave, loan.lender)
    place_or_raise(lead, _owned(lead, Standing(lead.routing_state, "lent", words), lead.owner_id))
    data = {"rep": loan.borrower.name, "user": lead.owner_id, "sentence": words}
    Event.objects.create(lead=lead, kind=Event.Kind.LOAN_CHANGED, at=now, data=data)


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
        words = _lent_words(leave.cover, leave, leave.rep)
        _move(held, leave.cover, None, Standing(Lead.RoutingState.ASSIGNED, "lent", words), Event.Kind.LENT, now)
        Loan.objects.create(
            lead_id=lead_id, lender=leave.rep, borrower=leave.cover, leave=leave, since=now, until=leave.ends_at
        )
        return True


def _lent_words(borrower: Rep, leave: Leave, lender: Rep) -> str:
    return f"Lent to {borrower.name} until {utc_text(leave.ends_at)}, while {lender.name} is on leave."


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
    place_or_raise(lead, _owned(lead, standing, to.user_id))
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


def _owned(lead: Lead, standing: Standing, owner_id: int | None) -> Standing:
    """A standing in which somebody has the lead, as accepted as it is."""
    return replace(standing, owner_id=owner_id, team_id=lead.team_id, accepted_at=lead.accepted_at)
