"""Routes many leads with few queries: the same decisions as one by one, written together.

Leads are taken in chunks. The first rule that matches tells, without locks, which pool each lead will probably go to;
then each pool is locked on its own, its leads are decided one after the other over a copy of the pool that is kept up
to date in memory, and everything is written at once, while the next chunk is looked at. A lead that goes to another
pool after all comes again with that one. Whatever does not go smoothly is left to the path for one lead.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
from distribution.engine.routing import look_ahead
from distribution.engine.rules import Look, SharedLooks
from distribution.engine.snapshot import Snapshot
from distribution.hours import Timetable
from distribution.models import Assignment
from distribution.services import books
from distribution.services.assigning import assign_lead, likely_pool, mark_failed_safely, needs_routing
from distribution.services.recording import Case, Changed, Occasion, record
from distribution.snapshots import (
    Known,
    Subject,
    decide,
    facts_of,
    open_snapshot,
    read_leads,
    read_subjects,
)
from leadcrm.lib.beside import beside
from leadcrm.lib.transactions import retried
from pipeline.models import Lead

logger = logging.getLogger(__name__)

# A pool stays locked while one chunk is written: short enough for a live lead to wait.
CHUNK: Final = 150
# How often a lead may turn out to go to another pool before it is tried alone.
ROUNDS: Final = 3


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
class Waiting:
    """One lead of a chunk with its facts, the world as it stands for it without anybody in it, and the first rules
    held against it."""

    subject: Subject
    facts: LeadFacts
    world: Snapshot
    seen: Sequence[Look]

    @property
    def pk(self) -> int:
        return self.subject.lead.pk


_Groups = defaultdict[int, list[Waiting]]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Leads in their order, by the pool that must probably be locked, and those that must be tried alone."""

    ids: Sequence[int]
    world: World
    groups: _Groups
    alone: set[int]


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
    before: Sequence[Lead] = ()
    known: Known = {}
    with beside() as write:
        for ids in _chunks(list(dict.fromkeys(lead_ids))):
            found = {lead.pk: lead for lead in read_leads(ids, known)}
            leads = [found[pk] for pk in ids if pk in found and needs_routing(found[pk])]
            chunk = _look_at(leads, before, occasion.now)
            write(partial(_assign_chunk, chunk, occasion, result))
            before = leads
    return result


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _look_at(leads: Sequence[Lead], before: Sequence[Lead], now: datetime) -> _Chunk:
    """Find out without locks what there is to know about leads, while those before them may still be written."""
    alone = repeats(leads, before)
    world, groups, looks = live_world(), _Groups(list), SharedLooks()
    for subject in read_subjects([lead for lead in leads if lead.pk not in alone]):
        waiting = look_safely(subject, world, now, looks)
        if waiting is not None and subject.lead.routing_state in Lead.UNFINISHED:
            groups[likely_pool(waiting.world, waiting.seen)].append(waiting)
        else:
            alone.add(subject.lead.pk)
    return _Chunk([lead.pk for lead in leads], world, groups, alone)


def _assign_chunk(chunk: _Chunk, occasion: Occasion, result: BatchResult) -> None:
    groups, alone = chunk.groups, chunk.alone
    for _ in range(ROUNDS):
        groups = _assign_groups(groups, chunk.world, occasion, result, alone)
    alone.update(waiting.pk for group in groups.values() for waiting in group)
    for pk in chunk.ids:
        if pk in alone:
            _assign_alone(pk, occasion, result)


def look_safely(subject: Subject, world: World, now: datetime, looks: SharedLooks) -> Waiting | None:
    """None when it fails: then the lead is tried alone, where a failure is noted."""
    try:
        facts, snapshot = facts_of(subject, world.attributes), open_snapshot(subject, world, now)
        return Waiting(subject, facts, snapshot, look_ahead(facts, snapshot, looks.examine))
    except Exception:
        logger.exception("looking at lead %s in a batch failed", subject.lead.pk)
        return None


def repeats(leads: Iterable[Lead], before: Iterable[Lead] = ()) -> set[int]:
    """Leads of a person who comes before them, in the same chunk or one that is not written yet: they are decided when
    that one is. Who comes by mail, by phone, and then by both is one person from the beginning."""
    before, leads = list(before), list(leads)
    people = _People([*before, *leads])
    seen = {people.of(lead) for lead in before} - {""}
    later: set[int] = set()
    for lead in leads:
        person = people.of(lead)
        if person in seen:
            later.add(lead.pk)
        if person:
            seen.add(person)
    return later


class _People:
    """Which leads belong together by their signs, directly or through others (disjoint sets)."""

    def __init__(self, leads: Iterable[Lead]) -> None:
        self._above: dict[str, str] = {}
        for lead in leads:
            first, *others = _signs(lead) or ("",)
            for other in others:
                self._above[self._top(other)] = self._top(first)

    def of(self, lead: Lead) -> str:
        """A sign that all leads of one person have in common; empty for a lead without any."""
        signs = _signs(lead)
        return self._top(signs[0]) if signs else ""

    def _top(self, sign: str) -> str:
        while (above := self._above.get(sign, sign)) != sign:
            sign = above
        return sign


def _signs(lead: Lead) -> list[str]:
    return [sign for sign in (lead.email, lead.phone) if sign]


class Shared:
    """Pools and reps that the leads of a group share, as the leads before have left them."""

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        self.timetable = timetable
        self.now = now
        self.loaded: Snapshot | None = None

    def decide(self, waiting: Waiting) -> Case:
        snapshot = waiting.world
        if self.loaded is not None:
            loaded = self.loaded
            snapshot = replace(snapshot, pools=loaded.pools, reps=loaded.reps, owners=loaded.owners)
        started = perf_counter_ns()
        choice, self.loaded = decide(waiting.facts, snapshot, self.timetable, waiting.seen)
        return Case(waiting.subject, choice, (perf_counter_ns() - started) // 1000)

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


def _assign_groups(groups: _Groups, world: World, occasion: Occasion, result: BatchResult, alone: set[int]) -> _Groups:
    """Assign leads by pool; ``alone`` gets those that must be tried alone. Returns those that go to other pools."""
    moved = _Groups(list)
    for pool_id, group in groups.items():
        try:
            settled, others, behind = _write_group(pool_id, group, world, occasion)
        except Exception as error:
            if not isinstance(error, Changed):
                logger.exception("writing a batch failed; its leads are tried one by one")
            alone.update(waiting.pk for waiting in group)
            continue
        for case in settled:
            result.add(case.choice.outcome, case.choice.winner.rep.id if case.choice.winner else None)
        for other_id, waiting in others:
            moved[other_id].append(waiting)
        alone.update(behind)
    return moved


@retried
def _write_group(
    pool_id: int, group: Sequence[Waiting], world: World, occasion: Occasion
) -> tuple[list[Case], list[tuple[int, Waiting]], set[int]]:
    """Lock a pool, decide its leads and write them. Also returns those that another pool gets, with that pool, and
    those before which others have their turn."""
    settled: list[Case] = []
    others: list[tuple[int, Waiting]] = []
    behind: set[int] = set()
    shared = Shared(world.timetable, occasion.now)
    with transaction.atomic():
        if pool_id:
            books.lock_pool(pool_id)
        for waiting in group:
            case = shared.decide(waiting)
            goes_to = case.choice.pool.id if case.choice.pool else 0
            if case.choice.pool is not None and case.choice.pool.line:
                behind.add(waiting.pk)
            elif goes_to == pool_id:
                settled.append(case)
                shared.note(case.choice)
            else:
                others.append((goes_to, waiting))
        if settled:
            record(settled, world, occasion)
    return settled, others, behind


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
