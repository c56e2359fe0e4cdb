"""Routes many leads with few queries: the same decisions as one by one, written together.

Leads are taken in chunks. A chunk is decided once without locks, to see which pool each lead would go to; then each
pool is locked on its own, its leads are decided again one after the other over a copy of the pool that is kept up to
date in memory, and everything is written at once. Whatever does not go smoothly is left to the path for one lead.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from time import perf_counter_ns
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from distribution.caps import SPANS
from distribution.compiling import World, live_world
from distribution.engine.decision import Decision as Choice
from distribution.engine.facts import LeadFacts
from distribution.engine.people import Cap, Member, Pool, Rep
from distribution.engine.sentences import sentence
from distribution.engine.snapshot import Snapshot
from distribution.models import Assignment, Decision, Hold, Offer
from distribution.services import books, clocks
from distribution.services.assigning import assign_lead, mark_failed_safely, needs_routing
from distribution.services.clocks import Opening
from distribution.services.recording import (
    Changed,
    Occasion,
    build_assignment,
    build_decision,
    build_event,
    build_holds,
    build_offers,
    build_trace,
    learned,
    move_clocks,
    open_clocks,
    standing_of,
)
from distribution.snapshots import (
    Subject,
    decide,
    facts_of,
    leads_to_route,
    open_snapshot,
    read_subjects,
    reload_pool,
)
from leadcrm.lib.bulk import insert_many
from leadcrm.lib.transactions import retried
from pipeline.models import Lead
from pipeline.services.standing import place_many
from pipeline.signals import events_stored

logger = logging.getLogger(__name__)

# A pool stays locked while one chunk is written: short enough for a live lead to wait.
CHUNK: Final = 100


@dataclass(slots=True)
class BatchResult:
    """What became of the leads: how many have an owner now, the others by outcome, and how many failed."""

    assigned: int = 0
    others: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    def add(self, outcome: str, winner_id: int | None) -> None:
        if winner_id is not None:
            self.assigned += 1
        else:
            self.others[outcome] += 1


@dataclass(frozen=True, slots=True)
class _Case:
    """One lead of a chunk with its facts; ``choice`` as far as it is decided."""

    subject: Subject
    facts: LeadFacts
    choice: Choice
    took_us: int = 0


def assign_leads(
    lead_ids: Iterable[int],
    *,
    trigger: str = Assignment.Trigger.BATCH,
    actor: User | None = None,
    now: datetime | None = None,
) -> BatchResult:
    """Route many leads, in the order given; the same as :func:`assign_lead` for each, with far fewer queries.

    Leads with nothing to do are skipped. A lead whose routing fails is marked for the sweep and stops nobody.
    """
    result = BatchResult()
    occasion = Occasion(trigger, now or timezone.now(), actor)
    for chunk in _chunks(list(dict.fromkeys(lead_ids))):
        leads = {lead.pk: lead for lead in leads_to_route(shared=True).filter(pk__in=chunk)}
        waiting = [leads[pk] for pk in chunk if pk in leads and needs_routing(leads[pk])]
        _assign_chunk(waiting, occasion, result)
        transaction.on_commit(partial(events_stored.send_robust, Lead), robust=True)
    return result


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _assign_chunk(leads: Sequence[Lead], occasion: Occasion, result: BatchResult) -> None:
    later = _repeats(leads)
    together = [lead for lead in leads if lead.pk not in later]
    world = live_world()
    shared = _Shared(world, occasion.now)
    groups: dict[int, list[_Case]] = defaultdict(list)
    for subject in read_subjects(together):
        case = _decide_safely(shared, subject)
        if case is not None and subject.lead.routing_state in Lead.UNFINISHED:
            groups[_pool_id(case)].append(case)
        else:
            later.add(subject.lead.pk)
    for pool_id, cases in groups.items():
        later |= _assign_group(pool_id, cases, shared, occasion, result)
    for lead in leads:
        if lead.pk in later:
            _assign_alone(lead.pk, occasion, result)


def _decide_safely(shared: "_Shared", subject: Subject) -> _Case | None:
    """None when it fails: then the lead is tried alone, where a failure is noted."""
    try:
        return shared.decide(subject)
    except Exception:
        logger.exception("deciding lead %s in a batch failed", subject.lead.pk)
        return None


def _pool_id(case: _Case) -> int:
    """The pool that must be locked to write a case; 0 for none."""
    return case.choice.pool.id if case.choice.pool else 0


def _repeats(leads: Sequence[Lead]) -> set[int]:
    """Leads of a person who is in the chunk before them: they are decided when that one is written."""
    seen: set[str] = set()
    later: set[int] = set()
    for lead in leads:
        signs = {sign for sign in (lead.email, lead.phone) if sign}
        if signs & seen:
            later.add(lead.pk)
        seen |= signs
    return later


class _Shared:
    """One snapshot for a chunk: pools and reps are read once."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self.now = now
        self.loaded: Snapshot | None = None

    def snapshot(self, subject: Subject) -> Snapshot:
        fresh = open_snapshot(subject, self.world, self.now)
        if self.loaded is None:
            return fresh
        return replace(fresh, pools=self.loaded.pools, reps=self.loaded.reps, owners=self.loaded.owners)

    def decide(self, subject: Subject) -> _Case:
        facts = facts_of(subject, self.world.attributes)
        started = perf_counter_ns()
        choice, self.loaded = decide(facts, self.snapshot(subject), self.world.timetable)
        return _Case(subject, facts, choice, (perf_counter_ns() - started) // 1000)

    def reload(self, pool_id: int) -> None:
        if self.loaded is not None and pool_id:
            self.loaded = reload_pool(self.loaded, pool_id, self.world.timetable)

    def note(self, choice: Choice) -> None:
        """Let the next decision see what this one did: credits, open leads, counts."""
        if choice.winner is None or self.loaded is None:
            return
        rep = _one_more(choice.winner.rep, self.now)
        pools = {pk: _after(pool, rep, choice, self.now) for pk, pool in self.loaded.pools.items()}
        reps = {pk: rep if pk == rep.id else other for pk, other in self.loaded.reps.items()}
        owners = {pk: rep if other and other.id == rep.id else other for pk, other in self.loaded.owners.items()}
        self.loaded = replace(self.loaded, pools=pools, reps=reps, owners=owners)


def _one_more(rep: Rep, now: datetime) -> Rep:
    caps = tuple(_one_more_of(cap, now) for cap in rep.caps)
    return replace(rep, open_leads=rep.open_leads + 1, caps=caps, last_assigned_at=now)


def _one_more_of(cap: Cap, now: datetime) -> Cap:
    """At the latest there is room again when the lead of now is past."""
    reached = cap.rolling and cap.used + 1 == cap.limit
    return replace(cap, used=cap.used + 1, until=now + SPANS[cap.period] if reached else cap.until)


def _after(pool: Pool, rep: Rep, choice: Choice, now: datetime) -> Pool:
    """A pool as it is after a decision: credits where it posted, and the rep's load wherever the rep is a member."""
    postings = choice.postings if choice.pool is not None and choice.pool.id == pool.id else {}
    return replace(pool, members=tuple(_member_after(member, rep, postings, choice, now) for member in pool.members))


def _member_after(member: Member, rep: Rep, postings: dict[int, int], choice: Choice, now: datetime) -> Member:
    if choice.winner is not None and choice.winner.id == member.id:
        return _moved(member, rep, postings.get(member.id, 0), 1, now)
    change, same = postings.get(member.id, 0), member.rep.id == rep.id
    if not change and not same:
        return member
    return _moved(member, rep if same else member.rep, change, 0, member.last_assigned_at)


def _moved(member: Member, rep: Rep, credit: int, leads: int, last_assigned_at: datetime | None) -> Member:
    """Spelled out because it happens to every member for every lead, and replace() takes twice as long."""
    return Member(
        member.id,
        rep,
        member.weight,
        member.tier,
        member.credit + credit,
        member.paused,
        member.max_open,
        member.open_leads + leads,
        member.total + leads,
        last_assigned_at,
    )


def _assign_group(
    pool_id: int, cases: Sequence[_Case], shared: _Shared, occasion: Occasion, result: BatchResult
) -> set[int]:
    """Assign the leads of one pool, or those that go to no pool. Returns the leads that must be tried alone."""
    before = shared.loaded
    try:
        settled, left = _write_group(pool_id, cases, shared, before, occasion)
    except Exception as error:
        if not isinstance(error, Changed):
            logger.exception("writing a batch failed; its leads are tried one by one")
        shared.loaded = before
        return {case.subject.lead.pk for case in cases}
    for case in settled:
        result.add(case.choice.outcome, case.choice.winner.rep.id if case.choice.winner else None)
    return left


@retried
def _write_group(
    pool_id: int, cases: Sequence[_Case], shared: _Shared, before: Snapshot | None, occasion: Occasion
) -> tuple[list[_Case], set[int]]:
    settled: list[_Case] = []
    left: set[int] = set()
    # A second try must not see what the first one, rolled back, had noted.
    shared.loaded = before
    with transaction.atomic():
        if pool_id:
            books.lock_pool(pool_id)
            shared.reload(pool_id)
        for case in cases:
            again = shared.decide(case.subject)
            if _pool_id(again) != pool_id:
                left.add(case.subject.lead.pk)
                continue
            settled.append(again)
            shared.note(again.choice)
        _write(settled, shared.world, occasion)
    return settled, left


def _write(cases: Sequence[_Case], world: World, occasion: Occasion) -> None:
    """Write decided leads together. Locks leads and reps by id, like everybody."""
    words = [sentence(case.choice) for case in cases]
    openings = open_clocks([(case.subject, case.choice) for case in cases], world, occasion)
    ordered = sorted(zip(cases, words, strict=True), key=lambda pair: pair[0].subject.lead.pk)
    placed = place_many(
        [
            (
                case.subject.lead,
                standing_of(case.choice, text, occasion.now),
                {**learned(case.subject, case.choice), "respond_by": openings[case.subject.lead.pk].respond_by},
            )
            for case, text in ordered
        ]
    )
    if len(placed) != len(cases):
        raise Changed
    move_clocks(openings.values())
    _take_places(cases, occasion.now)
    decisions = [
        build_decision(case.subject.lead, case.choice, text, replace(occasion, took_us=case.took_us))
        for case, text in zip(cases, words, strict=True)
    ]
    traces = [build_trace(row, case.choice, occasion) for row, case in zip(decisions, cases, strict=True)]
    Decision.objects.bulk_create(decisions)
    for trace, decision in zip(traces, decisions, strict=True):
        trace.decision_id = decision.pk
    insert_many(traces)
    written = list(zip(cases, decisions, strict=True))
    assignments = {
        case.subject.lead.pk: build_assignment(case.subject.lead, case.choice, decision, occasion)
        for case, decision in written
        if case.choice.winner is not None
    }
    _assign(assignments, openings)
    _post(cases, occasion.now)
    holds = [row for case, made in written for row in build_holds(case.subject.lead, case.choice, made, occasion)]
    offers = [row for case, made in written for row in build_offers(case.subject.lead, case.choice, made, occasion)]
    Hold.objects.bulk_create(holds)
    Offer.objects.bulk_create(offers)
    insert_many([build_event(case.subject.lead, case.choice, decision, occasion) for case, decision in written])


def _assign(assignments: Mapping[int, Assignment], openings: Mapping[int, Opening]) -> None:
    """Store assignments by lead, with the clocks that start with them."""
    if any(opening.started for opening in openings.values()):
        # Clocks need the keys of their assignments, which the quick way does not tell.
        Assignment.objects.bulk_create(assignments.values())
        clocks.write_started([(opening, assignments.get(lead)) for lead, opening in openings.items()])
    else:
        insert_many(list(assignments.values()))


def _take_places(cases: Sequence[_Case], now: datetime) -> None:
    winners = {case.choice.winner.rep.id: case.choice.winner.rep for case in cases if case.choice.winner}
    taken = Counter(case.choice.winner.rep.id for case in cases if case.choice.winner)
    kept = Counter(case.choice.winner.rep.id for case in cases if case.choice.winner and case.choice.outcome == "kept")
    if not books.take_places(winners, taken, kept, now):
        raise Changed


def _post(cases: Sequence[_Case], now: datetime) -> None:
    changes: Counter[int] = Counter()
    taken: Counter[int] = Counter()
    for case in cases:
        changes.update(case.choice.postings)
        if case.choice.winner is not None and case.choice.winner.id:
            taken[case.choice.winner.id] += 1
    books.post(changes, taken, now)


def _assign_alone(lead_id: int, occasion: Occasion, result: BatchResult) -> None:
    try:
        decision = assign_lead(lead_id, trigger=occasion.trigger, actor=occasion.actor, now=occasion.now)
    except Exception:
        logger.exception("routing of lead %s failed", lead_id)
        mark_failed_safely(lead_id, occasion.now)
        result.failed += 1
        return
    if decision is not None:
        result.add(decision.outcome, decision.winner_id)
