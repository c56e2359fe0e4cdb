"""Reassigns the leads of many due clocks together: the same as one by one, with far fewer statements.

As in a batch, the first rule that matches tells without locks which pool a lead will probably go to. Then each pool is
locked on its own, its leads are decided one after the other over a copy of the pool that is kept up to date in memory,
and everything is written at once. What does not go smoothly is left to the path for one clock: a lead that somebody
works on now, that goes to another pool or to the manager, and all of a transaction that failed.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import transaction

from distribution.compiling import World, live_world
from distribution.engine.people import Member, Pool, Rep
from distribution.engine.rules import SharedLooks
from distribution.models import Assignment, SLAClock
from distribution.services import books
from distribution.services.assigning import likely_pool
from distribution.services.batch import look_safely, repeats
from distribution.services.escalation import Move, Step, delivers, hops, move_on, stays_with_manager
from distribution.services.recording import Changed
from distribution.services.sharing import Shared, Waiting
from distribution.services.stepping import ACTIVE, due_rung, note_taken
from distribution.snapshots import Subject, read_leads, read_subjects, reader
from leadcrm.lib.prepared import Each, Prepared
from leadcrm.lib.transactions import retried
from pipeline.models import Lead

logger = logging.getLogger(__name__)

REASSIGN: Final = "reassign"
# A pool stays locked while so many are written: short enough for a live lead to wait.
CHUNK: Final = 25

# By the id of its lead.
_Clocks = Mapping[int, SLAClock]


def reassign_together(clock_ids: Sequence[int], now: datetime) -> list[int]:
    """Take the due step of those clocks that give their lead to the next. Returns the others, in the same order."""
    try:
        taken = _reassign(clock_ids, now)
    except Exception:
        logger.exception("reassigning leads together failed; it is done one by one")
        taken = set()
    return [pk for pk in clock_ids if pk not in taken]


def _reassign(clock_ids: Sequence[int], now: datetime) -> set[int]:
    clocks = _due(clock_ids, now)
    if len(clocks) < 2:
        return set()
    world = live_world()
    taken: set[int] = set()
    for pool_id, group in _groups(clocks, world, now).items():
        for chunk in _chunks(group):
            taken |= _move_safely(pool_id, chunk, clocks, world, now)
    return taken


def _due(clock_ids: Sequence[int], now: datetime) -> dict[int, SLAClock]:
    """By lead, a clock whose due step gives the lead to the next; in the order of the ids."""
    rows = {row.pk: row for row in _CLOCKS.rows(clocks=clock_ids)}
    clocks: dict[int, SLAClock] = {}
    for row in (rows[pk] for pk in clock_ids if pk in rows):
        rung = due_rung(row, now)
        if rung is not None and rung.action == REASSIGN and row.rep_id is not None:
            clocks.setdefault(row.lead_id, row)
    return clocks


_CLOCKS: Final = Prepared(lambda: SLAClock.objects.filter(ACTIVE, pk__in=Each("clocks", int), stale=False).order_by())


def _groups(clocks: _Clocks, world: World, now: datetime) -> dict[int, list[Waiting]]:
    """The leads by the pool that must probably be locked to write them."""
    found = {lead.pk: lead for lead in read_leads(clocks) if lead.closed_at is None and lead.archived_at is None}
    leads = [found[pk] for pk in clocks if pk in found]
    later, looks = repeats(leads), SharedLooks()
    groups: dict[int, list[Waiting]] = defaultdict(list)
    for subject in read_subjects([lead for lead in leads if lead.pk not in later]):
        waiting = look_safely(_without_owner(subject, clocks), world, now, looks)
        if waiting is not None:
            groups[likely_pool(waiting.world, waiting.seen)].append(waiting)
    return groups


def _without_owner(subject: Subject, clocks: _Clocks) -> Subject:
    """The owner does not come into question, as if that one had lost the lead already."""
    owner = clocks[subject.lead.pk].rep_id
    return subject if owner is None else replace(subject, had=subject.had | {owner})


def _chunks(group: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    return (group[start : start + CHUNK] for start in range(0, len(group), CHUNK))


def _move_safely(pool_id: int, group: Sequence[Waiting], clocks: _Clocks, world: World, now: datetime) -> set[int]:
    try:
        return _move_together(pool_id, group, clocks, world, now)
    except Changed:
        return set()
    except Exception:
        logger.exception("moving leads on together failed; they are moved one by one")
        return set()


@retried
def _move_together(pool_id: int, group: Sequence[Waiting], clocks: _Clocks, world: World, now: datetime) -> set[int]:
    """One transaction: lock the pool, the leads and their clocks, decide and write. Returns the clocks done."""
    with transaction.atomic():
        if pool_id:
            books.lock_pool(pool_id)
        ready = _lock(group, clocks, now)
        moves = _decide(pool_id, ready, world, now)
        if moves:
            move_on(moves, world, now)
            note_taken([(move.step, move.result) for move in moves], now)
    return {move.step.clock.pk for move in moves}


def _lock(group: Iterable[Waiting], clocks: _Clocks, now: datetime) -> list[tuple[Waiting, Step]]:
    """The steps that are still due, of leads that are as they were read and that nobody works on now."""
    waiting = {one.pk: one for one in group}
    free = [pk for pk, version in _LOCK_LEADS.rows(leads=waiting) if version == waiting[pk].subject.lead.version]
    due = {row.lead_id: row for row in _LOCK_CLOCKS.rows(clocks=[clocks[pk].pk for pk in free])}
    held = {row.lead_id: row for row in _HELD.rows(leads=due)}
    moved = hops(due)
    steps = []
    for pk in (pk for pk in waiting if pk in due and pk in held):
        clock, rung = due[pk], due_rung(due[pk], now)
        same = rung is not None and clock.next_step == clocks[pk].next_step and clock.rep_id == held[pk].rep_id
        if rung and same and moved[pk] < clock.max_hops and not stays_with_manager(held[pk]):
            steps.append((waiting[pk], Step(waiting[pk].subject.lead, clock, held[pk], rung, now)))
    return steps


_LOCK_LEADS: Final = Prepared(
    lambda: (
        # Whoever works on a lead now is not waited for.
        Lead.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk__in=Each("leads", int))
        .order_by("pk")
        .values_list("pk", "version")
    )
)
_LOCK_CLOCKS: Final = Prepared(
    lambda: (
        SLAClock.objects.select_for_update(no_key=True)
        .filter(ACTIVE, pk__in=Each("clocks", int), stale=False)
        .order_by("pk")
    )
)
_HELD: Final = Prepared(
    lambda: Assignment.objects.filter(lead__in=Each("leads", int), ended_at=None).select_related("rep").order_by()
)


def _decide(pool_id: int, ready: Iterable[tuple[Waiting, Step]], world: World, now: datetime) -> list[Move]:
    """Those that go to somebody of the pool, each decided as the ones before have left it."""
    shared = Shared(reader(now, world.timetable))
    moves = []
    for waiting, step in ready:
        case = shared.decide(waiting)
        goes_to = case.choice.pool.id if case.choice.pool else 0
        if goes_to == pool_id and delivers(case.choice) and step.held is not None:
            moves.append(Move(step, step.held, case))
            shared.note(case.choice, now)
            _free(shared, step.held)
    return moves


def _free(shared: Shared, held: Assignment) -> None:
    """The next is decided without a lead that its owner had."""
    lost = held.rep_id
    shared.pools = {pk: _freed_in(pool, held) for pk, pool in shared.pools.items()}
    shared.reps = {pk: _one_less(rep) if pk == lost else rep for pk, rep in shared.reps.items()}
    shared.owners = {pk: _one_less(rep) if rep and rep.id == lost else rep for pk, rep in shared.owners.items()}
    shared.changed = {pk: _one_less(rep) if pk == lost else rep for pk, rep in shared.changed.items()}


def _freed_in(pool: Pool, held: Assignment) -> Pool:
    return replace(pool, members=tuple(_freed_of(member, held) for member in pool.members))


def _freed_of(member: Member, held: Assignment) -> Member:
    if member.rep.id != held.rep_id:
        return member
    own = int(member.id == held.member_id)
    return replace(member, rep=_one_less(member.rep), open_leads=max(member.open_leads - own, 0))


def _one_less(rep: Rep) -> Rep:
    return replace(rep, open_leads=max(rep.open_leads - 1, 0))
