"""How a lead comes to be and moves on. Who gets it is written by distribution through ``services.standing``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from leadcrm.lib.prepared import Param, Prepared
from pipeline import intake
from pipeline.attributes import read_attributes
from pipeline.consents import read_consents
from pipeline.display import money, person
from pipeline.errors import ReasonMissing, StaleLead, ValueMissing, WrongStage
from pipeline.intake import ConsentInput, FieldError, InvalidLead, RateOf, todays_rate
from pipeline.models import Consent, Event, Lead, LeadSource, Stage
from pipeline.services.activity import touch
from pipeline.services.events import record
from pipeline.services.limits import make_room
from pipeline.signals import lead_closed, lead_reopened, lead_waiting

LONGEST_REASON: Final = 200


# --- Coming in ---------------------------------------------------------------------------------


def create_lead(
    *,
    source: LeadSource,
    fields: Mapping[str, Any],
    consents: Sequence[ConsentInput] = (),
    external_id: str = "",
    attributes: Mapping[str, Any] | None = None,
    owner: User | None = None,
    actor: User | None = None,
    created_at: datetime | None = None,
    stage: Stage | None = None,
) -> Lead:
    """Stores a lead with its consents and first event; routing follows after the commit.

    Args:
        fields: lead fields by name, as the source sends them: see ``intake.READERS``.
        external_id: its id at the source, unique there.
        attributes: answers to the source's own questions, by key.
        owner: who has it already; such a lead takes no turn. Only noted where the source leaves it to the rules.
        created_at: when it came in, for history; None for now.
        stage: where it starts; None for the first open stage of the source's pipeline.

    Raises:
        InvalidLead: with every fault; nothing was stored.
        IntegrityError: when the source has a lead with this external id.
    """
    lead, clean_consents = build_lead(source, fields, consents, external_id, attributes or {})
    lead.created_at = lead.stage_since = lead.board_at = created_at or timezone.now()
    noted = {"came_with": person(owner)} if owner and source.routes_owned else {}
    if owner and not noted:
        lead.owner, lead.routing_state = owner, Lead.RoutingState.ASSIGNED
        lead.assigned_at, lead.next_attempt_at = lead.created_at, None
    with transaction.atomic():
        lead.stage = stage or first_stage(source)
        lead.save(force_insert=True)
        lead.is_as_stored = True
        Consent.objects.bulk_create(build_consents(lead, clean_consents))
        record(lead, Event.Kind.CREATED, actor=actor, source=source.slug, **noted)
    return lead


def build_lead(
    source: LeadSource,
    fields: Mapping[str, Any],
    consents: Sequence[ConsentInput],
    external_id: str,
    attributes: Mapping[str, Any],
    rate_of: RateOf = todays_rate,
) -> tuple[Lead, list[ConsentInput]]:
    """An unsaved lead without a stage, and its consents, from what a source sent.

    Args:
        rate_of: where exchange rates come from; whoever builds many leads reads each rate once.

    Raises:
        InvalidLead: with every fault.
    """
    values, errors = intake.read_fields(fields, source)
    definitions = source.attributes.all() if attributes else ()
    answers, attribute_errors = read_attributes(attributes, definitions)
    clean_consents, consent_errors = read_consents(consents)
    errors += attribute_errors + consent_errors + _external_id_errors(external_id)
    errors += intake.missing_fields(fields, attributes, source)
    if errors:
        raise InvalidLead(errors)
    value_base = intake.in_base_currency(values, rate_of)
    lead = Lead(source=source, external_id=external_id, attributes=answers, value_base=value_base, **values)
    return lead, clean_consents


def _external_id_errors(external_id: str) -> list[FieldError]:
    try:
        intake.check_external_id(external_id)
    except intake.Fault as fault:
        return [FieldError("external_id", fault.code, str(fault))]
    return []


def build_consents(lead: Lead, consents: Sequence[ConsentInput]) -> list[Consent]:
    """Unsaved consent rows; those without a moment were given when the lead came in."""
    return [
        Consent(
            lead=lead,
            channel=consent.channel,
            granted=consent.granted,
            wording=consent.wording,
            at=consent.at or lead.created_at,
            origin=consent.origin,
            ip=consent.ip or None,
        )
        for consent in consents
    ]


def first_stage(source: LeadSource) -> Stage:
    """Where a new lead of this source starts: the first open stage of its pipeline, or of the default one; with the
    pipeline.

    Raises:
        WrongStage: when the installation has no such stage.
    """
    found = _FIRST_OF.first(pipeline=source.pipeline_id) if source.pipeline_id else _FIRST_OF_DEFAULT.first()
    if found is None:
        raise WrongStage("There is no open stage to start in: add a default pipeline with an open stage.")
    return found


def _open_stages(**pipeline: Any) -> QuerySet[Stage]:
    stages = Stage.objects.filter(kind=Stage.Kind.OPEN, pipeline__archived_at=None, **pipeline)
    return stages.select_related("pipeline").order_by("position", "id")[:1]


_FIRST_OF = Prepared(lambda: _open_stages(pipeline=Param("pipeline")))
_FIRST_OF_DEFAULT = Prepared(lambda: _open_stages(pipeline__is_default=True))


# --- Moving on ---------------------------------------------------------------------------------


def edit_lead(
    lead: Lead, fields: Mapping[str, Any], *, actor: User | None, version: int | None = None
) -> dict[str, list[Any]]:
    """Changes lead fields and says which: the old and the new value by name. A blank value empties its field, but a
    value is in some currency.

    Raises:
        InvalidLead: with every fault; StaleLead: when it was changed meanwhile.
    """
    fields = _in_a_currency(lead, fields)
    values, errors = intake.read_fields(fields, lead.source)
    if errors:
        raise InvalidLead(errors)
    wanted = {name: values.get(name, intake.blank_of(name)) for name in fields}
    wanted |= {name: values[name] for name in ("currency", "country") if name in values and not getattr(lead, name)}
    changed = {name: value for name, value in wanted.items() if getattr(lead, name) != value}
    if not changed:
        return {}
    history = {name: [_json(getattr(lead, name)), _json(value)] for name, value in changed.items()}
    if changed.keys() & {"value", "currency"}:
        changed["value_base"] = intake.in_base_currency({"value": lead.value, "currency": lead.currency} | changed)
    with transaction.atomic():
        change_lead(lead, version, **changed)
        named = {"currency": lead.currency} if "value" in history else {}
        record(lead, Event.Kind.EDITED, actor=actor, changes=history, **named)
        touch(lead, actor)
    return history


def _in_a_currency(lead: Lead, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fields in which a value that names no currency is in the lead's; of a lead without one, the intake takes that of
    its source, or the base currency."""
    valued = not intake.is_blank(fields.get("value", lead.value))
    named = not intake.is_blank(fields.get("currency"))
    return {**fields, "currency": lead.currency} if valued and lead.currency and not named else fields


def _json(value: Any) -> Any:
    return value if isinstance(value, (str, int, list, type(None))) else str(value)


def move_lead(
    lead: Lead, stage: Stage, *, actor: User | None, version: int | None = None, board_at: datetime | None = None
) -> None:
    """Moves an open lead to another open stage of its pipeline. Moving it to where it is changes nothing.

    Args:
        board_at: its place in the column, for boards that are sorted by hand; None for on top.

    Raises:
        WrongStage: for a closed lead and for stages that close; StageFull: the owner has enough there;
        StaleLead: when it was changed meanwhile.
    """
    _check_stage(lead, stage, {Stage.Kind.OPEN})
    if lead.closed_at:
        raise WrongStage("This lead is closed. Reopen it first.")
    if lead.stage_id == stage.pk:
        return
    before, now = lead.stage, timezone.now()
    with transaction.atomic():
        make_room(lead, stage)
        undo = standing_before(lead)
        change_lead(lead, version, stage=stage, stage_since=now, board_at=board_at or now)
        undo[TOUCHES] = touch(lead, actor)
        record(lead, Event.Kind.MOVED, actor=actor, **{"from": before.slug, "to": stage.slug, BEFORE: undo})


def close_lead(
    lead: Lead,
    stage: Stage,
    *,
    actor: User | None,
    lost_reason: str = "",
    worth: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> None:
    """Closes a lead as won or lost and, in the same transaction, frees its owner's place.

    Args:
        worth: what it was won for, as ``value`` and ``currency``; None or blank leaves what is known. 0 is a value as
            well.

    Raises:
        WrongStage: when it is closed already or the stage does not close; ReasonMissing: lost without a reason;
        ValueMissing: won, and nobody says or knows what it is worth; InvalidLead: a value that cannot be read;
        StaleLead: when it was changed meanwhile.
    """
    _check_stage(lead, stage, {Stage.Kind.WON, Stage.Kind.LOST})
    if lead.closed_at:
        raise WrongStage("This lead is closed already.")
    reason = lost_reason.strip()[:LONGEST_REASON] if stage.kind == Stage.Kind.LOST else ""
    if stage.kind == Stage.Kind.LOST and not reason:
        raise ReasonMissing
    value = _worth_of(lead, worth or {}) if stage.kind == Stage.Kind.WON else {}
    now = timezone.now()
    with transaction.atomic():
        undo = standing_before(lead)
        change_lead(lead, version, stage=stage, stage_since=now, lost_reason=reason, closed_at=now, **value)
        told = {"value": money(lead.value, lead.currency)} if value else {}
        record(lead, Event.Kind.CLOSED, actor=actor, stage=stage.slug, reason=reason, **told, **{BEFORE: undo})
        lead_closed.send(Lead, lead=lead, actor=actor, at=now)


def _worth_of(lead: Lead, worth: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say what a lead was won for, from what somebody typed; none where that is known already."""
    if intake.is_blank(worth.get("value")):
        if lead.value is None:
            raise ValueMissing
        return {}
    values, errors = intake.read_fields(_in_a_currency(lead, worth), lead.source)
    if errors:
        raise InvalidLead(errors)
    return {**values, "value_base": intake.in_base_currency(values)}


def reopen_lead(lead: Lead, stage: Stage, *, actor: User | None, version: int | None = None) -> None:
    """Opens a closed lead again in an open stage; its owner holds it again, without one it is routed.

    Raises:
        WrongStage: when it is open or the stage is not; StageFull: the owner has enough there;
        StaleLead: when it was changed meanwhile.
    """
    _check_stage(lead, stage, {Stage.Kind.OPEN})
    if not lead.closed_at:
        raise WrongStage("This lead is open.")
    now = timezone.now()
    with transaction.atomic():
        make_room(lead, stage)
        undo = standing_before(lead)
        moved = {"stage": stage, "stage_since": now, "board_at": now}
        change_lead(lead, version, **moved, lost_reason="", closed_at=None, next_attempt_at=_retry_of(lead))
        record(lead, Event.Kind.REOPENED, actor=actor, stage=stage.slug, **{BEFORE: undo})
        lead_reopened.send(Lead, lead=lead, actor=actor)
        wake_router(lead.pk)


# What a move changes, and so what undoing it writes back; kept with the event of the move under this name.
BEFORE: Final = "before"
TOUCHES: Final = "touches"
_MOVED: Final = ("stage_id", "stage_since", "board_at", "closed_at", "lost_reason", "value", "currency", "value_base")


def standing_before(lead: Lead) -> dict[str, Any]:
    """Where a lead stands, as JSON, to be read again by :func:`standing_read`."""
    values = ((name, getattr(lead, name)) for name in _MOVED)
    return {name: value.isoformat() if isinstance(value, datetime) else _json(value) for name, value in values}


def standing_read(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a lead, by name, from what :func:`standing_before` wrote."""
    fields = {field.attname: field for field in Lead._meta.concrete_fields}
    return {name: fields[name].to_python(stored[name]) for name in _MOVED}


def _retry_of(lead: Lead) -> datetime | None:
    """When routing tries a lead that is opened again."""
    return timezone.now() if lead.routing_state in Lead.UNFINISHED else lead.next_attempt_at


def wake_router(lead_id: int) -> None:
    """Says after the commit that somebody waits for this lead; routing that was done is not done again."""
    transaction.on_commit(lambda: _send_waiting(lead_id), robust=True)


def _send_waiting(lead_id: int) -> None:
    lead_waiting.send_robust(Lead, lead_id=lead_id)


def _check_stage(lead: Lead, stage: Stage, kinds: set[Stage.Kind]) -> None:
    if stage.pipeline_id != lead.stage.pipeline_id:
        raise WrongStage(f'The stage "{stage}" belongs to another pipeline.')
    if stage.kind not in kinds:
        raise WrongStage(f'The stage "{stage}" is for {stage.get_kind_display().lower()} leads.')


def change_lead(lead: Lead, version: int | None, **changes: Any) -> None:
    """Writes columns of the lead if nobody else wrote since; must run inside the caller's transaction."""
    known = lead.version if version is None else version
    if not Lead.objects.filter(pk=lead.pk, version=known).update(version=known + 1, **changes):
        raise StaleLead
    for name, value in {**changes, "version": known + 1}.items():
        setattr(lead, name, value)
