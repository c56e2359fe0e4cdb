"""Routes one lead: decide on what is read without locks, lock the pool that would win, decide again, write."""

import logging
from datetime import datetime, timedelta
from time import perf_counter_ns
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from distribution.compiling import live_world
from distribution.engine.decision import Decision as Choice
from distribution.engine.facts import LeadFacts
from distribution.engine.snapshot import Snapshot
from distribution.errors import Contention
from distribution.hours import Timetable
from distribution.models import Assignment, Decision
from distribution.services import books
from distribution.services.recording import Changed, Occasion, record
from distribution.snapshots import decide, facts_of, leads_to_route, open_snapshot, read_subject, reload_pool
from leadcrm.lib.transactions import retried
from pipeline.models import Event, Lead
from pipeline.services.standing import Standing, open_leads, place

logger = logging.getLogger(__name__)

ROUNDS: Final = 20
_RETRY_FAILED: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(hours=1)


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
        The stored decision, or None when there was nothing to do.

    Raises:
        Contention: the lead or its pool kept changing.
    """
    occasion = Occasion(trigger, now or timezone.now(), actor)
    for _ in range(ROUNDS):
        lead = leads_to_route().filter(pk=lead_id).first()
        if lead is None or not needs_routing(lead):
            return None
        try:
            return _assign(lead, occasion)
        except Changed:
            continue
    raise Contention(f"Lead {lead_id} kept changing; it is tried again by itself.")


def needs_routing(lead: Lead) -> bool:
    done = lead.routing_state in (Lead.RoutingState.ASSIGNED, Lead.RoutingState.EXCLUDED)
    return not done and lead.closed_at is None and lead.archived_at is None


@retried
def _assign(lead: Lead, occasion: Occasion) -> Decision:
    world = live_world()
    subject = read_subject(lead)
    facts = facts_of(subject, world.attributes)
    draft, snapshot = decide(facts, open_snapshot(subject, world, occasion.now), world.timetable)
    with transaction.atomic():
        choice, took_us = _decide_locked(facts, draft, snapshot, world.timetable)
        timed = Occasion(occasion.trigger, occasion.now, occasion.actor, took_us)
        return record(subject, choice, world, timed)


def _decide_locked(facts: LeadFacts, draft: Choice, snapshot: Snapshot, timetable: Timetable) -> tuple[Choice, int]:
    """Lock the pool that would win, read it again and decide again.

    Another winner in the same pool is as good: the pool is locked now. Another pool is not: start over.
    """
    if draft.pool is not None:
        books.lock_pool(draft.pool.id)
        snapshot = reload_pool(snapshot, draft.pool.id, timetable)
    started = perf_counter_ns()
    choice, _ = decide(facts, snapshot, timetable)
    if choice.pool is not None and (draft.pool is None or choice.pool.id != draft.pool.id):
        raise Changed
    return choice, (perf_counter_ns() - started) // 1000


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
    wait = min(_RETRY_FAILED * 2 ** min(lead.attempts, 10), _LONGEST_RETRY)
    words = "Routing failed; it is tried again by itself."
    standing = Standing(Lead.RoutingState.ERROR, "error", words, next_attempt_at=now + wait)
    with transaction.atomic():
        if place(lead, standing):
            Event.objects.create(lead=lead, kind=Event.Kind.FAILED, at=now, data={"sentence": words})
