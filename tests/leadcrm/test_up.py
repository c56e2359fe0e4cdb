"""`./run`: one command and everything runs, one Ctrl-C and nothing does. Real processes, the embedded installation."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.pgplugin import ENVIRONMENT
from tests.support.waiting import wait_until

READY = "Ctrl-C stops everything."
STOP_SECONDS = 20


class Installation:
    """One `manage.py up` and what it prints."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.port = servers.free_port()
        self.log = var.parent / f"{var.name}-{self.port}.log"
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process = launch(var, self.port, self.log)

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> "Installation":
        wait_until(lambda: READY in self.printed or self.process.poll() is not None, "the greeting", seconds=120)
        assert READY in self.printed, self.printed
        return self

    def pids(self) -> list[int]:
        """Every living process of this installation: they carry its directory in their environment."""
        mark = f"VAR_DIR={self.var}".encode()
        return [
            pid
            for pid in map(int, filter(str.isdigit, (path.name for path in Path("/proc").iterdir())))
            if mark in environment_of(pid)
        ]

    def pid_of(self, words: str) -> int:
        """The first process whose command line contains these words; 0 when there is none."""
        return min((pid for pid in self.pids() if words in command_of(pid)), default=0)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_SECONDS)


PROCESSES = {"web": "gunicorn", "worker": "celery --quiet -A leadcrm worker", "beat": "celery --quiet -A leadcrm beat"}


def launch(var: Path, port: int, log: Path) -> "subprocess.Popen[bytes]":
    bare = {name: value for name, value in os.environ.items() if name not in {*ENVIRONMENT, "DATABASE_URL"}}
    command = [sys.executable, "manage.py", "up", "--no-demo", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as file:
        return subprocess.Popen(command, env={**bare, "VAR_DIR": str(var)}, stdout=file, stderr=file)


def environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def var(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("up") / "var"


@pytest.fixture
def installation(var: Path) -> Iterator[Installation]:
    """A running installation; the second and later ones find the directory of the first."""
    running = Installation(var)
    yield running.wait_until_ready()
    running.stop()


def test_what_dies_is_started_again_and_ctrl_c_stops_all(installation):
    assert urllib.request.urlopen(installation.url + "healthz").status == 200
    for name, words in PROCESSES.items():
        first = installation.pid_of(words)
        os.kill(first, signal.SIGKILL)
        said = re.compile(rf"{name} *\| ended with SIGKILL; starting it again")
        wait_until(lambda: said.search(installation.printed), f"a word of the end of {name}")  # noqa: B023
        wait_until(lambda: installation.pid_of(words) not in (first, 0), f"another {words}")  # noqa: B023
    installation.stop()
    assert installation.process.returncode == 0
    assert installation.pids() == []


def test_links_in_messages_lead_to_where_the_site_answers(installation):
    worker = installation.pid_of("celery --quiet -A leadcrm worker")
    assert f"SITE_URL={installation.url.rstrip('/')}".encode() in environment_of(worker)


def test_nothing_is_left_when_the_supervisor_itself_is_killed(installation):
    assert len(installation.pids()) > 3
    installation.process.kill()
    installation.process.wait()
    wait_until(lambda: not installation.pids(), "every process to end", STOP_SECONDS)


def test_a_second_start_in_the_same_directory_is_refused(installation):
    again = Installation(installation.var)
    assert again.process.wait(60) == 1
    assert again.printed.endswith(f"CommandError: LeadCRM is already running from {again.var}. Stop it first.\n")


def test_a_busy_port_is_one_clear_line_before_anything_is_done(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        log = tmp_path / "log"
        assert launch(tmp_path / "var", port, log).wait(60) == 1
    assert log.read_text() == (
        f"CommandError: Cannot use 127.0.0.1:{port} (Address already in use). "
        f"Choose another: ./run --bind 127.0.0.1:{port + 1}\n"
    )
    assert not (tmp_path / "var/leadcrm.sqlite3").exists()


def test_the_second_start_keeps_the_data_and_does_nothing_twice(installation):
    static = installation.var / "static" / ".collected"
    secret = installation.var / "secret_key"
    before = static.stat().st_mtime_ns, secret.read_text()
    installation.stop()
    start = time.monotonic()
    second = Installation(installation.var).wait_until_ready()
    seconds = time.monotonic() - start
    second.stop()
    assert (static.stat().st_mtime_ns, secret.read_text()) == before
    assert seconds < 60


def test_the_project_can_be_checked_before_its_database_has_tables(tmp_path):
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "PYTHONPATH": ""}
    command = [sys.executable, "manage.py", "check"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
