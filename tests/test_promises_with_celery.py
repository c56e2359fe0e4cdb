"""Promises with a real Celery worker and beat, on each broker, also when the broker stops for a while."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from distribution import services
from distribution.models import StepTaken
from leadcrm.lib.beat import ensure_schedules
from leadcrm.lib.doctor import violations
from leadcrm.lib.supervisor import Log, Program
from leadcrm.taskruns import with_done_at
from pipeline.models import Event
from tests.distribution.promises import make_policy
from tests.distribution.world import make_leads, world
from tests.support import servers
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

CELERY = [sys.executable, "-m", "celery", "-A", "leadcrm"]
WORKER = ["worker", "-c", "2", "--without-gossip", "--without-mingle"]
BEAT = ["beat", "--max-interval", "1"]


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


class FileBroker:
    """The embedded broker: stopped, nobody can reach its files."""

    url = "safefs://localhost"

    def __init__(self, folder: Path) -> None:
        self.files, self.away = folder / "var/broker", folder / "var/broker.away"

    def stop(self) -> None:
        self.files.rename(self.away)
        self.files.touch()

    def start(self) -> None:
        self.files.unlink()
        shutil.move(self.away, self.files)

    def close(self) -> None:
        pass


class RedisBroker:
    """A Redis that forgets everything when it stops."""

    def __init__(self, folder: Path) -> None:
        self.port = servers.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(servers.redis(self.port))

    def stop(self) -> None:
        self._stack.close()

    close = stop


@pytest.fixture(params=[FileBroker, RedisBroker], ids=["files", "redis"])
def broker(request, tmp_path) -> "Iterator[FileBroker | RedisBroker]":
    made = request.param(tmp_path)
    yield made
    made.close()


@pytest.fixture
def programs(broker, tmp_path) -> Iterator[list[Program]]:
    """Worker and beat as `./run` runs them: Celery's worker gives up when its broker goes, and is started again."""
    address = os.environ["DATABASE_URL"].rpartition("/")[0]
    database = f"DATABASE_URL={address}/{connection.settings_dict['NAME']}"
    # Not in this process: Celery would read the address of the broker here as well.
    command = ["env", database, f"CELERY_BROKER_URL={broker.url}", f"VAR_DIR={tmp_path / 'var'}", *CELERY]
    with (tmp_path / "celery.log").open("a") as stream:
        log = Log(stream, ["worker", "beat"])
        made = [Program(part[0], [*command, *part], log) for part in (WORKER, BEAT)]
        for program in made:
            program.start()
        yield made
        for program in made:
            program.end()


def promised(count: int, first: int, ago: timedelta) -> None:
    """Leads that were given out a while ago, with a reminder after five minutes."""
    leads = make_leads(count, company=f"Batch {first}")
    services.assign_leads([lead.pk for lead in leads], now=timezone.now() - ago)


def done_at() -> datetime:
    """When the sweep over promises last did its work."""
    return dict(with_done_at().values_list("task", "done_at"))["distribution.tasks.escalate_due"]


def wait_for_reminders(count: int, programs: list[Program]) -> None:
    def told() -> bool:
        for program in programs:
            program.revive()
        return Event.objects.filter(kind="sla.reminded").count() == count

    wait_until(told, f"{count} reminders", seconds=240)


@pytest.fixture
def schedules():
    """The sweep each second."""
    ensure_schedules()
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task="distribution.tasks.escalate_due").update(interval=every, expire_seconds=None)


def test_what_falls_due_while_the_broker_is_down_is_told_when_it_is_back(schedules, broker, programs, thorough):
    down = 60 if thorough else 4
    world("Ann", "Ben")
    make_policy(("accept", 5, "remind"), accept_minutes=600)
    promised(3, 0, timedelta(minutes=6))
    wait_for_reminders(3, programs)
    broker.stop()
    due = timezone.now() + timedelta(seconds=down / 2)
    promised(3, 1, timedelta(minutes=5) - timedelta(seconds=down / 2))
    wait_until(lambda: timezone.now() > due + timedelta(seconds=down / 2), "the outage", seconds=120)
    broker.start()
    wait_for_reminders(6, programs)
    assert StepTaken.objects.count() == 6
    wait_until(lambda: done_at() > due, "the sweep to say that it did its work")
    assert [one for one in violations() if one.code != "periodic-tasks"] == []
