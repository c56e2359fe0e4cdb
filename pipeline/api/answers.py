"""What a partner is told about its leads: where each stands, who has it and why; no personal data of the lead."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from pipeline.intake import FieldError
from pipeline.models import Lead
from pipeline.selectors import status_of

_COLUMNS = (
    "uid", "external_id", "routing_state", "routing_code", "routing_sentence", "source_id", "created_at", "assigned_at",
    "accepted_at", "first_contacted_at", "closed_at", "respond_by", "stage__slug", "stage__kind",
    "stage__pipeline__slug", "owner__first_name", "owner__last_name", "owner__username", "team__name",
    "duplicate_of__uid", "duplicate_of__source_id",
)  # fmt: skip


def told(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    """The leads with all that an answer needs, in one query."""
    return leads.select_related("stage__pipeline", "owner", "team", "duplicate_of").only(*_COLUMNS)


def answer_of(lead: Lead) -> dict[str, Any]:
    """One lead of :func:`told`, as JSON."""
    return {
        "id": str(lead.uid),
        "external_id": lead.external_id,
        "status": status_of(lead),
        "pipeline": lead.stage.pipeline.slug,
        "stage": lead.stage.slug,
        "owner": {"name": lead.owner.get_full_name() or lead.owner.get_username()} if lead.owner else None,
        "team": lead.team.name if lead.team else None,
        "code": lead.routing_code,
        "summary": lead.routing_sentence,
        "duplicate_of": _own_duplicate(lead),
        "created_at": _moment(lead.created_at),
        "assigned_at": _moment(lead.assigned_at),
        "respond_by": _moment(lead.respond_by),
        "accepted_at": _moment(lead.accepted_at),
        "contacted_at": _moment(lead.first_contacted_at),
        "closed_at": _moment(lead.closed_at),
    }


def errors_of(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Field errors as JSON."""
    return [{"field": error.field, "code": error.code, "detail": error.detail} for error in errors]


def _own_duplicate(lead: Lead) -> str | None:
    """Whom another source sent is none of this partner's business."""
    original = lead.duplicate_of
    return str(original.uid) if original and original.source_id == lead.source_id else None


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
