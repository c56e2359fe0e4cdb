"""How the schema describes what all operations share."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from leadcrm.lib.problems import CONTENT_TYPE
from pipeline.api.serializers import ProblemOut
from pipeline.services.idempotency import LONGEST_KEY

_PROBLEMS: Final = {
    400: "Something in the request cannot be used; `errors` says what and where.",
    401: "No key, or one that does not open anything.",
    404: "There is no such lead among those of your source.",
    406: "You accept no JSON.",
    409: "A request with the same Idempotency-Key is being worked on.",
    413: "The request is too large.",
    415: "The body is not announced as JSON.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests; `Retry-After` says when to go on.",
    503: "The request could not be stored now; repeat it.",
}
READING: Final = (400, 401, 404, 406, 429, 503)
WRITING: Final = (400, 401, 406, 409, 413, 415, 422, 429, 503)

IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Any text that is new for each new request. Repeat a request with the same key, after a time-out say, "
    "and it is done once: you get the first answer again. Kept for 24 hours.",
)
LEAD_ID: Final = OpenApiParameter("uid", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Our id of the lead.")


def answers(success: dict[int, Any], problems: tuple[int, ...]) -> dict[Any, Any]:
    """The answers of an operation: those of success, and problems by status."""
    refusals = {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemOut, description=_PROBLEMS[status]) for status in problems
    }
    return {**success, **refusals}
