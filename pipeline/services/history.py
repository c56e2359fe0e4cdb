"""Stores leads that lived elsewhere before: many at once, as they were, without waking anybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from leadcrm.lib.bulk import update_each
from pipeline.models import Event, Lead, Stage

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Past:
    """What its owner did with a lead, as moments; None: not (yet)."""

    lead_id: int
    user_id: int
    stage: Stage
    accepted_at: datetime | None = None
    contacted_at: datetime | None = None
    closed_at: datetime | None = None
    lost_reason: str = ""


def store_history(leads: Sequence[Lead]) -> None:
    """Store finished or running leads with the events of their past. Must run inside the caller's transaction.

    Their owners, if any, are set; the caller writes the assignments in the same transaction.
    """
    for lead in leads:
        lead.stage_since, lead.board_at = lead.closed_at or lead.assigned_at or lead.created_at, lead.created_at
    Lead.objects.bulk_create(leads, batch_size=BATCH)
    Event.objects.bulk_create((event for lead in leads for event in _events(lead)), batch_size=BATCH)


def write_past(pasts: Sequence[Past]) -> None:
    """Move leads to where their past left them, with its events. Must run inside the caller's transaction, which also
    ends the assignments of those that were closed."""
    rows = [
        {
            "id": past.lead_id,
            "stage_id": past.stage.pk,
            "accepted_at": past.accepted_at,
            "first_contacted_at": past.contacted_at,
            "closed_at": past.closed_at,
            "lost_reason": past.lost_reason,
            "stage_since": past.closed_at or past.contacted_at or past.accepted_at or timezone.now(),
        }
        for past in pasts
    ]
    update_each(Lead, rows, match=("id",), also="version = t.version + 1")
    Event.objects.bulk_create((event for past in pasts for event in _past_events(past)), batch_size=BATCH)


def _past_events(past: Past) -> Iterable[Event]:
    told, closing = timezone.now(), {"stage": past.stage.slug, "reason": past.lost_reason}
    moments: tuple[tuple[Event.Kind, datetime | None, dict[str, str]], ...] = (
        (Event.Kind.ACCEPTED, past.accepted_at, {}),
        (Event.Kind.CONTACTED, past.contacted_at, {}),
        (Event.Kind.CLOSED, past.closed_at, closing),
    )
    for kind, at, data in moments:
        if at is not None:
            yield Event(lead_id=past.lead_id, kind=kind, at=at, actor_id=past.user_id, data=data, fanned_out_at=told)


def _events(lead: Lead) -> Iterable[Event]:
    """What is known of its past. Nobody is told: it is old news, so it counts as fanned out."""
    told = timezone.now()
    yield Event(
        lead=lead, kind=Event.Kind.CREATED, at=lead.created_at, data={"source": lead.source.slug}, fanned_out_at=told
    )
    if lead.owner_id is not None:
        data = {"user": lead.owner_id, "sentence": lead.routing_sentence}
        yield Event(
            lead=lead, kind=Event.Kind.ASSIGNED, at=lead.assigned_at or lead.created_at, data=data, fanned_out_at=told
        )
    if lead.closed_at is not None:
        data = {"stage": lead.stage.slug, "reason": lead.lost_reason}
        yield Event(lead=lead, kind=Event.Kind.CLOSED, at=lead.closed_at, data=data, fanned_out_at=told)
