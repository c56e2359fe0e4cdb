"""A signed POST to an address of the receiver's own, as the Standard Webhooks say (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.crypto import salted_hmac

from leadcrm.lib import outgoing
from notifications.channels.base import Message, Receipt, SendError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how a secret begins
PASSING: Final = frozenset({408, 409, 425, 429})
LIMITS: Final = outgoing.Limits(seconds=10, size=100_000)


class Webhook:
    key = "webhook"
    label = "Webhook"
    per_minute: int | None = None
    bundles = False

    def unavailable(self) -> str:
        return ""

    def send(self, message: Message) -> Receipt:
        body = json.dumps(payload_of(message), ensure_ascii=False).encode()
        headers = signed(str(message.token), int(time.time()), body, message.secret)
        answer = post(message.to, body, {"Content-Type": "application/json", **headers})
        if answer.status // 100 != 2:
            raise read_status(urlsplit(message.to).hostname or "The receiver", answer)
        return Receipt(delivered=True)


def payload_of(message: Message) -> dict[str, Any]:
    data = {**message.data, "subject": message.subject, "text": message.text, "link": message.link}
    return {"type": message.kind, "timestamp": message.at.isoformat(), "data": data}


def secret_of(url: str, salt: str) -> str:
    """The secret that only this installation and the receiver at ``url`` know. It follows from ``SECRET_KEY``, so it is
    stored nowhere; another salt makes another one."""
    key = salted_hmac("notifications.webhook", f"{url} {salt}", algorithm="sha256").digest()
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signed(identifier: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """The headers that prove who sent a body, and when: HMAC-SHA256 over id, time in seconds, and body. Without a
    secret they only name it."""
    named = {"webhook-id": identifier, "webhook-timestamp": str(timestamp)}
    if not secret:
        return named
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {**named, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def post(url: str, body: bytes, headers: dict[str, str]) -> outgoing.Answer:
    """POST to an address that somebody typed in.

    Raises:
        SendError: it may not be asked, or did not answer.
    """
    try:
        return outgoing.send(url, method="POST", body=body, headers=headers, limits=LIMITS)
    except outgoing.Refused as error:
        raise SendError(str(error), "refused", permanent=True) from None
    except outgoing.OutgoingError as error:
        raise SendError(str(error), "unreachable", permanent=False, unsure=True) from None


def read_status(host: str, answer: outgoing.Answer) -> SendError:
    """What an answer other than success means for the next try."""
    if answer.status in outgoing.REDIRECTS:
        return SendError(f"{host} sends on to another address; enter that one.", "redirect", permanent=True)
    passing = answer.status >= 500 or answer.status in PASSING
    wait = answer.headers.get("retry-after", "")
    return SendError(
        f"{host} answered {answer.status}.",
        str(answer.status),
        permanent=not passing,
        retry_after=float(wait) if wait.isdecimal() else None,
    )
