"""A real Celery worker, as configured by the settings, on each broker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.waiting import wait_until

SEND = ["-m", "tests.support.celery_app"]
WORKER = ["-m", "celery", "-A", "tests.support.celery_app", "worker", "-c", "2", "--without-gossip", "--without-mingle"]


class Broker:
    """One broker, and the processes that use it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "CELERY_BROKER_URL": url,
            "VAR_DIR": str(folder / "var"),
            "CELERY_TASK_TIME_LIMIT": "4",
            "CELERY_VISIBILITY_TIMEOUT": "5",
        }

    def send(self, name: str, seconds: float = 0.0) -> None:
        command = [sys.executable, *SEND, str(self.folder), name, str(seconds)]
        subprocess.run(command, env=self.environment, check=True)

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[bytes]"]:
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *WORKER], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def wait_for(self, name: str) -> None:
        wait_until((self.folder / name).exists, f"the file {name}")


@pytest.fixture(params=["files", "redis"])
def broker(request, tmp_path: Path) -> Iterator[Broker]:
    with ExitStack() as stack:
        url = "safefs://localhost" if request.param == "files" else stack.enter_context(servers.redis())
        yield Broker(url, tmp_path)


def test_a_task_sent_before_the_worker_starts_is_done(broker: Broker):
    broker.send("first")
    with broker.worker():
        broker.wait_for("first.done")


def test_a_task_whose_worker_was_killed_is_done_by_the_next_one(broker: Broker):
    broker.send("hard", seconds=3)
    with broker.worker() as worker:
        broker.wait_for("hard.began")
        kill_group(worker)
        assert not (broker.folder / "hard.done").exists()
    with broker.worker():
        broker.wait_for("hard.done")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_worker_survives_a_message_that_nobody_can_read(tmp_path: Path):
    broker = Broker("safefs://localhost", tmp_path)
    broker.send("poisoned")
    queue = tmp_path / "var/broker/queue"
    next(queue.glob("*.msg")).write_bytes(b'{"half')
    broker.send("healthy")
    with broker.worker() as worker:
        broker.wait_for("healthy.done")
        assert worker.poll() is None
    assert len(list((tmp_path / "var/broker/dead").iterdir())) == 1
    assert not (tmp_path / "poisoned.began").exists()
