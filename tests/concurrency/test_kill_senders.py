"""Workers are killed at random while they send: every message arrives, hardly any twice, none is stuck."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

from notifications.models import Notification
from notifications.services import claiming
from tests.concurrency.threads import at_once
from tests.notifications.messages import NOW, Recorder, channels, queued, user
from tests.support import servers
from tests.support.peers import SmtpPeer, running
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

WORKERS = 4
LEASE_SECONDS = 8
ROOT = Path(__file__).parents[2]


class Senders:
    """Worker processes on the test database that send mail to a local server."""

    def __init__(self, peer: SmtpPeer, folder: Path) -> None:
        address = os.environ["DATABASE_URL"].rpartition("/")[0]
        self.log = folder / "senders.log"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "leadcrm.settings",
            "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
            "EMAIL_URL": f"smtp://127.0.0.1:{peer.port}",
        }
        self.processes = [self.start() for _ in range(WORKERS)]

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.deliverer", "email", str(LEASE_SECONDS)],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                preexec_fn=servers.die_with_parent,  # noqa: PLW1509 - it only asks the kernel
            )

    def kill_and_replace(self, number: int) -> None:
        victim = self.processes[number]
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        self.processes[number] = self.start()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def queue_messages(count: int) -> set[str]:
    """One message for each of so many people; returns their tokens."""
    people = [User(username=f"p{number}", email=f"p{number}@sales.example") for number in range(count)]
    User.objects.bulk_create(people)
    rows = [
        Notification(kind="mention", key=f"storm:{number}", user=one, channel="email", next_at=NOW)
        for number, one in enumerate(people)
    ]
    Notification.objects.bulk_create(rows)
    return {str(row.token) for row in rows}


def token_of(mail) -> str:
    return mail["Message-ID"].strip("<>").partition("@")[0]


def unsent() -> int:
    return Notification.objects.exclude(state="sent").count()


def test_every_message_arrives_hardly_any_twice_and_none_is_stuck_however_often_workers_are_killed(tmp_path, thorough):
    messages, kills = (10_000, 40) if thorough else (240, 4)
    chance = random.Random(70)
    tokens = queue_messages(messages)
    with running(SmtpPeer()) as peer:
        senders = Senders(peer, tmp_path)
        try:
            for moment in sorted(chance.sample(range(1, messages * 3 // 4), kills)):
                wait_until(partial(lambda count: len(peer.seen) >= count, moment), "the next moment to kill", 600)
                senders.kill_and_replace(chance.randrange(WORKERS))
            wait_until(lambda: unsent() == 0, f"{unsent()} messages, see {senders.log.read_text()[-2000:]}", 900)
        finally:
            senders.stop()
        arrived = Counter(token_of(mail) for mail in peer.mails)
    assert set(arrived) == tokens
    repeated = sum(arrived.values()) - messages
    assert repeated <= kills  # each worker sends one message at a time
    assert max(arrived.values()) <= 1 + kills


def test_of_many_workers_one_takes_a_message():
    with channels(Recorder()):
        queued(user("ann"))
        claims = at_once([partial(claiming.claim, "recorder", NOW)] * 8, threads=8)
    assert sum(one is not None for one in claims) == 1


def test_of_messages_to_one_person_that_are_due_at_once_one_goes_and_takes_the_others_along():
    with channels(Recorder()):
        for _ in range(6):
            queued(user("ann"))
        claims = [one for one in at_once([partial(claiming.claim, "recorder", NOW)] * 6, threads=6) if one]
    assert not [one for one in claims if isinstance(one, Exception)]
    assert len(claims) == 1


def test_the_limit_per_minute_holds_over_all_workers():
    from notifications.services import switches

    with channels(Recorder(per_minute=5)):
        places = at_once([partial(switches.take_place, "recorder", NOW)] * 16, threads=16)
    assert sum(place is None for place in places) == 5
