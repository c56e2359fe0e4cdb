"""Several worker processes sweep promises while reps accept and reach out: each step once, and nobody who answered
loses a lead. Also when a worker is killed again and again."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from distribution import services
from distribution.errors import DistributionError
from distribution.models import Assignment, Rep, SLAClock, StepTaken
from leadcrm.lib.doctor import violations
from pipeline.models import Event, Lead
from pipeline.services.activity import record_contact
from tests.distribution.promises import make_policy
from tests.distribution.world import make_leads, world
from tests.support import servers
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

WORKERS = 4
KILLS = 3
ROOT = Path(__file__).parents[2]
LATE = timedelta(minutes=20)


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    """The leads were given out long ago, not when they are stored."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


class Workers:
    """Processes that sweep the test database."""

    def __init__(self, folder: Path) -> None:
        address = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.log = folder / "workers.log"
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
            "VAR_DIR": str(folder / "var"),
        }
        self.running = [self._start() for _ in range(WORKERS)]

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.sweeper"],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=servers.die_with_parent,  # noqa: PLW1509 - it only asks the kernel
            )

    def kill_one(self, which: int) -> None:
        self.running[which].send_signal(signal.SIGKILL)
        self.running[which].wait()
        self.running[which] = self._start()

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


class Reps(threading.Thread):
    """Reps who accept or call some of their leads, at random, while the workers sweep."""

    def __init__(self, leads: list[int], seed: int) -> None:
        super().__init__()
        self.leads, self.chance = leads, random.Random(seed)
        self.errors: list[Exception] = []

    def run(self) -> None:
        try:
            for pk in self.chance.sample(self.leads, len(self.leads) // 4):
                self._answer(pk)
        except Exception as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def _answer(self, pk: int) -> None:
        held = Assignment.objects.select_related("rep__user", "lead").get(lead=pk, ended_at=None)
        if self.chance.random() < 0.5:
            with contextlib.suppress(DistributionError):
                services.accept_lead(pk, rep=held.rep)
        else:
            record_contact(held.lead, channel="phone", outbound=True, automatic=False, actor=held.rep.user)


def overdue_leads(count: int) -> list[int]:
    """Leads that were given out so long ago that a reminder, the breaking and a reassignment are due."""
    world("Ann", "Ben", "Cleo", "Dan")
    make_policy(("accept", 5, "remind"), ("accept", 15, "reassign"), accept_minutes=15, max_hops=5)
    then = timezone.now() - LATE
    leads = [lead.pk for lead in make_leads(count, created_at=then)]
    services.assign_leads(leads, now=then)
    return leads


def everything_done() -> bool:
    return not SLAClock.objects.filter(stopped_at=None, next_at__lte=timezone.now()).exists()


def assert_each_once(leads: list[int]) -> None:
    assert StepTaken.objects.count() == StepTaken.objects.values("clock", "key").distinct().count()
    for kind in ("sla.reminded", "sla.broken"):
        told = Counter(Event.objects.filter(kind=kind).values_list("data__clock_id", flat=True))
        assert set(told.values()) <= {1}
    moved = Counter(Event.objects.filter(kind="sla.moved_on").values_list("lead", flat=True))
    hops = Counter(Assignment.objects.filter(trigger="escalated").values_list("lead", flat=True))
    assert moved == hops
    assert set(hops.values()) == {1}
    assert_nobody_who_answered_lost_a_lead()
    untouched = Lead.objects.filter(pk__in=leads, accepted_at=None, first_contacted_at=None)
    assert not untouched.exclude(assignments__trigger="escalated").exists()
    assert not Event.objects.filter(kind="sla.failed").exists()
    assert list(violations()) == []


def assert_nobody_who_answered_lost_a_lead() -> None:
    moved = dict(Event.objects.filter(kind="sla.moved_on").values_list("lead", "pk"))
    answered = Event.objects.filter(kind__in=("lead.accepted", "lead.contacted")).values_list("lead", "pk")
    assert len(answered) > 0
    assert [lead for lead, event in answered if moved.get(lead, 0) > event] == []


def left() -> bool:
    """Whether a worker has anything to take up; what a killed one had leased is left for the sweep after the storm."""
    return SLAClock.objects.filter(stopped_at=None, next_at__lte=timezone.now(), leased_until=None).exists()


@pytest.fixture
def workers(tmp_path):
    with contextlib.ExitStack() as stack:

        def start() -> Workers:
            started = Workers(tmp_path)
            stack.callback(started.stop)
            return started

        yield start


def test_many_workers_take_each_step_once_while_reps_answer(workers, thorough):
    leads = overdue_leads(2000 if thorough else 200)
    workers()
    wait_until(StepTaken.objects.exists, "the first step", seconds=300)
    reps = [Reps(leads, seed) for seed in range(3)]
    for rep in reps:
        rep.start()
    for rep in reps:
        rep.join()
    wait_until(everything_done, "all steps", seconds=900)
    assert [rep.errors for rep in reps] == [[], [], []]
    assert_each_once(leads)
    assert Rep.objects.count() >= 4


def test_many_workers_take_each_step_once_however_often_one_is_killed(workers, thorough):
    leads = overdue_leads(2000 if thorough else 150)
    running = workers()
    wait_until(StepTaken.objects.exists, "the first step", seconds=300)
    rep, chance, killed, second = Reps(leads, 7), random.Random(1), 0, threading.Event()
    rep.start()
    while killed < KILLS or left():
        before = StepTaken.objects.count()
        running.kill_one(chance.randrange(WORKERS))
        killed += 1
        second.wait(1.0)
        # However slow the machine is, the workers get somewhere between two kills.
        wait_until(lambda: StepTaken.objects.count() > before or not left(), "a further step", seconds=300)  # noqa: B023
    rep.join()
    running.stop()
    assert rep.errors == []
    services.sweep_clocks(now=timezone.now() + timedelta(seconds=61))
    assert_each_once(leads)
