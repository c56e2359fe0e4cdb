"""Puts leads that are done out of sight. Nothing is deleted: decisions and reports still name them."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from pipeline.errors import PipelineError
from pipeline.models import Event, Lead
from pipeline.services.events import record
from pipeline.signals import lead_archived

_AT_REST = Q(closed_at__isnull=False) | Q(routing_state=Lead.RoutingState.EXCLUDED)


def archive_lead(lead: Lead, *, actor: User | None) -> bool:
    """Archives a lead that is closed or kept out of routing; False when it was archived before.

    Raises:
        PipelineError: when it is still being worked on or routed.
    """
    with transaction.atomic():
        found = Lead.objects.filter(_AT_REST, pk=lead.pk, archived_at=None)
        if found.update(archived_at=timezone.now(), version=F("version") + 1):
            record(lead, Event.Kind.EDITED, actor=actor, archived=True)
            lead_archived.send(Lead, lead=lead, actor=actor)
            return True
    if Lead.objects.filter(pk=lead.pk, archived_at=None).exists():
        raise PipelineError("Only a lead that is closed or kept out of routing can be archived.")
    return False


def restore_lead(lead: Lead, *, actor: User | None) -> bool:
    """Brings an archived lead back as it was; False when it was not archived."""
    with transaction.atomic():
        restored = Lead.objects.filter(pk=lead.pk).exclude(archived_at=None)
        if not restored.update(archived_at=None, version=F("version") + 1):
            return False
        record(lead, Event.Kind.EDITED, actor=actor, archived=False)
    return True
