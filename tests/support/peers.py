"""Local servers that messages go to in tests: those of the measurements, and Slack, a browser's push service."""

import base64
import json
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone
from py_vapid import Vapid02

from notifications.bench.peers import Answer, HttpPeer, Request, SmtpPeer, TwilioPeer, running

__all__ = ["Answer", "Browser", "HttpPeer", "PushPeer", "Request", "SlackPeer", "SmtpPeer", "TwilioPeer", "running"]


class SlackPeer(HttpPeer):
    """Slack's incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks."""

    token = "TAAAAAAAA/BBBBBBBBB/cccccccccccccccccccccccc"

    def decide(self, request: Request) -> Answer:
        if request.path != f"/services/{self.token}":
            return Answer(404, b"no_service")
        return Answer(200, b"ok") if request.body else Answer(400, b"invalid_payload")


class PushPeer(HttpPeer):
    """A push service (RFC 8030): takes what is signed for it (RFC 8292); a browser that is ``gone`` is answered 410.

    ``key``: the only one that a subscription allows, where it names one. ``origin``: for whom a message must be signed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self.key, self.origin = "", self.url

    def decide(self, request: Request) -> Answer:
        if request.path in self.gone:
            return Answer(410, b"unsubscribed")
        header = request.headers.get("authorization", "")
        if not header.startswith("vapid t=") or not request.headers.get("ttl"):
            return Answer(401, b"")
        return Answer(201 if self.is_signed(header) else 403, b"")

    def is_signed(self, header: str) -> bool:
        """A JWT that holds for at most a day, for this service, by the key that it names (RFC 8292, 2 and 3)."""
        token, key = (part.partition("=")[2] for part in header.removeprefix("vapid ").split(","))
        claims = json.loads(_decoded(token.split(".")[1]))
        now = timezone.now().timestamp()
        fits = claims["aud"] == self.origin and now < claims["exp"] <= now + 24 * 3600 and claims["sub"]
        return bool(fits and key == (self.key or key) and Vapid02.verify(header))


class Browser:
    """A browser that subscribed: it has the private half of the keys."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._secret = b"sixteen bytes ok"

    def subscription(self, endpoint: str) -> dict[str, Any]:
        public = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": endpoint, "keys": {"p256dh": _encoded(public), "auth": _encoded(self._secret)}}

    def read(self, body: bytes) -> bytes:
        """What a message says."""
        read: bytes = http_ece.decrypt(body, private_key=self._private, auth_secret=self._secret, version="aes128gcm")
        return read


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
