"""Local servers in place of those that messages go to: mail, Twilio, any HTTP receiver. For measurements and tests.

They speak the real protocols on the loopback and keep what they were given. ``answers`` says how the next requests end.
"""

import base64
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from django.utils import timezone

# --- HTTP ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. ``at``: seconds since the epoch. The names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))


@dataclass(frozen=True, slots=True)
class Answer:
    """``after``: seconds to let the client wait first. ``broken``: the connection ends in the middle."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    broken: bool = False


Decide = Callable[[Request], Answer]


class HttpPeer(ThreadingHTTPServer):
    """Any receiver: says ok. ``seen`` is what came in; ``answers`` are used up before ``decide`` is asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[Request] = []
        self.answers: list[Answer] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def decide(self, request: Request) -> Answer:
        return Answer()

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.seen.append(request)
            if self.answers:
                return self.answers.pop(0)
            return self.decide(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of the server's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpPeer

    def handle_request(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        answer = self.server.answer(request)
        if answer.after:
            time.sleep(answer.after)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + answer.broken))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.broken

    do_GET = do_POST = handle_request  # noqa: N815 - as http.server wants it

    def log_message(self, *args: Any) -> None:
        pass


class TwilioPeer(HttpPeer):
    """Twilio's REST API as far as messages go: https://www.twilio.com/docs/messaging/api/message-resource.

    A number of ``errors`` is refused with that code and status.
    """

    sid = "AC" + "1" * 32
    token = "twilio-token"  # noqa: S105 - for a server on the loopback
    errors: ClassVar[dict[str, tuple[int, int]]] = {
        "+15005550001": (400, 21211),
        "+15005550004": (400, 21610),
        "+15005550009": (400, 21614),
        "+15005550029": (429, 20429),
        "+15005550050": (503, 20503),
    }

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []

    def decide(self, request: Request) -> Answer:
        expected = base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return self.error(401, 20003)
        if urlsplit(request.path).path != f"/2010-04-01/Accounts/{self.sid}/Messages.json":
            return self.error(404, 20404)
        return self.create(request.form) if request.method == "POST" else self.list(request.query)

    def create(self, form: dict[str, str]) -> Answer:
        if form["To"] in self.errors:
            return self.error(*self.errors[form["To"]])
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return self.error(400, 21603)
        message = {
            "sid": f"SM{uuid4().hex}",
            "account_sid": self.sid,
            "status": "queued",
            "to": form["To"],
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "body": form.get("Body", ""),
            "date_created": format_datetime(timezone.now()),
            "error_code": None,
            "num_segments": "1",
        }
        self.messages.insert(0, message)
        return _json(201, message)

    def list(self, query: dict[str, str]) -> Answer:
        """The messages to a number, newest first, on one page."""
        found = [one for one in self.messages if one["to"] == query.get("To", one["to"])]
        return _json(200, {"messages": found, "page": 0, "page_size": 50, "next_page_uri": None})

    @staticmethod
    def error(status: int, code: int) -> Answer:
        more = f"https://www.twilio.com/docs/errors/{code}"
        return _json(status, {"code": code, "message": f"Error {code}", "more_info": more, "status": status})


def _json(status: int, data: object) -> Answer:
    return Answer(status, json.dumps(data).encode(), {"Content-Type": "application/json"})


# --- Mail ----------------------------------------------------------------------------------------


class SmtpPeer(socketserver.ThreadingTCPServer):
    """A mail server (RFC 5321). ``refusals`` says what is answered to a receiver instead of 250."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SmtpHandler)
        self.seen: list[tuple[float, EmailMessage]] = []
        self.refusals: dict[str, str] = {}
        self.breaks_off = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def mails(self) -> list[EmailMessage]:
        return [mail for _, mail in self.seen]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of the server's."""


class _SmtpHandler(socketserver.StreamRequestHandler):
    server: SmtpPeer

    def handle(self) -> None:
        self.say("220 peer ESMTP")
        while line := self.rfile.readline().decode(errors="replace").rstrip("\r\n"):
            verb = line.partition(" ")[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            if verb == "DATA" and not self.take_data():
                return None
            if verb != "DATA":
                self.say(self.reply(verb, line))
        return None

    def reply(self, verb: str, line: str) -> str:
        if verb == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            return self.server.refusals.get(address, "250 ok")
        return "250 ok" if verb in ("EHLO", "HELO", "MAIL", "RSET", "NOOP") else "502 not implemented"

    def take_data(self) -> bool:
        """Keep the message; False when the connection ends before it is acknowledged."""
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.seen.append((time.time(), mail))
        if self.server.breaks_off:
            return False
        self.say("250 taken")
        return True

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Serve in a thread until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
