"""Routes many leads with few queries: the same decisions as one by one, written together.

Leads are taken in chunks. The first rule that matches tells, without locks, which pool each lead will probably go to.
The leads of a pool are decided one after the other over a copy of the pool that is kept up to date in memory: it is as
the pool will be when the chunks before are written. Then the pool is locked. If it came so, everything is written at
once, while the next chunk is read and decided; if not, the leads are decided again. A lead that goes to another pool
after all comes again with that one. Whatever does not go smoothly is left to the path for one lead.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from distribution.compiling import World, live_world
from distribution.engine.routing import look_ahead
from distribution.engine.rules import SharedLooks
from distribution.models import Assignment
from distribution.services import books
from distribution.services.assigning import assign_lead, likely_pool, mark_failed_safely, needs_routing
from distribution.services.recording import Case, Changed, Occasion, record
from distribution.services.sharing import Asked, Forecast, Shared, Waiting
from distribution.snapshots import (
    Find,
    Found,
    Known,
    Subject,
    facts_of,
    open_snapshot,
    read_leads,
    read_subjects,
    reader,
)
from leadcrm.lib.beside import beside
from leadcrm.lib.roomy import with_room
from leadcrm.lib.transactions import retried
from pipeline.models import Lead

logger = logging.getLogger(__name__)

# A pool stays locked while one chunk is written: short enough for a live lead to wait.
CHUNK: Final = 150
# How often a lead may turn out to go to another pool before it is tried alone.
ROUNDS: Final = 3


@dataclass(slots=True)
class BatchResult:
    """What became of the leads: how many have an owner now, the others by outcome, how many failed, and how many were
    left to the sweep because so many wait for their pool."""

    assigned: int = 0
    others: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    left: int = 0

    def add(self, outcome: str, winner_id: int | None) -> None:
        if winner_id is not None:
            self.assigned += 1
        else:
            self.others[outcome] += 1


_Groups = defaultdict[int, list[Waiting]]
# Leads with the pool that they go to.
_Others = list[tuple[int, Waiting]]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Leads in their order, by the pool that must probably be locked, and those that must be tried alone."""

    ids: Sequence[int]
    world: World
    groups: _Groups
    alone: set[int]


@dataclass(frozen=True, slots=True)
class _Group:
    """Leads of one pool, 0 for none, with what was decided for them.

    ``stands_on``: the pools and reps that the decisions asked for, as they were before the first of them.
    """

    pool_id: int
    leads: Sequence[Waiting]
    cases: Sequence[Case]
    stands_on: Mapping[Asked, Found]

    def came_true(self, find: Find) -> bool:
        """Whether everything that the decisions stand on is so."""
        return all(find(*asked) == found for asked, found in self.stands_on.items())


@with_room
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
    before: Sequence[Lead] = ()
    known: Known = {}
    forecast = Forecast()
    wanted = list(dict.fromkeys(lead_ids))
    with beside(needed=len(wanted) > CHUNK) as write:
        for ids in _chunks(wanted):
            found = {lead.pk: lead for lead in read_leads(ids, known)}
            leads = [found[pk] for pk in ids if pk in found and needs_routing(found[pk])]
            occasion = Occasion(trigger, now or timezone.now(), actor)
            chunk = _look_at(leads, before, occasion.now)
            if forecast.failed:
                write(_nothing)
                forecast = Forecast()
            decided = _decide_chunk(chunk, forecast, occasion.now)
            write(partial(_write_chunk, chunk, decided, forecast, occasion, result))
            before = leads
    return result


def _nothing() -> None:
    """Written when everything before it is."""


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


def _decide_chunk(chunk: _Chunk, forecast: Forecast, now: datetime) -> list[_Group]:
    """Decide what will probably become of leads, by pool. The chunk gets those that must be tried alone."""
    decided: list[_Group] = []
    groups, read = chunk.groups, reader(now, chunk.world.timetable)
    for _ in range(ROUNDS):
        moved = _Groups(list)
        for pool_id, leads in groups.items():
            group, others, behind = _foresee(pool_id, leads, forecast, read)
            if group.cases:
                decided.append(group)
            for other_id, waiting in others:
                moved[other_id].append(waiting)
            chunk.alone.update(behind)
        groups = moved
    chunk.alone.update(waiting.pk for leads in groups.values() for waiting in leads)
    return decided


def _foresee(
    pool_id: int, leads: Sequence[Waiting], forecast: Forecast, read: Find
) -> tuple[_Group, _Others, set[int]]:
    """Decide about leads of a pool as :func:`_decide` does, on what will probably be."""
    stands_on: dict[Asked, Found] = {}
    shared = Shared(lambda kind, id: stands_on.setdefault((kind, id), forecast.find(kind, id, read)))
    try:
        settled, others, behind = _decide(pool_id, leads, shared)
    except Exception:
        logger.exception("deciding a batch failed; its leads are tried one by one")
        return _Group(pool_id, (), (), {}), [], {waiting.pk for waiting in leads}
    forecast.carry_on(shared)
    cases = [case for _, case in settled]
    return _Group(pool_id, [waiting for waiting, _ in settled], cases, stands_on), others, behind


def _write_chunk(
    chunk: _Chunk, decided: Iterable[_Group], forecast: Forecast, occasion: Occasion, result: BatchResult
) -> None:
    for group in decided:
        cases = _write_safely(group, chunk.world, occasion)
        for case in cases:
            result.add(case.choice.outcome, case.choice.winner.rep.id if case.choice.winner else None)
        if cases is not group.cases:
            forecast.failed = True
            chunk.alone.update({waiting.pk for waiting in group.leads} - {case.lead.pk for case in cases})
    for pk in chunk.ids:
        if pk in chunk.alone:
            forecast.failed = True
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


def _write_safely(group: _Group, world: World, occasion: Occasion) -> Sequence[Case]:
    """What was written; nothing when that failed."""
    try:
        return _write_group(group, world, occasion)
    except Exception as error:
        if not isinstance(error, Changed):
            logger.exception("writing a batch failed; its leads are tried one by one")
        return ()


@retried
def _write_group(group: _Group, world: World, occasion: Occasion) -> Sequence[Case]:
    """Lock a pool and write what was decided for its leads. If it stands on what is not so, decide again: leads that
    would go elsewhere then are left.

    Raises:
        Changed: somebody changed the rules, or a lead.
    """
    cases, read = group.cases, reader(occasion.now, world.timetable)
    with transaction.atomic():
        if group.pool_id:
            books.lock_pool(group.pool_id)
        if live_world() != world:
            raise Changed
        if not group.came_true(read):
            settled, _, _ = _decide(group.pool_id, group.leads, Shared(read))
            cases = [case for _, case in settled]
        if cases:
            record(cases, world, occasion)
    return cases


def _decide(
    pool_id: int, leads: Iterable[Waiting], shared: Shared
) -> tuple[list[tuple[Waiting, Case]], _Others, set[int]]:
    """Decide about leads of a pool, each as those before have left it. Also returns those that another pool gets, with
    that pool, and those before which others have their turn."""
    settled: list[tuple[Waiting, Case]] = []
    others: _Others = []
    behind: set[int] = set()
    for waiting in leads:
        case = shared.decide(waiting)
        goes_to = case.choice.pool.id if case.choice.pool else 0
        if case.choice.pool is not None and case.choice.pool.line:
            behind.add(waiting.pk)
        elif goes_to == pool_id:
            settled.append((waiting, case))
            shared.note(case.choice, waiting.world.now)
        else:
            others.append((goes_to, waiting))
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
    elif Lead.objects.filter(pk=lead_id, routing_state__in=Lead.UNFINISHED, closed_at=None, archived_at=None).exists():
        result.left += 1
