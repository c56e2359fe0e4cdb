"""What the partner API does per second, on the real web server, against an authenticated answer that does nothing."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Final

from django.conf import settings

from distribution.bench.scratch import environment, make_company, sample_fields, scratch_database, take_stock
from distribution.bench.timing import MILLISECONDS, percentile
from leadcrm.lib.bench import Figure, bench
from pipeline.services.keys import issue_key

CLIENTS: Final = (1, 4, 16)
# Doing nothing and creating take turns, so that noise meets both.
TURNS: Final = 3
SECONDS: Final = 2.0
CONFIGURATION: Final = str(Path(__file__).with_name("gunicorn_conf.py"))
START_SECONDS: Final = 60.0
# With this many clients, creating and routing must reach this share of doing nothing.
PROMISED_CLIENTS: Final = 4
SHARE: Final = 1 / 5


@dataclass(slots=True)
class Load:
    """Clients that send one request after the other until time is up."""

    port: int
    key: str
    creates: bool
    numbers: Iterator[int]
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, clients: int, seconds: float) -> float:
        """Requests per second."""
        before = len(self.times)
        ends = time.perf_counter() + seconds
        threads = [threading.Thread(target=self._client, args=(ends,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise RuntimeError(f"{len(self.failures)} requests failed, the first with {self.failures[0]}")
        return (len(self.times) - before) / seconds

    def once(self) -> None:
        """Send one request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            self._ask(connection)
        finally:
            connection.close()
        if self.failures:
            raise RuntimeError(f"the request failed with {self.failures[0]}")

    def _client(self, ends: float) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            while time.perf_counter() < ends:
                started = time.perf_counter()
                self._ask(connection)
                self.times.append(time.perf_counter() - started)
        except OSError as error:
            self.failures.append(str(error))
        finally:
            connection.close()

    def _ask(self, connection: HTTPConnection) -> None:
        headers = {"Authorization": f"Bearer {self.key}", "Host": _host(), "X-Forwarded-Proto": "https"}
        if self.creates:
            body = json.dumps(sample_fields(next(self.numbers)))
            connection.request("POST", "/api/v1/leads/", body, {**headers, "Content-Type": "application/json"})
        else:
            connection.request("GET", "/bench/nothing/", headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != (201 if self.creates else 200):
            self.failures.append(f"{answer.status} {text[:200]!r}")


def _host() -> str:
    known = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return known[0] if known else "localhost"


@contextmanager
def server() -> Iterator[int]:
    """gunicorn as production runs it, on the scratch database and a free port; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "leadcrm.wsgi", "-b", f"127.0.0.1:{port}", "-c", CONFIGURATION]
    process = subprocess.Popen(command, env=environment(), cwd=settings.BASE_DIR)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the web server did not start")


@bench("api")
def api() -> Iterator[Figure]:
    """Requests per second that create and route a lead, against doing nothing, with 1, 4 and 16 clients."""
    with scratch_database():
        _, key = issue_key(make_company())
        numbers = count(1)
        with server() as port:
            Load(port, key, True, numbers).run(max(CLIENTS), 2.0)  # every worker compiles its rules once
            take_stock()
            for clients in CLIENTS:
                yield from _figures(port, key, numbers, clients)


def _figures(port: int, key: str, numbers: Iterator[int], clients: int) -> Iterator[Figure]:
    nothing, create = Load(port, key, False, numbers), Load(port, key, True, numbers)
    turns = [(nothing.run(clients, SECONDS), create.run(clients, SECONDS)) for _ in range(TURNS)]
    idle, rate = (sum(rates) / TURNS for rates in zip(*turns, strict=True))
    limit = idle * SHARE if clients == PROMISED_CLIENTS else None
    yield Figure(f"create and route, {clients} clients", rate, "requests/s", baseline=idle, limit=limit)
    for rank in (50, 95):
        value, least = (percentile(load.times, rank) * MILLISECONDS for load in (create, nothing))
        yield Figure(f"one request, {clients} clients, p{rank}", value, "ms", baseline=least)
