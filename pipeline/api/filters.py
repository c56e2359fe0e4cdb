"""What a list of leads can be narrowed by, and how it is paged."""

from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from leadcrm.lib.problems import FieldProblem, Problem
from pipeline.models import Lead
from pipeline.selectors import STATUSES, with_status

_LONGEST_LIMIT: Final = 9


class Moment(IsoDateTimeField):
    """A moment in UTC: databases know fewer offsets than ISO 8601 lets one write."""

    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        try:
            return moment.astimezone(UTC) if moment else None
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(filters.IsoDateTimeFilter):
    field_class = Moment


class LeadFilter(filters.FilterSet):
    """The query parameters of the list."""

    status = filters.ChoiceFilter(
        method="by_status", choices=[(name, name) for name in STATUSES], help_text="Where the lead stands."
    )
    external_id = filters.CharFilter(help_text="Your own id of the lead.")
    email = filters.CharFilter(method="by_email", help_text="E-mail address of the lead.")
    created_after = MomentFilter("created_at", lookup_expr="gte", help_text="Came in at this moment or later.")
    created_before = MomentFilter("created_at", lookup_expr="lt", help_text="Came in before this moment.")

    class Meta:
        model = Lead
        fields = ()

    def by_status(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        return with_status(leads, value)

    def by_email(self, leads: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        return leads.filter(email=value.lower())  # as intake stores it, so that the index serves


class LeadPages(CursorPagination):
    """The newest first. A page costs the same wherever it is, and new leads do not shift the pages."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not asked.isdecimal() or not 1 <= int(asked[:_LONGEST_LIMIT]) <= self.max_page_size:
            raise bad_query("limit", "invalid", f"Use a whole number from 1 to {self.max_page_size}.")
        return int(asked)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": self.max_page_size}
        return parameters

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValidationError, ValueError, OverflowError):
            raise bad_query("cursor", "invalid", "Use the link of an answer, unchanged.") from None


def check_query(request: Request) -> None:
    """Refuses what is misspelt or blank, which would otherwise be answered with everything."""
    known = {*LeadFilter.base_filters, LeadPages.cursor_query_param, LeadPages.page_size_query_param}
    for name, value in request.query_params.items():
        if name not in known:
            raise bad_query(name[:100], "unknown", f"Use one of: {', '.join(sorted(known))}.")
        if not value:
            raise bad_query(name, "blank", "Give it a value or leave it out.")


def bad_query(name: str, code: str, detail: str) -> Problem:
    """The refusal of a query parameter."""
    return Problem(400, "invalid", "A query parameter cannot be used.", [FieldProblem(name, code, detail)])
