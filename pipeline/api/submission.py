"""Takes a request's leads in exactly once, however often the request is sent."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from leadcrm.lib.transactions import retried
from pipeline.api.answers import answer_of, errors_of, tell, told
from pipeline.intake import FieldError, InvalidLead, LeadInput
from pipeline.models import IdempotencyKey, Lead, LeadSource
from pipeline.repeats import ignored_parts
from pipeline.services import idempotency
from pipeline.services.bulk import Arrival, create_leads
from pipeline.services.leads import build_lead, create_lead
from pipeline.signals import lead_waiting, leads_created

T = TypeVar("T")

_ROUNDS: Final = 3
_CREATED: Final = int(HTTPStatus.CREATED)
_OK: Final = int(HTTPStatus.OK)
_INVALID: Final = int(HTTPStatus.BAD_REQUEST)


class Ticket(NamedTuple):
    """The ``Idempotency-Key`` of a request, and the digest of what it sent."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any
    replayed: bool = False


# What was made, as JSON: enough to rebuild the answer from the leads when it was never sent.
Plan = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request: ``make`` stores in one transaction, ``wake`` has it routed again, ``tell`` answers."""

    make: Callable[[], Plan]
    wake: Callable[[Plan], None]
    tell: Callable[[Plan], Reply]


def submit(source: LeadSource, work: Work, ticket: Ticket | None) -> Reply:
    """Does the work once per ticket and answers every request with the same ticket alike.

    Raises:
        InvalidLead: nothing was stored, the ticket is still good; KeyReused, InFlight: see ``idempotency``.
    """
    if ticket is None:
        return work.tell(_persist(work.make))
    row, is_retry = _persist(partial(_make_once, source, work, ticket))
    if row.status_code is None:
        row = _finish(row, work, is_retry=is_retry)
    return Reply(row.status_code or _OK, json.loads(str(row.answer)), is_retry)


@retried
def _persist(make: Callable[[], T]) -> T:
    """Makes it again when another request stored the same external id or ticket just now: then that is found."""
    for _ in range(_ROUNDS - 1):
        try:
            return make()
        except IntegrityError:
            continue
    return make()


@transaction.atomic
def _make_once(source: LeadSource, work: Work, ticket: Ticket) -> tuple[IdempotencyKey, bool]:
    """The row of the ticket, and whether it was there before."""
    row = idempotency.earlier(source, *ticket)
    return (row, True) if row else (idempotency.begin(source, *ticket, work.make()), False)


def _finish(row: IdempotencyKey, work: Work, *, is_retry: bool) -> IdempotencyKey:
    plan: Plan = row.answer or {}
    if is_retry:  # the first request died before it answered, perhaps before routing
        work.wake(plan)
    reply = work.tell(plan)
    # A text, because a JSON column would not keep the order of the names.
    return idempotency.finish(row, reply.status, json.dumps(reply.body))


# --- One lead ----------------------------------------------------------------------------------


def one_lead(source: LeadSource, sent: LeadInput, shape: Sequence[FieldError]) -> Work:
    """The work of storing one lead; ``shape`` is what was wrong with the JSON already."""
    return Work(make=lambda: _make_one(source, sent, shape), wake=_wake_one, tell=_tell_one)


def _make_one(source: LeadSource, sent: LeadInput, shape: Sequence[FieldError]) -> Plan:
    if shape:
        raise InvalidLead([*shape, *_value_errors(source, sent, {error.field for error in shape})])
    if sent.external_id and (known := _known(source, sent.external_id)):
        return {"status": _OK, "lead": known.pk, "ignored": ignored_parts(source, sent, known)}
    lead = create_lead(
        source=source,
        fields=sent.fields,
        consents=sent.consents,
        external_id=sent.external_id,
        attributes=sent.attributes,
    )
    return {"status": _CREATED, "lead": lead.pk}


def _known(source: LeadSource, external_id: str) -> Lead | None:
    return Lead.objects.filter(source=source, external_id=external_id).first()


def _value_errors(source: LeadSource, sent: LeadInput, told_already: set[str]) -> list[FieldError]:
    try:
        build_lead(source, sent.fields, sent.consents, sent.external_id, sent.attributes)
    except InvalidLead as invalid:
        return [error for error in invalid.errors if error.field not in told_already]
    return []


def _wake_one(plan: Plan) -> None:
    lead_waiting.send_robust(Lead, lead_id=plan["lead"])


def _tell_one(plan: Plan) -> Reply:
    existing = plan["status"] == _OK
    return Reply(plan["status"], {**tell(plan["lead"]), "existing": existing, "ignored": plan.get("ignored", [])})


# --- Many leads --------------------------------------------------------------------------------


def many_leads(source: LeadSource, sent: Sequence[tuple[LeadInput, list[FieldError]]]) -> Work:
    """The work of storing those of many leads that can be stored."""
    return Work(make=lambda: _make_many(source, sent), wake=_wake_many, tell=_tell_many)


def _make_many(source: LeadSource, sent: Sequence[tuple[LeadInput, list[FieldError]]]) -> Plan:
    fit = [index for index, (_, shape) in enumerate(sent) if not shape]
    arrivals = dict(zip(fit, create_leads(source, [sent[index][0] for index in fit]), strict=True))
    _read_consents(list(arrivals.values()))
    return {"items": [_item(source, one, shape, arrivals.get(index)) for index, (one, shape) in enumerate(sent)]}


def _read_consents(arrivals: Sequence[Arrival]) -> None:
    """Those of the leads that were there, in one query, to compare what was sent again."""
    prefetch_related_objects([arrival.lead for arrival in arrivals if arrival.lead and not arrival.created], "consents")


def _item(source: LeadSource, sent: LeadInput, shape: list[FieldError], arrival: Arrival | None) -> Plan:
    if arrival is None:
        more = _value_errors(source, sent, {error.field for error in shape})
        return {"status": _INVALID, "errors": errors_of([*shape, *more])}
    if arrival.lead is None:
        return {"status": _INVALID, "errors": errors_of(arrival.errors)}
    if arrival.created:
        return {"status": _CREATED, "lead": arrival.lead.pk}
    return {"status": _OK, "lead": arrival.lead.pk, "ignored": ignored_parts(source, sent, arrival.lead)}


def _wake_many(plan: Plan) -> None:
    leads = [item["lead"] for item in plan["items"] if item["status"] == _CREATED]
    leads_created.send_robust(Lead, lead_ids=leads)


def _tell_many(plan: Plan) -> Reply:
    wanted = {item["lead"] for item in plan["items"] if "lead" in item}
    answers = {row["id"]: answer_of(row) for row in told(Lead.objects.filter(pk__in=wanted))}
    results = [
        {
            "index": index,
            "status": item["status"],
            "lead": answers.get(item.get("lead", 0)),
            "ignored": item.get("ignored", []),
            "errors": item.get("errors", []),
        }
        for index, item in enumerate(plan["items"])
    ]
    statuses = [item["status"] for item in plan["items"]]
    counts = {
        name: statuses.count(status) for name, status in (("created", _CREATED), ("known", _OK), ("failed", _INVALID))
    }
    return Reply(_OK, {**counts, "results": results})
