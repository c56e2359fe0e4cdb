"""Lets only Twilio call a webhook: each call is signed with the account's token over its address and its values."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator

logger = logging.getLogger(__name__)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
HEADER: Final = "X-Twilio-Signature"


def from_twilio(view: View[P]) -> Callable[..., Any]:
    """A view that only Twilio reaches, by POST. Anyone else gets 403, and the log a line without secrets."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        problem = why_refused(request)
        if problem:
            logger.warning("call of %s refused: %s", request.path, problem)
            return HttpResponse("The signature is missing or wrong.", status=403, content_type="text/plain")
        return view(request, *args, **kwargs)

    return checked


def why_refused(request: HttpRequest) -> str:
    """Why a call is not from Twilio; "" when it is."""
    if not settings.TWILIO_AUTH_TOKEN:
        return "TWILIO_AUTH_TOKEN is not set"
    signature = request.headers.get(HEADER, "")
    if not signature:
        return "it has no signature"
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    return "" if validator.validate(public_url(request), request.POST, signature) else "its signature is wrong"


def public_url(request: HttpRequest) -> str:
    """The address as Twilio called it. Behind proxies a request does not know scheme, host and port; SITE_URL does."""
    return f"{settings.SITE_URL}{request.get_full_path()}"
