"""Every error of the API in one shape: RFC 9457, ``application/problem+json``, with a list of what was wrong where."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.views import set_rollback

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
# More would help nobody, and could be asked for to make the answer large.
MOST_ERRORS: Final = 100
_TYPE: Final = "urn:leadcrm:problem:"
_RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One fault: the path of the field (``consents.0.channel``), a stable word for its kind, what would be right."""

    field: str
    code: str
    detail: str


class Problem(exceptions.APIException):
    """An error answer.

    Args:
        status: HTTP status.
        code: stable word for programs, the end of ``type``.
        detail: a sentence for people.
        errors: what was wrong where.
        retry_after: seconds until it is worth trying again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Iterable[FieldProblem] = (),
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.errors = list(errors)
        self.wait = retry_after


_CODES: Final = {
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "unauthenticated",
    exceptions.AuthenticationFailed: "unauthenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
}


_DETAILS: Final[dict[type[Exception], str]] = {
    exceptions.UnsupportedMediaType: "Send JSON, with the header Content-Type: application/json.",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> JsonResponse:
    """What DRF calls for anything raised in a view. An error of ours is logged and told as 500, without its text."""
    set_rollback()
    problem = as_problem(error)
    if problem.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and problem is not error:
        logger.error("%s %s failed", context["request"].method, context["request"].path, exc_info=error)
        got_request_exception.send(sender=None, request=context["request"])
    return problem_response(problem)


def as_problem(error: Exception) -> Problem:
    """The problem that an exception amounts to."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return Problem(400, "invalid", "Some values cannot be used.", flattened(error.detail))
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error)
    return _of_other(error)


def _of_api_exception(error: exceptions.APIException) -> Problem:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "error")
    detail = _DETAILS.get(type(error), str(error.detail))
    problem = Problem(error.status_code, code, detail, retry_after=getattr(error, "wait", None))
    # DRF hangs it on the exception: how to sign in.
    problem.auth_header = getattr(error, "auth_header", None)  # type: ignore[attr-defined]
    return problem


def _of_other(error: Exception) -> Problem:
    if isinstance(error, Http404):
        return Problem(404, "not-found", "There is nothing here.")
    if isinstance(error, PermissionDenied):
        return Problem(403, "forbidden", "You may not do this.")
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "too-large", "The request is too large.")
    if isinstance(error, UnreadablePostError):
        return Problem(400, "malformed", "The request broke off.")
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(
            503, "unavailable", "The request could not be stored now. Repeat it.", retry_after=_RETRY_SECONDS
        )
    return Problem(500, "internal", "Something failed on our side. It was logged.")


def problem_response(problem: Problem) -> JsonResponse:
    """The answer for a problem."""
    body = {
        "type": _TYPE + problem.code,
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": str(problem.detail),
        "errors": [asdict(error) for error in problem.errors[:MOST_ERRORS]],
    }
    # Not a response of DRF, which would render it as the view renders its answers, such as a page.
    return JsonResponse(body, status=problem.status_code, headers=_headers(problem), content_type=CONTENT_TYPE)


def _headers(problem: Problem) -> dict[str, str]:
    headers = {}
    if problem.wait is not None:
        headers["Retry-After"] = str(max(1, round(problem.wait)))
    if auth_header := getattr(problem, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return headers


def flattened(detail: Any, path: str = "") -> list[FieldProblem]:
    """DRF's nested error details as a list."""
    return list(_walk(detail, path))


def _walk(detail: Any, path: str) -> Iterator[FieldProblem]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _walk(inner, ".".join(filter(None, (path, str(key)))))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for inner in detail:
            yield from _walk(inner, path)
    else:
        yield FieldProblem(path, getattr(detail, "code", "invalid"), str(detail))
