"""The operations of the partner API."""

import re
from typing import Any, Final, NoReturn

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from leadcrm.lib.problems import FieldProblem, Problem
from pipeline.api import schema
from pipeline.api.answers import errors_of, told
from pipeline.api.authentication import HasKey, KeyAuthentication, KeyThrottle, source_of
from pipeline.api.filters import LeadFilter, LeadPages, check_query
from pipeline.api.inputs import read_input
from pipeline.api.parsers import StrictJSONParser
from pipeline.api.serializers import MOST_LEADS, BulkIn, BulkOut, LeadIn, LeadOut, SentOut
from pipeline.api.submission import Reply, Ticket, Work, many_leads, one_lead, submit
from pipeline.errors import WrongStage
from pipeline.intake import InvalidLead
from pipeline.models import Lead
from pipeline.selectors import leads_of_source
from pipeline.services.idempotency import LONGEST_KEY, InFlight, KeyReused, digest_of

_KEY: Final = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")


class LeadViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Lead]):
    """Leads of the source that asks."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasKey,)
    throttle_classes = (KeyThrottle,)
    parser_classes = (StrictJSONParser,)
    metadata_class = None
    serializer_class = LeadOut
    queryset = Lead.objects.none()
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    filterset_class = LeadFilter
    pagination_class = LeadPages

    def get_queryset(self) -> QuerySet[Lead, Any]:
        return told(leads_of_source(source_of(self.request)))

    @extend_schema(
        summary="List leads",
        description="The leads of your source, the newest first.",
        responses=schema.answers({200: LeadOut(many=True)}, schema.READING),
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        check_query(request)
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Read a lead",
        description="Where a lead stands, who has it and why.",
        parameters=[schema.LEAD_ID],
        responses=schema.answers({200: LeadOut}, schema.READING),
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Send a lead",
        description="Stores a lead and routes it. The answer says who has it, and why.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=LeadIn,
        responses=schema.answers({201: SentOut, 200: SentOut}, schema.WRITING),
    )
    def create(self, request: Request) -> Response:
        return _answer(request, one_lead(source_of(request), *read_input(request.data)))

    @extend_schema(
        summary="Send many leads",
        description=f"Stores up to {MOST_LEADS:,} leads: those that can be stored. The answer has a result for each.",
        parameters=[schema.IDEMPOTENCY_KEY],
        request=BulkIn,
        responses=schema.answers({200: BulkOut}, schema.WRITING),
    )
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def bulk(self, request: Request) -> Response:
        items = [read_input(item) for item in _items(request.data)]
        return _answer(request, many_leads(source_of(request), items))


def _answer(request: Request, work: Work) -> Response:
    """Does the work once and turns what can be wrong with it into problems."""
    try:
        reply = submit(source_of(request), work, _ticket(request))
    except InvalidLead as invalid:
        errors = [FieldProblem(**error) for error in errors_of(invalid.errors)]
        raise Problem(400, "invalid", "Some fields cannot be used. Nothing was stored.", errors) from None
    except KeyReused as reused:
        raise Problem(422, "key-reused", str(reused)) from None
    except InFlight as busy:
        raise Problem(409, "in-flight", str(busy), retry_after=1) from None
    except WrongStage as missing:
        raise Problem(503, "unavailable", str(missing), retry_after=60) from None
    return _response(reply)


def _response(reply: Reply) -> Response:
    headers = {"Idempotent-Replayed": "true"} if reply.replayed else {}
    return Response(reply.body, reply.status, headers=headers)


def _ticket(request: Request) -> Ticket | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        detail = f"Use 1 to {LONGEST_KEY} visible ASCII characters."
        raise Problem(400, "invalid", "A header cannot be used.", [FieldProblem("Idempotency-Key", "invalid", detail)])
    return Ticket(key, digest_of(request.path, request.body))


def _items(data: Any) -> list[Any]:
    if not isinstance(data, dict) or not isinstance(data.get("leads"), list) or len(data) > 1:
        raise _bad_bulk("wrong_type", 'Send an object with one list: {"leads": [...]}.')
    if not 1 <= len(data["leads"]) <= MOST_LEADS:
        raise _bad_bulk("invalid", f"Send 1 to {MOST_LEADS:,} leads; these are {len(data['leads']):,}.")
    items: list[Any] = data["leads"]
    return items


def _bad_bulk(code: str, detail: str) -> Problem:
    return Problem(400, "invalid", "The request cannot be used.", [FieldProblem("leads", code, detail)])


class SchemaView(SpectacularAPIView):
    """The OpenAPI description, for everybody."""

    authentication_classes = ()
    permission_classes = ()
    metadata_class = None


class DocsView(SpectacularSwaggerSplitView):
    """The description as a page to read and to try. Its script is a file, as the page's security policy wants it."""

    authentication_classes = ()
    permission_classes = ()
    metadata_class = None
    template_name = "api/docs.html"


@extend_schema(exclude=True)
class NothingHere(APIView):
    """Answers addresses under ``/api/`` that do not exist, in the shape of all errors."""

    authentication_classes = ()
    permission_classes = ()
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise Problem(
            404, "not-found", "There is nothing at this address. Addresses end in a slash: see /api/v1/docs/."
        )
