"""What owners and managers do with a lead they have: accept it, give it back, return it as invalid, pass it on."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from distribution.engine import ledger
from distribution.errors import AlreadyTaken, NotYours, WrongState
from distribution.models import Assignment, CreditCorrection, Decision, Offer, PoolMember, Rep
from distribution.people import load_rep
from distribution.services import books, clocks, waking
from distribution.services.assigning import assign_lead
from distribution.services.recording import end_waiting
from leadcrm.lib.bulk import update_each
from leadcrm.lib.transactions import retried
from pipeline.errors import StaleLead
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, mark_accepted, open_leads, place

# How often a lead may change while a person gives it to somebody, before it is given up.
HAND_ROUNDS: Final = 2


def accept_lead(lead_id: int, *, rep: Rep, now: datetime | None = None) -> None:
    """The owner takes the lead on. Doing it again changes nothing.

    Raises:
        NotYours: somebody else has it, or nobody.
    """
    with transaction.atomic():
        done = accept_own(lead_id, rep, now or timezone.now())
    if not done and not open_leads().filter(pk=lead_id, owner=rep.user_id).exists():
        raise NotYours("This lead is not yours, or it is closed.")


def accept_own(lead_id: int, rep: Rep, now: datetime) -> bool:
    """:func:`accept_lead` inside the caller's transaction; False, and nothing changed, when it cannot be accepted."""
    if not mark_accepted(lead_id, rep.user_id, now):
        return False
    held = Assignment.objects.select_related("lead").filter(lead=lead_id, rep=rep, ended_at=None).first()
    if held is not None:
        Assignment.objects.filter(pk=held.pk).update(accepted_at=now)
        clocks.accepted(held, now)
    _tell(lead_id, Event.Kind.ACCEPTED, now, rep.user, rep=rep.name)
    return True


def release_lead(lead_id: int, *, actor: User | None, reason: str = "", now: datetime | None = None) -> None:
    """Take a lead from its owner and let the rules choose someone who did not have it yet.

    Raises:
        WrongState: nobody has it, or it is closed.
    """
    now = now or timezone.now()
    _end(lead_id, Assignment.End.RELEASED, Event.Kind.RELEASED, _unassigned(reason, now), actor, reason, now)
    assign_lead(lead_id, trigger=Assignment.Trigger.RETURNED, actor=actor, now=now)


def return_lead(lead_id: int, *, actor: User | None, reason: str, now: datetime | None = None) -> None:
    """The lead is no lead at all: it leaves routing, and a turn it cost is given back when it is returned in time.

    Raises:
        WrongState: nobody has it, or it is closed.
    """
    now = now or timezone.now()
    invalid = Standing(Lead.RoutingState.EXCLUDED, "invalid", f"Returned as invalid: {reason}")
    _end(lead_id, Assignment.End.RETURNED, Event.Kind.RETURNED, invalid, actor, reason, now, refund=True)


def exclude_lead(lead_id: int, *, actor: User | None, reason: str, now: datetime | None = None) -> None:
    """Keep a lead that nobody has out of routing.

    Raises:
        WrongState: somebody has it, or it is closed.
    """
    now = now or timezone.now()
    lead = open_leads().filter(pk=lead_id).exclude(routing_state=Lead.RoutingState.ASSIGNED).first()
    if lead is None:
        raise WrongState("This lead has an owner or is closed.")
    with transaction.atomic():
        place_or_raise(lead, Standing(Lead.RoutingState.EXCLUDED, "excluded", f"Kept out of routing: {reason}"))
        end_waiting(lead_id, now, Offer.End.WITHDRAWN)
        clocks.end_all(lead_id, now)
        _tell(lead_id, Event.Kind.EXCLUDED, now, actor, reason=reason)


def reassign_lead(
    lead_id: int,
    *,
    to: Rep | None = None,
    actor: User | None = None,
    reason: str = "",
    version: int | None = None,
    now: datetime | None = None,
) -> Decision | None:
    """Give a lead to someone else.

    Args:
        to: who gets it, whatever their capacity; None lets the rules choose among those who did not have it yet.
        actor: who decided so.
        version: of the lead as the actor saw it; None does it whatever happened since.

    Returns:
        The decision when the rules chose, None otherwise. A turn it cost the last owner is given back when the pool's
        time for that has not passed; within one pool, a named receiver pays it.

    Raises:
        WrongState: the lead is closed, or ``to`` is not active; StaleLead: it was changed meanwhile.
    """
    now = now or timezone.now()
    if to is not None:
        _by_hand(partial(_hand_over, lead_id, to, actor, reason, now, version))
        return None
    told = (_unassigned(reason, now), actor, reason, now)
    _end(lead_id, Assignment.End.REASSIGNED, Event.Kind.RELEASED, *told, refund=True, version=version)
    return assign_lead(lead_id, trigger=Assignment.Trigger.REASSIGNED, actor=actor, now=now)


def _by_hand(decide: Callable[[], None]) -> None:
    """What a person decides goes before what the rules decide in the same moment: it is done to what came of that."""
    for _ in range(HAND_ROUNDS):
        with suppress(AlreadyTaken):
            return decide()
    return decide()


def _unassigned(reason: str, now: datetime) -> Standing:
    words = f"Looking for someone else: {reason}" if reason else "Looking for someone else."
    return Standing(Lead.RoutingState.UNASSIGNED, "released", words, next_attempt_at=now)


@retried
def _end(
    lead_id: int,
    end: Assignment.End,
    event: Event.Kind,
    standing: Standing,
    actor: User | None,
    reason: str,
    now: datetime,
    *,
    refund: bool = False,
    version: int | None = None,
) -> None:
    """End the open assignment and leave the lead without an owner, in one transaction."""
    with transaction.atomic():
        held = lock_held(lead_id)
        if held is None:
            raise WrongState("Nobody has this lead, or it is closed.")
        _check_version(held.lead, version)
        place_or_raise(held.lead, standing)
        end_assignment(held, end, now, reason)
        if standing.state == Lead.RoutingState.EXCLUDED:
            clocks.end_all(lead_id, now)
        if refund:
            refund_turn(held, now, actor, reason)
        _tell(lead_id, event, now, actor, rep=held.rep.name, reason=reason)


def _check_version(lead: Lead, version: int | None) -> None:
    if version is not None and lead.version != version:
        raise StaleLead


@retried
def _hand_over(
    lead_id: int, to: Rep, actor: User | None, reason: str, now: datetime, version: int | None = None
) -> None:
    receiver = load_rep(now, pk=to.pk)
    if receiver is None or not receiver.active:
        raise WrongState(f"{to.name} is not active.")
    with transaction.atomic():
        held = lock_held(lead_id)
        lead = held.lead if held else _lock_unheld(lead_id)
        _check_version(lead, version)
        if held and held.rep_id == to.pk:
            return
        words = f"Given to {to.name} by hand" + (f": {reason}" if reason else ".")
        place_or_raise(
            lead, Standing(Lead.RoutingState.ASSIGNED, "manual", words, receiver.user_id, receiver.team_id, now)
        )
        end_waiting(lead_id, now, Offer.End.WITHDRAWN)
        member = _move_turn(held, to, now, actor, reason) if held else None
        books.take_place(receiver, now, enforce=False)
        if member is not None:
            books.post({}, {member.pk: 1}, now)
        _open_by_hand(lead, to, member, held.decision_id if held else None, actor, reason, now)
        clocks.hand_over_clocks(lead_id, to.pk, now)
        _tell(lead_id, Event.Kind.REASSIGNED, now, actor, rep=to.name, user=to.user_id, reason=reason, sentence=words)


def _lock_unheld(lead_id: int) -> Lead:
    """An open lead that nobody holds. Whoever gives it to somebody at the same time waits, and finds it changed."""
    lead = open_leads().select_for_update(no_key=True).filter(pk=lead_id).first()
    if lead is None:
        raise WrongState("This lead is closed or gone.")
    _held(lead_id, unless=lambda held: True)
    return lead


def _open_by_hand(
    lead: Lead,
    rep: Rep,
    member: PoolMember | None,
    decision_id: int | None,
    actor: User | None,
    reason: str,
    now: datetime,
) -> None:
    Assignment.objects.create(
        lead=lead,
        rep=rep,
        member=member,
        decision_id=decision_id,
        trigger=Assignment.Trigger.MANUAL,
        actor=actor,
        reason=reason[:200],
        started_at=now,
    )


def _move_turn(held: Assignment, to: Rep, now: datetime, actor: User | None, reason: str) -> PoolMember | None:
    """End the old assignment; within the same pool, the receiver pays the turn that the old owner gets back."""
    end_assignment(held, Assignment.End.REASSIGNED, now, reason)
    if held.member is None:
        return None
    receiver = PoolMember.objects.filter(pool=held.member.pool_id, rep=to, retired_at=None).first()
    if receiver is None:
        refund_turn(held, now, actor, reason)
    elif _in_time(held, now) and _posted(held):
        turn = {held.member.pk: ledger.UNIT, receiver.pk: -ledger.UNIT}
        books.correct(turn, CreditCorrection.Kind.MANUAL, now, reason=reason[:200], actor=actor)
    return receiver


def lock_held(lead_id: int) -> Assignment | None:
    """The open assignment of an open lead, with its pool locked before its lead, as everywhere."""
    held = _held(lead_id)
    if held is None:
        return None
    if held.member is not None:
        books.lock_pool(held.member.pool_id)
    list(Lead.objects.select_for_update(no_key=True).filter(pk=lead_id).values_list("pk"))
    return _held(lead_id, unless=lambda again: again.pk != held.pk)


def _held(lead_id: int, unless: Callable[[Assignment], bool] | None = None) -> Assignment | None:
    held = (
        Assignment.objects.select_related("lead", "rep", "member__pool", "decision")
        .filter(lead=lead_id, ended_at=None, lead__closed_at=None, lead__archived_at=None)
        .first()
    )
    if held is not None and unless is not None and unless(held):
        raise AlreadyTaken("Somebody changed who has this lead a moment ago.")
    return held


def end_assignment(held: Assignment, end: Assignment.End, now: datetime, reason: str = "") -> None:
    """End an assignment with its clocks and free its place; one that had ended before stays as it is."""
    end_assignments([(held, reason)], end, now)


def end_assignments(
    endings: Sequence[tuple[Assignment, str]], end: Assignment.End, now: datetime, *, decided: bool = False
) -> None:
    """:func:`end_assignment` for many, each with its reason, by statements for all of them.

    Args:
        decided: it is recorded in the same transaction where the leads go (:func:`clocks.end_assignment_clocks`).
    """
    rows = [{"id": held.pk, "ended_at": now, "end": end, "reason": why[:200]} for held, why in endings]
    changed = update_each(Assignment, rows, match=("id",), where="t.ended_at IS NULL")
    ended = [held for held, _ in endings if held.pk in changed]
    if not ended:
        return
    clocks.end_assignment_clocks(ended, now, decided=decided)
    freed = Counter(held.rep_id for held in ended)
    books.free_places(freed, Counter(held.member_id for held in ended if held.member_id is not None))
    waking.wake_for_room(freed, now)


def take_up_assignment(lead_id: int, ended_at: datetime) -> None:
    """The assignment that ended with the closing of its lead at this moment goes on, and takes its place again."""
    ended = Assignment.objects.filter(lead=lead_id, ended_at=ended_at, end=Assignment.End.CLOSED)
    held = ended.order_by("-pk").first()
    if held is not None and ended.filter(pk=held.pk).update(ended_at=None, end=""):
        books.hold_place(held.rep_id, held.member_id)


def end_routing(lead_id: int, now: datetime) -> None:
    """Nobody is to have a lead any more, as one that was merged into another: its promises, its assignment, and what
    it waits for end. In the caller's transaction, which has locked the lead and says where it stands."""
    clocks.end_all(lead_id, now)
    held = Assignment.objects.filter(lead=lead_id, ended_at=None).first()
    if held is not None:
        end_assignment(held, Assignment.End.CLOSED, now)
    end_waiting(lead_id, now, Offer.End.WITHDRAWN)


def refund_turn(held: Assignment, now: datetime, actor: User | None, reason: str) -> None:
    """Reverse the whole posting of the decision that gave the lead, once, and only within the pool's time for it."""
    posting = _posted(held) if _in_time(held, now) else {}
    if not posting or CreditCorrection.objects.filter(decision=held.decision, kind="refund").exists():
        return
    reversed_posting = {member: -amount for member, amount in posting.items()}
    kind = CreditCorrection.Kind.REFUND
    books.correct(reversed_posting, kind, now, reason=reason[:200], actor=actor, decision=held.decision)


def _in_time(held: Assignment, now: datetime) -> bool:
    return held.member is not None and now - held.started_at <= timedelta(days=held.member.pool.refund_days)


def _posted(held: Assignment) -> dict[int, int]:
    """The change of credit by member that the decision behind an assignment made, from its stored trace."""
    trace = getattr(held.decision, "trace", None) if held.decision else None
    if trace is None or held.trigger == Assignment.Trigger.MANUAL:
        return {}
    rows: list[dict[str, Any]] = trace.data["attempts"][-1]["candidates"] if trace.data["attempts"] else []
    return {row["member"]: row["after"] - row["before"] for row in rows if "after" in row}


def place_or_raise(lead: Lead, standing: Standing) -> None:
    """Write where a lead stands.

    Raises:
        AlreadyTaken: somebody changed it since it was read.
    """
    if not place(lead, standing):
        raise AlreadyTaken("Somebody changed this lead a moment ago.")


def _tell(lead_id: int, kind: Event.Kind, now: datetime, actor: User | None, **data: Any) -> None:
    Event.objects.create(lead_id=lead_id, kind=kind, at=now, actor=actor, data=data)
