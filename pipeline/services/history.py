"""Stores leads that lived elsewhere before: many at once, as they were, without waking anybody."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from pipeline.models import Event, Lead

BATCH = 500


def store_history(leads: Sequence[Lead]) -> None:
    """Store finished or running leads with the events of their past. Must run inside the caller's transaction.

    Their owners, if any, are set; the caller writes the assignments in the same transaction.
    """
    Lead.objects.bulk_create(leads, batch_size=BATCH)
    Event.objects.bulk_create((event for lead in leads for event in _events(lead)), batch_size=BATCH)


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
