"""What a partner is told about its leads: where each stands, who has it and why; no personal data of the lead."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import QuerySet

from leadcrm.lib.prepared import Param, Prepared
from pipeline.intake import FieldError
from pipeline.models import Lead
from pipeline.selectors import status_from

Row = Mapping[str, Any]

_COLUMNS: Final = (
    "id", "uid", "external_id", "routing_state", "routing_code", "routing_sentence", "source_id", "created_at",
    "assigned_at", "accepted_at", "first_contacted_at", "closed_at", "respond_by", "stage__slug", "stage__kind",
    "stage__pipeline__slug", "owner_id", "owner__first_name", "owner__last_name", "owner__username", "team__name",
    "duplicate_of__uid", "duplicate_of__source_id",
)  # fmt: skip


def told(leads: QuerySet[Lead]) -> QuerySet[Lead, Any]:
    """The rows from which answers are made, in one query."""
    rows: QuerySet[Lead, Any] = leads.values(*_COLUMNS)
    return rows


def tell(lead_id: int) -> dict[str, Any]:
    """The answer for one lead, which must exist."""
    return answer_of(_ONE.rows(lead=lead_id)[0])


_ONE: Final = Prepared(lambda: told(Lead.objects.filter(pk=Param("lead")).order_by()))


def answer_of(row: Row) -> dict[str, Any]:
    """A row of :func:`told`, as JSON."""
    return {
        "id": str(row["uid"]),
        "external_id": row["external_id"],
        "status": status_from(
            row["routing_state"],
            row["accepted_at"],
            row["first_contacted_at"],
            row["closed_at"],
            row["stage__kind"],
        ),
        "pipeline": row["stage__pipeline__slug"],
        "stage": row["stage__slug"],
        "owner": {"name": _owner_name(row)} if row["owner_id"] else None,
        "team": row["team__name"],
        "code": row["routing_code"],
        "summary": row["routing_sentence"],
        "duplicate_of": _own_duplicate(row),
        "created_at": _moment(row["created_at"]),
        "assigned_at": _moment(row["assigned_at"]),
        "respond_by": _moment(row["respond_by"]),
        "accepted_at": _moment(row["accepted_at"]),
        "contacted_at": _moment(row["first_contacted_at"]),
        "closed_at": _moment(row["closed_at"]),
    }


def errors_of(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Field errors as JSON."""
    return [{"field": error.field, "code": error.code, "detail": error.detail} for error in errors]


def _owner_name(row: Row) -> str:
    full = f"{row['owner__first_name']} {row['owner__last_name']}".strip()
    return full or str(row["owner__username"])


def _own_duplicate(row: Row) -> str | None:
    """Whom another source sent is none of this partner's business."""
    is_own = row["duplicate_of__uid"] and row["duplicate_of__source_id"] == row["source_id"]
    return str(row["duplicate_of__uid"]) if is_own else None


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
