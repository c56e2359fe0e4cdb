"""Routes one lead: decide on what is read without locks, lock the pool that would win, decide again, write."""

import logging
from collections.abc import Collection
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


def route_new_lead(lead_id: int) -> None:
    """Route a lead that was just stored. Never raises: a lead whose routing failed is marked, and the sweep retries."""
    try:
        assign_lead(lead_id)
    except Exception:
        logger.exception("routing of lead %s failed", lead_id)
        mark_failed_safely(lead_id)


def assign_lead(
    lead_id: int,
    *,
    trigger: str = Assignment.Trigger.CREATED,
    actor: User | None = None,
    now: datetime | None = None,
) -> Decision | None:
    """Decide who gets a lead and give it to them.

    Args:
        lead_id: the lead; one that is assigned, closed, archived, excluded or gone is left alone.
        trigger: what caused this, a value of ``Assignment.Trigger``.
        actor: the person who asked for it; None is the system.
        now: the moment of the decision, for replayed history; the present by default.

    Returns:
        The stored decision, or None when there was nothing to do, or when so many wait for the pool that the lead's
        turn comes with the sweep.

    Raises:
        Contention: the lead or its pool kept changing.
    """
    occasion = Occasion(trigger, now or timezone.now(), actor)
    last = False
    for _ in range(ROUNDS):
        lead = read_lead(lead_id)
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
    draft = draft_decision(lead, occasion.now)
    pool = draft.choice.pool
    if pool is not None and pool.line and not last:
        raise Behind(pool.id)
    with transaction.atomic():
        settled = settle(draft)
        [row] = record([Case(settled.subject, settled.choice, settled.took_us)], settled.world, occasion)
    return Decision(**row)


@dataclass(frozen=True, slots=True)
class Draft:
    """Where a lead would go by the rules, with all that this was decided on. ``took_us``: time to decide it."""

    subject: Subject
    facts: LeadFacts
    world: World
    choice: Choice
    snapshot: Snapshot
    took_us: int = 0


def draft_decision(lead: Lead, now: datetime, without: Collection[int] = ()) -> Draft:
    """Decide about a lead of :func:`leads_to_route` on what is read without locks.

    Args:
        without: reps who do not come into question, as if they had had the lead.
    """
    world = live_world()
    subject = read_subject(lead)
    subject = replace(subject, had=subject.had.union(without))
    facts = facts_of(subject, world.attributes)
    choice, snapshot = decide(facts, open_snapshot(subject, world, now), world.timetable)
    return Draft(subject, facts, world, choice, snapshot)


def settle(draft: Draft) -> Draft:
    """Lock the pool that would win, read it again and decide again. The first thing in a transaction.

    Another winner in the same pool is as good: the pool is locked now. Another pool is not.

    Raises:
        Changed: start over with another draft.
    """
    snapshot, pool = draft.snapshot, draft.choice.pool
    if pool is not None:
        books.lock_pool(pool.id)
        snapshot = reload_pool(snapshot, pool.id, draft.world.timetable)
    started = perf_counter_ns()
    choice, _ = decide(draft.facts, snapshot, draft.world.timetable, draft.choice.looks)
    if choice.pool is not None and (pool is None or choice.pool.id != pool.id):
        raise Changed
    return replace(draft, choice=choice, took_us=(perf_counter_ns() - started) // 1000)


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
