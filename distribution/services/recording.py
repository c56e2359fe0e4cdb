"""Writes a decision down: the lead's standing, the assignment, offers or hold, the books, the trace and the event.

All of it in the caller's transaction, and nothing of it when the lead was changed in between.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Self

from django.contrib.auth.models import User
from django.db import transaction

from distribution.compiling import World
from distribution.digests import digest_of
from distribution.engine import outcomes
from distribution.engine.decision import Decision as Choice
from distribution.engine.people import Rep
from distribution.engine.sentences import sentence
from distribution.engine.trace import SCHEMA_VERSION, trace_text
from distribution.models import Assignment, Decision, DecisionTrace, Hold, Offer
from distribution.promises import PolicyBook
from distribution.services import books
from distribution.services.holding import hold_leads
from distribution.services.opening import ClockChanged, Opening, Routed, open_clocks, write_moved, write_started
from distribution.snapshots import Subject
from leadcrm.lib.backoff import doubled
from leadcrm.lib.bulk import Change, insert_many, insertion, write
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, overtake, place_many
from pipeline.signals import events_stored

Row = dict[str, Any]

# A lead that nobody was found for is tried again after 1, 2, 4 ... minutes; a change of rules or pools wakes it.
RETRY_AFTER: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)

_STATES: Final[Mapping[str, Lead.RoutingState]] = {
    outcomes.ASSIGNED: Lead.RoutingState.ASSIGNED,
    outcomes.KEPT: Lead.RoutingState.ASSIGNED,
    outcomes.OFFERED: Lead.RoutingState.CLAIMABLE,
    outcomes.QUEUED: Lead.RoutingState.CLAIMABLE,
    outcomes.HELD: Lead.RoutingState.HELD,
    # Nobody is there, or all are full: no rule said to wait, but time or somebody's return will help.
    outcomes.NOBODY_AVAILABLE: Lead.RoutingState.HELD,
    outcomes.ALL_AT_CAPACITY: Lead.RoutingState.HELD,
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
    """Why and when leads are routed, and who asked for it."""

    trigger: str
    now: datetime
    actor: User | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A lead and what was decided for it: in short, as a sentence, and in full, as the text of the trace.

    ``took_us``: time to decide, in microseconds.
    """

    subject: Subject
    choice: Choice
    took_us: int
    words: str
    trace: str

    @classmethod
    def of(cls, subject: Subject, choice: Choice, took_us: int) -> Self:
        return cls(subject, choice, took_us, sentence(choice), trace_text(choice))

    @property
    def lead(self) -> Lead:
        return self.subject.lead


def record(cases: Sequence[Case], world: World, occasion: Occasion) -> list[Row]:
    """Write everything that follows from decisions made in a world, on the same locked pool or on none. Promises start
    to run.

    Returns:
        The rows of :class:`Decision`, by attribute name, in the order of the cases.

    Raises:
        Changed: a lead or the room of a rep changed since; nothing must be kept.
    """
    openings = _open_clocks(cases, world, occasion)
    _overtake(cases)
    _claim(cases, openings, occasion.now)
    _move_clocks(openings.values())
    if not books.take_places(_takings(cases), occasion.now):
        raise Changed
    decisions = [_decision(case, occasion) for case in cases]
    for row, pk in zip(decisions, insert_many(Decision, decisions), strict=True):
        row["id"] = pk
    _write_rest(list(zip(cases, decisions, strict=True)), openings, occasion)
    transaction.on_commit(partial(events_stored.send_robust, Lead), robust=True)
    return decisions


def _open_clocks(cases: Iterable[Case], world: World, occasion: Occasion) -> dict[int, Opening]:
    """The clocks that decisions start, by lead. A lead's own clock counts from when it came in; from now for an
    import, whose leads may be old."""
    return open_clocks([_routed(case, world.policies, occasion) for case in cases], world, occasion.now)


def _routed(case: Case, policies: PolicyBook, occasion: Occasion) -> Routed:
    lead, rule, winner = case.lead, case.choice.rule, case.choice.winner
    policy = policies.choose(rule.sla_policy_id if rule else None, learned(case)["priority"])
    since = occasion.now if occasion.trigger == Assignment.Trigger.BATCH else min(lead.created_at, occasion.now)
    return Routed(lead, policy, winner.rep.id if winner else None, since)


def _move_clocks(openings: Iterable[Opening]) -> None:
    """Let the leads' own clocks go on as worked out. Raises Changed when one of them changed since."""
    try:
        write_moved(openings)
    except ClockChanged:
        raise Changed from None


def _overtake(cases: Sequence[Case]) -> None:
    """Of two leads of one person that come in at once each was read while nobody had the other, or one did not see the
    other at all. The first to be written makes the other one be decided again; then the person has an owner."""
    new = [case for case in cases if case.choice.outcome == outcomes.ASSIGNED and case.subject.matches.undecided]
    undecided = {pk for case in new for pk in case.subject.matches.undecided}
    if undecided and not overtake(undecided, [case.lead.pk for case in cases]):
        raise Changed


def _claim(cases: Sequence[Case], openings: Mapping[int, Opening], now: datetime) -> None:
    """Write where the leads stand now; locks them by id, like everybody."""
    rows = [
        (case.lead, standing_of(case, now), learned(case) | {"respond_by": openings[case.lead.pk].respond_by})
        for case in cases
    ]
    if len(place_many(sorted(rows, key=lambda row: row[0].pk))) != len(cases):
        raise Changed
    for case in cases:
        if case.lead.routing_state in (Lead.RoutingState.HELD, Lead.RoutingState.CLAIMABLE):
            end_waiting(case.lead.pk, now, Offer.End.WITHDRAWN)


def _takings(cases: Sequence[Case]) -> list[books.Taking]:
    """How many leads each rep gets. Who keeps a person is asked for no limit."""
    reps: dict[int, Rep] = {}
    leads: Counter[int] = Counter()
    limited: Counter[int] = Counter()
    for case in cases:
        if case.choice.winner is not None:
            rep = case.choice.winner.rep
            reps.setdefault(rep.id, rep)
            leads[rep.id] += 1
            limited[rep.id] += case.choice.outcome == outcomes.ASSIGNED
    return [books.Taking(rep, leads[pk], limited[pk]) for pk, rep in reps.items()]


def _write_rest(written: Sequence[tuple[Case, Row]], openings: Mapping[int, Opening], occasion: Occasion) -> None:
    """All that points to the decisions, the books of the pool, and the clocks that start."""
    assignments = [_assignment(case, row) for case, row in written if case.choice.winner is not None]
    keys, *_ = write(
        insertion(Assignment, assignments),
        insertion(DecisionTrace, [_trace(case, row) for case, row in written]),
        insertion(Offer, [offer for case, row in written for offer in _offers(case, row)]),
        insertion(Event, [event for case, row in written for event in (_event(case, row), *_came_again(case, row))]),
        _posting([case.choice for case, _ in written], occasion.now),
    )
    hold_leads([(case.subject, case.choice, row["id"]) for case, row in written], occasion.now)
    held = {row["lead_id"]: key for row, key in zip(assignments, keys, strict=True)}
    write_started((opening, held.get(lead)) for lead, opening in openings.items())


def _posting(choices: Iterable[Choice], now: datetime) -> Change:
    changes: Counter[int] = Counter()
    taken: Counter[int] = Counter()
    for choice in choices:
        changes.update(choice.postings)
        if choice.winner is not None and choice.winner.id:
            taken[choice.winner.id] += 1
    return books.posting(changes, taken, now)


def learned(case: Case) -> Row:
    """What routing found out about a lead beside who gets it, as columns."""
    subject, rule = case.subject, case.choice.rule
    return {
        "account_id": subject.account.pk if subject.account else None,
        "duplicate_of_id": subject.matches.duplicate_of,
        "priority": case.lead.priority if rule is None or rule.priority is None else rule.priority,
    }


def standing_of(case: Case, now: datetime) -> Standing:
    """Where a decision leaves the lead."""
    choice = case.choice
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
        sentence=case.words,
        owner_id=winner.rep.user_id if winner else None,
        team_id=team_id,
        assigned_at=now if winner else None,
        next_attempt_at=now + doubled(RETRY_AFTER, case.lead.attempts, LONGEST_RETRY)
        if state == Lead.RoutingState.UNASSIGNED
        else None,
    )


def _decision(case: Case, occasion: Occasion) -> Row:
    choice = case.choice
    return {
        "lead_id": case.lead.pk,
        "at": occasion.now,
        "outcome": choice.outcome,
        "reason": choice.reason,
        "rule_set_id": choice.rule_set.id or None,
        "rule_id": choice.rule.id if choice.rule else None,
        "pool_id": choice.pool.id if choice.pool else None,
        "method": choice.final.method if choice.final else "",
        "winner_id": choice.winner.rep.id if choice.winner else None,
        "sentence": case.words,
        "trigger": occasion.trigger,
        "actor_id": occasion.actor.pk if occasion.actor else None,
        "duration_us": case.took_us,
        "digest": digest_of(case.trace),
    }


def _trace(case: Case, decision: Row) -> Row:
    """The table behind a decision."""
    return {
        "decision_id": decision["id"],
        "schema_version": SCHEMA_VERSION,
        "data": case.trace.encode(errors="backslashreplace"),
        "created_at": decision["at"],
    }


def _assignment(case: Case, decision: Row) -> Row:
    return {
        "lead_id": case.lead.pk,
        "rep_id": decision["winner_id"],
        "member_id": case.choice.winner.id or None if case.choice.winner else None,
        "decision_id": decision["id"],
        "trigger": decision["trigger"],
        "actor_id": decision["actor_id"],
        "reason": "",
        "started_at": decision["at"],
        "end": "",
    }


def _event(case: Case, decision: Row) -> Row:
    winner = case.choice.winner
    return {
        "lead_id": case.lead.pk,
        "kind": _EVENTS.get(case.choice.outcome, Event.Kind.UNROUTED),
        "at": decision["at"],
        "actor_id": decision["actor_id"],
        "data": {
            "decision": decision["id"],
            "outcome": case.choice.outcome,
            "reason": case.choice.reason,
            "rep": winner.rep.name if winner else None,
            "user": winner.rep.user_id if winner else None,
            "sentence": decision["sentence"],
        },
    }


def _came_again(case: Case, decision: Row) -> list[Row]:
    """A line in the history of the first open lead of a person who came again, once for each new lead. When several
    have such leads, it says with whom to talk."""
    first, winner = case.subject.matches.duplicate_of, case.choice.winner
    if first is None or first == case.lead.duplicate_of_id:
        return []
    again = {"lead": case.lead.pk, "lead_uid": str(case.lead.uid)}
    words = f"The same person came in again, by {case.lead.source.name}."
    if winner is not None and len(case.subject.matches.keepers) > 1:
        words += f" {winner.rep.name} has that lead."
    event = {"lead_id": first, "kind": Event.Kind.MATCHED, "at": decision["at"], "actor_id": decision["actor_id"]}
    return [event | {"data": again | {"sentence": words}}]


def _offers(case: Case, decision: Row) -> list[Row]:
    """Who may take a lead that is offered to reps, or queued for a team or a pool; nobody for other outcomes."""
    pool, final = case.choice.pool, case.choice.final
    if case.choice.outcome not in (outcomes.OFFERED, outcomes.QUEUED) or final is None:
        return []
    offer = {
        "lead_id": case.lead.pk,
        "decision_id": decision["id"],
        "pool_id": decision["pool_id"],
        "rep_id": None,
        "team_id": None,
        "offered_at": decision["at"],
        "expires_at": None,
        "end": "",
    }
    if case.choice.outcome == outcomes.QUEUED or pool is None:
        return [offer | {"team_id": final.team_id}]
    expires_at = decision["at"] + timedelta(minutes=pool.offer_minutes)
    return [offer | {"rep_id": member.rep.id, "expires_at": expires_at} for member in final.screening.eligible]


def end_waiting(lead_id: int, now: datetime, end: Offer.End) -> None:
    """The lead no longer waits: end its open hold and offers."""
    Hold.objects.filter(lead=lead_id, released_at=None).update(released_at=now)
    Offer.objects.filter(lead=lead_id, ended_at=None).update(ended_at=now, end=end)
