"""Takes in many leads of one source at once. They are routed after the commit, as one batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import prefetch_related_objects

from pipeline.intake import ConsentInput, FieldError, InvalidLead, LeadInput, RateOf, todays_rate
from pipeline.models import Consent, Event, Lead, LeadSource
from pipeline.services.leads import build_consents, build_lead, first_stage
from pipeline.signals import leads_created

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one input: its lead (``created`` or known by its external id before), or what was wrong."""

    lead: Lead | None = None
    created: bool = False
    errors: tuple[FieldError, ...] = ()
    consents: tuple[ConsentInput, ...] = ()


def create_leads(source: LeadSource, inputs: Sequence[LeadInput], *, actor: User | None = None) -> list[Arrival]:
    """Stores those inputs that can become leads, in one transaction, and says of each what became of it.

    An external id that the source has already, or that an earlier input carries, gives the lead that has it.

    Raises:
        IntegrityError: when somebody stored one of the external ids at the same moment; nothing was stored.
    """
    read = _read_all(source, inputs)
    with transaction.atomic():
        if any(one.external_id for one in inputs):
            # Requests that overlap would wait for each other's ids, in different orders: here they queue up instead.
            LeadSource.objects.select_for_update(no_key=True).get(pk=source.pk)
        arrivals = _with_known(source, inputs, read)
        _store(source, [arrival for arrival in arrivals if arrival.created], actor)
    return arrivals


def _read_all(source: LeadSource, inputs: Sequence[LeadInput]) -> list[Arrival]:
    if any(one.attributes for one in inputs):
        prefetch_related_objects([source], "attributes")
    rate_of = cache(todays_rate)
    return [_read(source, one, rate_of) for one in inputs]


def _read(source: LeadSource, one: LeadInput, rate_of: RateOf) -> Arrival:
    try:
        lead, consents = build_lead(source, one.fields, one.consents, one.external_id, one.attributes, rate_of)
    except InvalidLead as invalid:
        return Arrival(errors=tuple(invalid.errors))
    return Arrival(lead, created=True, consents=tuple(consents))


def _with_known(source: LeadSource, inputs: Sequence[LeadInput], arrivals: Iterable[Arrival]) -> list[Arrival]:
    """The arrivals with those replaced whose external id has a lead."""
    wanted = {one.external_id for one in inputs if one.external_id}
    stored = Lead.objects.filter(source=source, external_id__in=wanted) if wanted else ()
    known: dict[str, Lead] = {lead.external_id: lead for lead in stored}
    result = []
    for one, arrival in zip(inputs, arrivals, strict=True):
        if one.external_id in known:
            arrival = Arrival(known[one.external_id])
        elif one.external_id and arrival.lead:
            known[one.external_id] = arrival.lead
        result.append(arrival)
    return result


def _store(source: LeadSource, arrivals: Sequence[Arrival], actor: User | None) -> None:
    leads = [arrival.lead for arrival in arrivals if arrival.lead]
    if not leads:
        return
    stage_id = first_stage(source).pk
    for lead in leads:
        lead.stage_id = stage_id
    Lead.objects.bulk_create(leads, batch_size=BATCH)
    consents = [row for arrival in arrivals if arrival.lead for row in build_consents(arrival.lead, arrival.consents)]
    Consent.objects.bulk_create(consents, batch_size=BATCH)
    Event.objects.bulk_create([_created(lead, source, actor) for lead in leads], batch_size=BATCH)
    wake = partial(leads_created.send_robust, Lead, lead_ids=[lead.pk for lead in leads])
    transaction.on_commit(wake, robust=True)


def _created(lead: Lead, source: LeadSource, actor: User | None) -> Event:
    return Event(lead=lead, kind=Event.Kind.CREATED, at=lead.created_at, actor=actor, data={"source": source.slug})
