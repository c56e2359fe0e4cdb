"""The web process is killed at random while a partner sends leads: what was acknowledged is there, once."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from django.db import connection

from distribution import services
from leadcrm.lib.doctor import violations
from pipeline.models import Lead
from tests.distribution.world import world
from tests.pipeline.api.partner import LEADS, Partner
from tests.support import servers
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]

CLIENTS = 4
ROOT = Path(__file__).parents[2]
# Every so many requests the client gives up instead of asking again.
FICKLE = 10
# What a client sees of a server that dies: before, while or after it sends, or in the middle of the answer.
BROKEN_OFF = {
    "BrokenPipeError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "IncompleteRead",
    "RemoteDisconnected",
}


class WebServer:
    """gunicorn on the test database, started again whenever it is killed."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self.log = folder / "web.log"
        address = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
            "VAR_DIR": str(folder / "var"),
            "CACHE_URL": f"filecache://{folder}/cache",
            "SITE_URL": "https://127.0.0.1",
            "LOG_LEVEL": "ERROR",
        }

    def start(self) -> None:
        command = ["-m", "gunicorn", "leadcrm.wsgi", "-b", f"127.0.0.1:{self.port}", "-w", "2", "-k", "gthread"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, "--threads", "2", "--log-level", "error"],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=servers.die_with_parent,  # noqa: PLW1509 - it only asks the kernel
            )
        wait_until(lambda: self.answers() or self.process.poll() is not None, "the web server", seconds=60)
        assert self.process.poll() is None, self.log.read_text()

    def answers(self) -> bool:
        link = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("GET", "/healthz")
            return link.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            link.close()

    def kill(self) -> None:
        """All of it, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Client:
    """Sends leads from several threads; each with a key of its own, again and again until it is acknowledged."""

    def __init__(self, web: WebServer, key: str, leads: int) -> None:
        self.web, self.key = web, key
        self.acknowledged: dict[int, str] = {}
        self.statuses: Counter[int | str] = Counter()
        self._numbers = iter(range(leads))
        self._lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def has(self, leads: int) -> bool:
        """Whether so many leads were acknowledged."""
        return len(self.acknowledged) >= leads

    def _run(self) -> None:
        while (number := self._next()) is not None:
            while not self._acknowledge(number) and number % FICKLE:
                wait_until(self.web.answers, "the web server to come back", seconds=120)

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _acknowledge(self, number: int) -> bool:
        status: int | str
        try:
            status, body = self._post(number)
        except (OSError, HTTPException, ValueError) as error:
            status, body = type(error).__name__, {}
        with self._lock:
            self.statuses[status] += 1
            if status == 201:
                self.acknowledged[number] = body["id"]
        return status == 201

    def _post(self, number: int) -> tuple[int, dict[str, str]]:
        link = HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"lead-{number}",
        }
        body = json.dumps({"email": f"lead{number}@people.example", "message": f"{number}"})
        try:
            link.request("POST", LEADS, body, headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def test_what_was_acknowledged_is_there_once_and_routed_after_one_sweep_however_often_the_web_is_killed(web, thorough):
    leads, kills = (2000, 25) if thorough else (60, 3)
    chance = random.Random(20)
    world("Ann", "Ben", "Cleo", "Dan")
    client = Client(web, Partner(requests_per_minute=1_000_000).key, leads)
    for thread in client.threads:
        thread.start()
    for moment in sorted(chance.sample(range(1, leads * 4 // 5), kills)):
        wait_until(partial(client.has, moment), "the next moment to kill", seconds=300)
        web.kill()
        web.start()
    for thread in client.threads:
        thread.join()

    assert set(client.statuses) <= {201, 409, *BROKEN_OFF}
    stored = dict(Lead.objects.values_list("message", "uid"))
    assert Lead.objects.count() == len(stored)
    for number, uid in client.acknowledged.items():
        assert str(stored[str(number)]) == uid
    assert len(client.acknowledged) >= leads - leads // FICKLE
    services.sweep_unassigned(limit=leads)
    assert not Lead.objects.exclude(routing_state="assigned").exists()
    assert list(violations()) == []
