"""Calls as Twilio makes them: form fields, signed over the public address."""

from typing import Any

from django.conf import settings
from django.test import Client
from twilio.request_validator import RequestValidator

TOKEN = "test-token-of-the-account"
OURS = "+493012345678"


def use_twilio(settings: Any) -> None:
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = "AC1", TOKEN, OURS
    settings.SITE_URL = "https://crm.example.com"


def signature(path: str, values: dict[str, str], token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(f"{settings.SITE_URL}{path}", values))


def call(path: str, **values: str) -> Any:
    """One signed call. The server sees plain http and a host of its own, as behind a proxy that ends TLS."""
    headers = {"X-Twilio-Signature": signature(path, values)}
    return Client(enforce_csrf_checks=True).post(path, values, headers=headers)


def write(text: str, sender: str, sid: str, **more: str) -> str:
    """A message that comes in; returns the answer as TwiML."""
    values = {"MessageSid": sid, "From": sender, "To": OURS, "Body": text, "NumMedia": "0"} | more
    answer = call("/hooks/twilio/message/", **values)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/xml"
    return answer.content.decode()
