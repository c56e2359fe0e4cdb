"""Stores many new leads at once. They are routed after the commit, by the batch."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from pipeline.intake import ConsentInput
from pipeline.models import Consent, Event, Lead, LeadSource
from pipeline.services.leads import build_consents, first_stage
from pipeline.signals import leads_created

BATCH: Final = 500


def store_leads(
    source: LeadSource,
    leads: Sequence[Lead],
    consents: Mapping[str, Sequence[ConsentInput]],
    *,
    actor: User | None = None,
) -> list[Lead]:
    """Store built leads that the source does not have yet, with their consents and first events, in one transaction.

    Args:
        leads: unsaved, each with an external id.
        consents: by external id.

    Returns:
        Those that were new; the others were left as they are.
    """
    with transaction.atomic():
        # Two imports of one file wait for each other here, so that each sees what the other stored.
        LeadSource.objects.select_for_update(no_key=True).get(pk=source.pk)
        wanted = [lead.external_id for lead in leads]
        there = set(Lead.objects.filter(source=source, external_id__in=wanted).values_list("external_id", flat=True))
        new = [lead for lead in leads if lead.external_id not in there]
        stage = first_stage(source)
        for lead in new:
            lead.stage = stage
        Lead.objects.bulk_create(new, batch_size=BATCH)
        given = [row for lead in new for row in build_consents(lead, consents.get(lead.external_id, ()))]
        Consent.objects.bulk_create(given, batch_size=BATCH)
        Event.objects.bulk_create([_created(lead, source, actor) for lead in new], batch_size=BATCH)
        if new:
            wake = partial(leads_created.send_robust, Lead, lead_ids=[lead.pk for lead in new])
            transaction.on_commit(wake, robust=True)
    return new


def _created(lead: Lead, source: LeadSource, actor: User | None) -> Event:
    return Event(lead=lead, kind=Event.Kind.CREATED, at=lead.created_at, actor=actor, data={"source": source.slug})
