"""Twilio's client, and what its errors mean."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifications.channels.base import SendError

SECONDS: Final = 10.0
STATUS_PATH: Final = "/hooks/twilio/status/"

# Errors that may pass although the answer, or the report about a message, reads like a final one. Everything else is
# judged by its status: 429 and 5xx pass, other errors stay. Twilio adds codes all the time, and asks that programs do
# not lean on them. Source: the error dictionary, https://www.twilio.com/docs/api/errors
PASSING: Final[Mapping[int, str]] = {
    14107: "Too many messages to one number in a short time.",
    20429: "Too many requests at a time.",
    21611: "The sender's queue is full.",
    30001: "The queue is full.",
    30003: "The phone is switched off or out of reach.",
    30008: "The carrier did not say why.",
    30017: "The carrier's network is busy.",
    30022: "The sender's limit at the carrier is reached.",
    63018: "WhatsApp's limit for the sender is reached.",
}
# What people should know of the errors that stay. Same source.
STAYING: Final[Mapping[int, str]] = {
    20003: "Twilio does not accept TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN.",
    21211: "This is no phone number.",
    21408: "The account may not send to this country.",
    21606: "TWILIO_FROM is not a number of the account.",
    21610: "The receiver has opted out by STOP.",
    21614: "This number cannot receive text messages.",
    30004: "The receiver blocks messages.",
    30005: "The number is unknown or out of service.",
    30006: "The number is a landline, or its carrier cannot be reached.",
    30007: "The carrier filtered the message.",
    63016: "Outside the 24 hours of WhatsApp only approved templates may be sent.",
    63024: "The receiver is not on WhatsApp.",
}


class _Redirected(TwilioHttpClient):
    """Sends every call to ``TWILIO_API_BASE`` instead, for tests and local installations."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=SECONDS, max_retries=0)
        self._base = base.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(method, f"{self._base}{parts.path}{query}", *args, **kwargs)


@cache
def _client(sid: str, token: str, base: str) -> Client:
    return Client(sid, token, http_client=_Redirected(base) if base else TwilioHttpClient(timeout=SECONDS))


def client() -> Client:
    """The client of this installation's account."""
    return _client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_BASE)


def missing_account() -> str:
    """Which setting is missing to use Twilio at all; empty when none is."""
    names = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    missing = [name for name in names if not getattr(settings, name)]
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set." if missing else ""


def is_passing(code: int, status: int = 400) -> bool:
    """Whether an error of Twilio may be gone the next time.

    Args:
        code: of the error dictionary; 0 when there is none.
        status: the HTTP status of the answer; for a report about a message that was accepted, leave it out.
    """
    return code in PASSING or status in (408, 429) or status >= 500


def meaning(code: int, otherwise: str = "") -> str:
    """What an error says, in a sentence."""
    return PASSING.get(code) or STAYING.get(code) or otherwise or f"Twilio's error {code}."


def read_error(error: Exception) -> SendError:
    """What went wrong in a call of Twilio, as the sender understands it."""
    if isinstance(error, TwilioRestException):
        code, status = int(error.code or 0), int(error.status or 0)
        text = f"Twilio: {meaning(code, str(error.msg))}"
        return SendError(text, str(code or status), permanent=not is_passing(code, status), unsure=status >= 500)
    if isinstance(error, RequestException):
        unsure = not isinstance(error, ConnectTimeout)
        return SendError("Twilio did not answer.", "unreachable", permanent=False, unsure=unsure)
    raise error


def status_callback(token: object) -> str | None:
    """Where Twilio reports what became of a message; None where it cannot reach us."""
    if not settings.SITE_URL.startswith("https://"):
        return None
    return f"{settings.SITE_URL}{STATUS_PATH}?message={token}"
