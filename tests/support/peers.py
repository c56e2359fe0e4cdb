"""Local servers that messages go to in tests: those of the measurements, and Slack, a browser's push service."""

import base64
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
    """A push service (RFC 8030): takes what is signed; a browser that is ``gone`` is answered 410."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()

    def decide(self, request: Request) -> Answer:
        if request.path in self.gone:
            return Answer(410, b"unsubscribed")
        ready = request.headers.get("authorization", "").startswith("vapid t=") and request.headers.get("ttl")
        return Answer(201, b"") if ready else Answer(401, b"")


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
