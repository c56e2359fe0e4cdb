"""Finishes what was left unfinished: leads nobody routed, holds whose time has come, offers nobody took.

Each sweep claims rows by moving their due time, so that several may run at once and a second run finds nothing.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.utils import timezone

from distribution.models import Assignment, Offer
from distribution.services import waiting
from distribution.services.assigning import assign_lead, logger, mark_failed_safely, try_held
from distribution.services.recording import end_waiting
from pipeline.models import Lead
from pipeline.services.standing import Standing, open_leads, place

# How long a sweep may take for the leads that it claimed before another may have them.
LEASE: Final = timedelta(minutes=2)


def sweep_unassigned(limit: int = 200, *, now: datetime | None = None) -> int:
    """Route leads that are due: highest priority first, then the oldest. Returns how many found someone.

    A lead that fails is marked, tried again later, and does not stop the others.
    """
    now = now or timezone.now()
    return sum(_route_safely(pk, now) for pk in _lease(limit, now))


def _lease(limit: int, now: datetime) -> list[int]:
    due = open_leads().filter(routing_state__in=Lead.UNFINISHED, next_attempt_at__lte=now)
    with transaction.atomic():
        rows = due.order_by("-priority", "created_at", "pk").select_for_update(skip_locked=True, no_key=True)
        ids = list(rows.values_list("pk", flat=True)[:limit])
        Lead.objects.filter(pk__in=ids).update(next_attempt_at=now + LEASE)
    return ids


def _route_safely(lead_id: int, now: datetime) -> bool:
    try:
        decision = assign_lead(lead_id, trigger=Assignment.Trigger.SWEEP, now=now)
    except Exception:
        logger.exception("routing of lead %s failed", lead_id)
        mark_failed_safely(lead_id, now)
        return False
    return decision is not None and decision.winner_id is not None


def sweep_holds(limit: int = 200, *, now: datetime | None = None) -> int:
    """Route leads that wait and whose turn has come, pool by pool. Returns how many found someone."""
    now = now or timezone.now()
    attempt = partial(try_held, now=now)
    found = sum(waiting.serve(pool_id, attempt, now, most=limit).found for pool_id in waiting.pools_to_serve(now))
    return found + sum(map(bool, map(attempt, waiting.due_alone(now, limit))))


def sweep_offers(limit: int = 200, *, now: datetime | None = None) -> int:
    """Let leads whose offers all ran out be routed again. Returns how many."""
    now = now or timezone.now()
    due = Offer.objects.filter(ended_at=None, expires_at__lte=now).order_by("expires_at", "pk")
    return _release(list(due.values_list("lead", flat=True).distinct()[:limit]), now)


def _release(lead_ids: list[int], now: datetime) -> int:
    offered = open_leads().filter(pk__in=lead_ids, routing_state=Lead.RoutingState.CLAIMABLE)
    again = Standing(Lead.RoutingState.UNASSIGNED, "released", "Its waiting time is over.", next_attempt_at=now)
    released = 0
    for lead in offered:
        with transaction.atomic():
            if place(lead, again):
                end_waiting(lead.pk, now, Offer.End.EXPIRED)
                released += 1
    return released
