"""Writes a decision down: the lead's standing, the assignment, offers or hold, the books, the trace and the event.

All of it in the caller's transaction, and nothing of it when the lead was changed in between.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User

from distribution.compiling import World
from distribution.engine import outcomes
from distribution.engine.decision import SCHEMA_VERSION, digest, render_trace
from distribution.engine.decision import Decision as Choice
from distribution.engine.sentences import sentence
from distribution.models import Assignment, Decision, DecisionTrace, Hold, Offer
from distribution.promises import PolicyBook
from distribution.services import books, clocks
from distribution.services.clocks import Opening, Routed
from distribution.snapshots import Subject
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, place

RETRY_AFTER: Final = timedelta(seconds=60)
HOLD_FOR: Final = timedelta(minutes=15)

_STATES: Final[Mapping[str, Lead.RoutingState]] = {
    outcomes.ASSIGNED: Lead.RoutingState.ASSIGNED,
    outcomes.KEPT: Lead.RoutingState.ASSIGNED,
    outcomes.OFFERED: Lead.RoutingState.CLAIMABLE,
    outcomes.QUEUED: Lead.RoutingState.CLAIMABLE,
    outcomes.HELD: Lead.RoutingState.HELD,
}
_EVENTS: Final[Mapping[str, Event.Kind]] = {
    outcomes.ASSIGNED: Event.Kind.ASSIGNED,
    outcomes.KEPT: Event.Kind.ASSIGNED,
    outcomes.OFFERED: Event.Kind.OFFERED,
    outcomes.QUEUED: Event.Kind.QUEUED,
    outcomes.HELD: Event.Kind.HELD,
}


class Changed(Exception):
    """The lead, or the room of the rep, is not as it was when the decision was made: roll back and decide again."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why and when a lead is routed. ``took_us``: time to decide, in microseconds."""

    trigger: str
    now: datetime
    actor: User | None = None
    took_us: int = 0


def record(subject: Subject, choice: Choice, world: World, occasion: Occasion) -> Decision:
    """Write everything that follows from a decision made in a world, whose promises start to run.

    Raises:
        Changed: the lead or the rep's room changed since it was made; nothing must be kept.
    """
    words = sentence(choice)
    opening = open_clocks([(subject, choice)], world, occasion)[subject.lead.pk]
    claim(subject, choice, words, occasion.now, opening.respond_by)
    move_clocks([opening])
    winner = choice.winner
    if winner is not None and not books.take_place(
        winner.rep, occasion.now, enforce=choice.outcome == outcomes.ASSIGNED
    ):
        raise Changed
    decision = build_decision(subject.lead, choice, words, occasion)
    trace = build_trace(decision, choice, occasion)
    decision.save(force_insert=True)
    trace.decision_id = decision.pk
    trace.save(force_insert=True)
    assignment = None
    if winner is not None:
        assignment = build_assignment(subject.lead, choice, decision, occasion)
        assignment.save(force_insert=True)
        books.post(choice.postings, {winner.id: 1} if winner.id else {}, occasion.now)
    else:
        Hold.objects.bulk_create(build_holds(subject.lead, choice, decision, occasion))
        Offer.objects.bulk_create(build_offers(subject.lead, choice, decision, occasion))
    clocks.write_started([(opening, assignment)])
    build_event(subject.lead, choice, decision, occasion).save(force_insert=True)
    return decision


def open_clocks(cases: Sequence[tuple[Subject, Choice]], world: World, occasion: Occasion) -> dict[int, Opening]:
    """The clocks that decisions start, by lead. A lead's own clock counts from when it came in; from now for an
    import, whose leads may be old."""
    routed = [_routed(subject, choice, world.policies, occasion) for subject, choice in cases]
    return clocks.open_clocks(routed, world, occasion.now)


def _routed(subject: Subject, choice: Choice, policies: PolicyBook, occasion: Occasion) -> Routed:
    lead, rule, winner = subject.lead, choice.rule, choice.winner
    policy = policies.choose(rule.sla_policy_id if rule else None, learned(subject, choice)["priority"])
    since = occasion.now if occasion.trigger == Assignment.Trigger.BATCH else min(lead.created_at, occasion.now)
    return Routed(lead, policy, winner.rep.id if winner else None, since)


def move_clocks(openings: Iterable[Opening]) -> None:
    """Let the leads' own clocks go on as worked out. Raises Changed when one of them changed since."""
    try:
        clocks.write_moved(openings)
    except clocks.ClockChanged:
        raise Changed from None


def claim(subject: Subject, choice: Choice, words: str, now: datetime, respond_by: datetime | None) -> None:
    lead = subject.lead
    if not place(lead, standing_of(choice, words, now), **learned(subject, choice), respond_by=respond_by):
        raise Changed
    if lead.routing_state in (Lead.RoutingState.HELD, Lead.RoutingState.CLAIMABLE):
        end_waiting(lead.pk, now, Offer.End.WITHDRAWN)


def learned(subject: Subject, choice: Choice) -> dict[str, Any]:
    """What routing found out about a lead beside who gets it, as columns."""
    rule = choice.rule
    return {
        "account_id": subject.account.pk if subject.account else None,
        "duplicate_of_id": subject.matches.duplicate_of,
        "priority": subject.lead.priority if rule is None or rule.priority is None else rule.priority,
    }


def standing_of(choice: Choice, words: str, now: datetime) -> Standing:
    """Where a decision leaves the lead."""
    state = _STATES.get(choice.outcome, Lead.RoutingState.UNASSIGNED)
    winner, final = choice.winner, choice.final
    team_id = final.team_id if final else None
    if choice.pool is not None and choice.pool.team_id is not None:
        team_id = choice.pool.team_id
    elif winner is not None:
        team_id = winner.rep.team_id
    return Standing(
        state=state,
        code=choice.outcome if winner else choice.reason or choice.outcome,
        sentence=words,
        owner_id=winner.rep.user_id if winner else None,
        team_id=team_id,
        assigned_at=now if winner else None,
        next_attempt_at=now + RETRY_AFTER if state == Lead.RoutingState.UNASSIGNED else None,
    )


def build_decision(lead: Lead, choice: Choice, words: str, occasion: Occasion) -> Decision:
    """The row that is kept for ever; unsaved, without its digest."""
    return Decision(
        lead_id=lead.pk,
        at=occasion.now,
        outcome=choice.outcome,
        reason=choice.reason,
        rule_set_id=choice.rule_set.id or None,
        rule_id=choice.rule.id if choice.rule else None,
        pool_id=choice.pool.id if choice.pool else None,
        method=choice.final.method if choice.final else "",
        winner_id=choice.winner.rep.id if choice.winner else None,
        sentence=words,
        trigger=occasion.trigger,
        actor=occasion.actor,
        duration_us=occasion.took_us,
    )


def build_trace(decision: Decision, choice: Choice, occasion: Occasion) -> DecisionTrace:
    """The table behind a decision; also gives the decision its digest."""
    data = render_trace(choice)
    decision.digest = digest(data)
    return DecisionTrace(schema_version=SCHEMA_VERSION, data=data, created_at=occasion.now)


def build_assignment(lead: Lead, choice: Choice, decision: Decision, occasion: Occasion) -> Assignment:
    if choice.winner is None:
        raise ValueError("only an assigned lead has an assignment")
    return Assignment(
        lead_id=lead.pk,
        rep_id=choice.winner.rep.id,
        member_id=choice.winner.id or None,
        decision_id=decision.pk,
        trigger=occasion.trigger,
        actor=occasion.actor,
        started_at=occasion.now,
    )


def build_event(lead: Lead, choice: Choice, decision: Decision, occasion: Occasion) -> Event:
    winner = choice.winner
    return Event(
        lead_id=lead.pk,
        kind=_EVENTS.get(choice.outcome, Event.Kind.UNROUTED),
        at=occasion.now,
        actor=occasion.actor,
        data={
            "decision": decision.pk,
            "outcome": choice.outcome,
            "rep": winner.rep.name if winner else None,
            "user": winner.rep.user_id if winner else None,
            "sentence": decision.sentence,
        },
    )


def build_holds(lead: Lead, choice: Choice, decision: Decision, occasion: Occasion) -> list[Hold]:
    """The hold of a lead that waits for someone to be available; none for other outcomes."""
    if choice.outcome != outcomes.HELD:
        return []
    return [
        Hold(
            lead_id=lead.pk,
            pool_id=choice.pool.id if choice.pool else None,
            decision_id=decision.pk,
            code=choice.reason,
            since=occasion.now,
            retry_at=occasion.now + HOLD_FOR,
        )
    ]


def build_offers(lead: Lead, choice: Choice, decision: Decision, occasion: Occasion) -> list[Offer]:
    """Who may take a lead that is offered to reps, or queued for a team or a pool; nobody for other outcomes."""
    pool, final = choice.pool, choice.final
    if choice.outcome not in (outcomes.OFFERED, outcomes.QUEUED) or final is None:
        return []
    shared = {
        "lead_id": lead.pk,
        "decision_id": decision.pk,
        "pool_id": pool.id if pool else None,
        "offered_at": occasion.now,
    }
    if choice.outcome == outcomes.QUEUED or pool is None:
        return [Offer(team_id=final.team_id, **shared)]
    expires_at = occasion.now + timedelta(minutes=pool.offer_minutes)
    return [Offer(rep_id=member.rep.id, expires_at=expires_at, **shared) for member in final.screening.eligible]


def end_waiting(lead_id: int, now: datetime, end: Offer.End) -> None:
    """The lead no longer waits: end its open hold and offers."""
    Hold.objects.filter(lead=lead_id, released_at=None).update(released_at=now)
    Offer.objects.filter(lead=lead_id, ended_at=None).update(ended_at=now, end=end)
