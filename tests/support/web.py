"""A web server on this machine that answers as badly as the ones out there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Answers by the first part of the path; what is in ``server.pages`` goes before."""

    server: Any

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path in self.server.pages:
            self._answer_page(*self.server.pages[self.path])
        else:
            getattr(self, "answer_" + self.path.strip("/").split("/")[0], self.answer_missing)()

    do_POST = do_GET  # noqa: N815 - the standard library's names

    def _answer_page(self, body: bytes, etag: str) -> None:
        if etag and self.headers.get("If-None-Match") == etag:
            self.reply(304, ETag=etag)
        else:
            self.reply(200, body, **({"ETag": etag} if etag else {}))

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_fine(self) -> None:
        self.reply(200, b"hello", ETag='"1"')

    def answer_missing(self) -> None:
        self.reply(404)

    def answer_huge(self) -> None:
        self.reply(200, b"x" * 5000)

    def answer_silent(self) -> None:
        self.server.over.wait(5)

    def answer_drip(self) -> None:
        """Bytes without end, each in time."""
        self.send_response(200)
        self.end_headers()
        while not self.server.over.wait(0.05):
            self.wfile.write(b"x")

    def answer_to(self) -> None:
        target = self.path.partition("/to/")[2]
        self.reply(302, Location=target if ":" in target else f"/{target}")

    def answer_loop(self) -> None:
        self.reply(302, Location="/loop")

    def answer_garbage(self) -> None:
        self.wfile.write(b"\0\1\2 no http\r\n\r\n")
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[Any]:
    """The server, with its ``url``, the requests it has ``seen``, and its ``pages``: (body, ETag) by path."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.seen, server.pages, server.over = True, [], {}, threading.Event()
    server.handle_error = lambda *args: None  # the other side hangs up on purpose
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
