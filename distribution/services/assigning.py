"""Routes one lead: see by the rules which pool it probably goes to, lock that pool, read it, decide, write."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter_ns
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from distribution.compiling import World, live_world
from distribution.engine.decision import Decision as Choice
from distribution.engine.facts import LeadFacts
from distribution.engine.outcomes import DELIVERED
from distribution.engine.routing import look_ahead
from distribution.engine.rules import MATCHED, Look
from distribution.engine.snapshot import Snapshot
from distribution.errors import Contention
from distribution.models import Assignment, Decision
from distribution.services import books, waiting
from distribution.services.recording import Case, Changed, Occasion, record
from distribution.snapshots import (
    Subject,
    decide,
    facts_of,
    open_snapshot,
    read_lead,
    read_subject,
    reader,
    reload_pool,
)
from leadcrm.lib.backoff import doubled
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, open_leads, place

logger = logging.getLogger(__name__)

ROUNDS: Final = 20
_RETRY_FAILED: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(hours=1)
_HELD_FAILED: Final = timedelta(minutes=15)
# So many that wait are routed before a lead that comes in; when there are more, it is left to the sweep.
LINE: Final = 50


def route_new_lead(lead_id: int, stored: Lead | None = None) -> None:
    """Route a lead that was just stored. Never raises: a lead whose routing failed is marked, and the sweep retries.

    ``stored``: the lead as it is in the database, with its stage and pipeline, to be read no more.
    """
    try:
        assign_lead(lead_id, stored=stored)
    except Exception:
        logger.exception("routing of lead %s failed", lead_id)
        mark_failed_safely(lead_id)


def assign_lead(
    lead_id: int,
    *,
    trigger: str = Assignment.Trigger.CREATED,
    actor: User | None = None,
    now: datetime | None = None,
    stored: Lead | None = None,
) -> Decision | None:
    """Decide who gets a lead and give it to them.

    Args:
        lead_id: the lead; one that is assigned, closed, archived, excluded or gone is left alone.
        trigger: what caused this, a value of ``Assignment.Trigger``.
        actor: the person who asked for it; None is the system.
        now: the moment of the decision, for replayed history; the present by default.
        stored: see :func:`route_new_lead`. When it changed since, it is read.

    Returns:
        The stored decision, or None when there was nothing to do, or when so many wait for the pool that the lead's
        turn comes with the sweep.

    Raises:
        Contention: the lead or its pool kept changing.
    """
    occasion = Occasion(trigger, now or timezone.now(), actor)
    last = False
    for _ in range(ROUNDS):
        lead, stored = stored or read_lead(lead_id), None
        if lead is None or not needs_routing(lead):
            return None
        try:
            return _assign(lead, occasion, last=last or lead.routing_state == Lead.RoutingState.HELD)
        except Changed:
            continue
        except Behind as line:
            if waiting.serve(line.pool_id, partial(try_held, now=occasion.now), occasion.now, most=LINE).left:
                return None
            last = True
    raise Contention(f"Lead {lead_id} kept changing; it is tried again by itself.")


def needs_routing(lead: Lead) -> bool:
    done = lead.routing_state in (Lead.RoutingState.ASSIGNED, Lead.RoutingState.EXCLUDED)
    return not done and lead.closed_at is None and lead.archived_at is None


class Behind(Exception):
    """Leads wait for the pool whose turn comes before that of a lead which comes in now."""

    def __init__(self, pool_id: int) -> None:
        super().__init__(f"leads wait for pool {pool_id}")
        self.pool_id = pool_id


def try_held(lead_id: int, *, now: datetime) -> bool | None:
    """Route a lead that waits; whether it found someone. None when it failed, and is put off, or waits no longer."""
    try:
        decision = assign_lead(lead_id, trigger=Assignment.Trigger.SWEEP, now=now)
    except Exception:
        logger.exception("routing of lead %s failed", lead_id)
        waiting.put_off(lead_id, now + _HELD_FAILED)
        return None
    return decision.outcome in DELIVERED if decision else None


@retried
def _assign(lead: Lead, occasion: Occasion, *, last: bool) -> Decision:
    """``last``: all who wait for the pool have had their turn."""
    guess = guess_pool(lead, occasion.now)
    try:
        return _write(guess, occasion, last=last)
    except Elsewhere as elsewhere:
        return _write(elsewhere.draft, occasion, last=last)


def _write(guess: "Guess", occasion: Occasion, *, last: bool) -> Decision:
    with transaction.atomic():
        draft = settle(guess)
        pool = draft.choice.pool
        if pool is not None and pool.line and not last:
            raise Behind(pool.id)
        [row] = record([Case.of(draft.subject, draft.choice, draft.took_us)], draft.world, occasion)
    return Decision(**row)


@dataclass(frozen=True, slots=True)
class Guess:
    """A lead with all that it is decided on, and the pool that it will probably go to, 0 for none.

    Attributes:
        snapshot: who was read so far; nobody before the first decision.
        seen: the rules that were held against the lead so far.
    """

    subject: Subject
    facts: LeadFacts
    world: World
    snapshot: Snapshot
    seen: Sequence[Look]
    pool_id: int


@dataclass(frozen=True, slots=True)
class Draft(Guess):
    """Where a lead would go by the rules. ``took_us``: time to decide it."""

    choice: Choice
    took_us: int = 0


class Elsewhere(Changed):
    """The lead goes to another pool than the one that was locked."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"lead {draft.subject.lead.pk} goes to another pool")
        self.draft = draft


def guess_pool(lead: Lead, now: datetime, without: Collection[int] = ()) -> Guess:
    """What a lead of :func:`leads_to_route` is decided on, read without locks and without anybody who could take it.

    Args:
        without: reps who do not come into question, as if they had had the lead.
    """
    world = live_world()
    subject = read_subject(lead)
    subject = replace(subject, had=subject.had.union(without))
    facts = facts_of(subject, world.attributes)
    snapshot = open_snapshot(subject, world, now)
    seen = look_ahead(facts, snapshot)
    return Guess(subject, facts, world, snapshot, seen, likely_pool(snapshot, seen))


def likely_pool(snapshot: Snapshot, seen: Sequence[Look]) -> int:
    """The pool that must probably be locked to write a lead after these rules were held against it; 0 for none."""
    if snapshot.keepers:
        return 0
    last = seen[-1] if seen else None
    pool_id = last.rule.pool_id if last and last.result == MATCHED else snapshot.rule_set.catch_all_pool_id
    return pool_id or 0


def draft_decision(lead: Lead, now: datetime, without: Collection[int] = ()) -> Draft:
    """Decide about a lead on what is read without locks; see :func:`guess_pool`."""
    guess = guess_pool(lead, now, without)
    return _decide(guess, guess.snapshot)


def _decide(guess: Guess, snapshot: Snapshot) -> Draft:
    started = perf_counter_ns()
    choice, snapshot = decide(guess.facts, snapshot, reader(snapshot.now, guess.world.timetable), guess.seen)
    took_us = (perf_counter_ns() - started) // 1000
    pool_id = choice.pool.id if choice.pool else 0
    return Draft(guess.subject, guess.facts, guess.world, snapshot, choice.looks, pool_id, choice, took_us)


def settle(guess: Guess) -> Draft:
    """Lock the pool that would win, read it and decide. The first thing in a transaction.

    Another winner in the same pool is as good: the pool is locked now. Another pool is not.

    Raises:
        Elsewhere: start over with its draft.
    """
    snapshot = guess.snapshot
    if guess.pool_id:
        books.lock_pool(guess.pool_id)
        snapshot = reload_pool(snapshot, guess.pool_id, guess.world.timetable)
    draft = _decide(guess, snapshot)
    if draft.pool_id not in (0, guess.pool_id):
        raise Elsewhere(draft)
    return draft


def mark_failed_safely(lead_id: int, now: datetime | None = None) -> None:
    """:func:`mark_failed`, where even that may fail and must stop nobody else."""
    try:
        mark_failed(lead_id, now or timezone.now())
    except Exception:
        # The lead is stored and due: the sweep finds it as it is.
        logger.exception("lead %s could not be marked as failed", lead_id)


def mark_failed(lead_id: int, now: datetime) -> None:
    """Note that routing a lead failed, and when to try again: after 1, 2, 4 ... minutes, at most an hour."""
    lead = open_leads().filter(pk=lead_id, routing_state__in=Lead.UNFINISHED).first()
    if lead is None:
        return
    wait = doubled(_RETRY_FAILED, lead.attempts, _LONGEST_RETRY)
    words = "Routing failed; it is tried again by itself."
    standing = Standing(Lead.RoutingState.ERROR, "error", words, next_attempt_at=now + wait)
    with transaction.atomic():
        if place(lead, standing):
            Event.objects.create(lead=lead, kind=Event.Kind.FAILED, at=now, data={"sentence": words})
