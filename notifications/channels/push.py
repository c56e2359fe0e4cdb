"""Notifications of the browser (Web Push): encrypted for one browser (RFC 8291), signed by this site (RFC 8292)."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import http_ece
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02, VapidException

from notifications.channels.base import Message, Receipt, SendError
from notifications.channels.webhook import post, read_status

GONE: Final = (404, 410)
KEEP_SECONDS: Final = 24 * 3600
LONGEST_TEXT: Final = 300  # of what a browser shows; the protocol takes 4096 bytes in all


class Push:
    key = "push"
    label = "Browser"
    per_minute: int | None = None
    bundles = True

    def unavailable(self) -> str:
        if not settings.VAPID_PRIVATE_KEY:
            return "VAPID_PRIVATE_KEY is not set."
        return "" if application_server_key() else "VAPID_PRIVATE_KEY is not a key; make one with manage.py vapid_key."

    def send(self, message: Message) -> Receipt:
        """To every browser of the receiver. One that took it is enough; those that are gone are reported."""
        gone, errors, took = [], [], 0
        for browser in json.loads(message.to):
            try:
                took += _send_to(browser, message)
            except SendError as error:
                errors.append(error)
                if error.code == "gone":
                    gone.append(browser["endpoint"])
        if took or not errors:
            return Receipt(gone=tuple(gone))
        raise next((error for error in errors if not error.permanent), errors[0])


def application_server_key() -> str:
    """The public half of this site's key, as browsers want it to subscribe; empty without a usable key."""
    try:
        public = _vapid().public_key
    except (VapidException, ValueError, UnsupportedAlgorithm):
        return ""
    return _encoded(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _vapid() -> Vapid02:
    return Vapid02.from_string(settings.VAPID_PRIVATE_KEY)


def _send_to(browser: Mapping[str, Any], message: Message) -> int:
    endpoint = str(browser["endpoint"])
    answer = post(endpoint, encrypted(browser["keys"], message), _headers(endpoint, message))
    host = urlsplit(endpoint).hostname or "The push service"
    if answer.status in GONE:
        raise SendError("The browser no longer takes notifications.", "gone", permanent=True)
    if answer.status // 100 != 2:
        raise read_status(host, answer)
    return 1


def encrypted(keys: Mapping[str, str], message: Message) -> bytes:
    """What one browser shows, so that only it can read it.

    Raises:
        SendError: the browser's keys are none.
    """
    shown = {
        "title": message.subject,
        "body": message.text[:LONGEST_TEXT],
        "url": message.link,
        "tag": str(message.token),
    }
    try:
        body: bytes = http_ece.encrypt(
            json.dumps(shown).encode(),
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=_decoded(keys["p256dh"]),
            auth_secret=_decoded(keys["auth"]),
            version="aes128gcm",
        )
    except (ValueError, KeyError, http_ece.ECEException):
        raise SendError("The browser's keys cannot be used.", "gone", permanent=True) from None
    return body


def _headers(endpoint: str, message: Message) -> dict[str, str]:
    """Topic: a message that is repeated before the browser saw it replaces itself (RFC 8030, 5.4)."""
    parts = urlsplit(endpoint)
    signature = _vapid().sign({"aud": f"{parts.scheme}://{parts.netloc}", "sub": settings.VAPID_SUBJECT})
    return {
        **signature,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEEP_SECONDS),
        "Topic": _encoded(message.token.bytes),
        "Urgency": "high" if message.urgent else "normal",
    }


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
