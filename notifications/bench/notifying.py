"""How long it takes from a lead's request to the message at its receiver."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from distribution.bench.requesting import Load, server
from distribution.bench.scratch import environment, make_company, sample_fields, scratch_database
from distribution.bench.timing import MILLISECONDS, percentile
from distribution.models import Pool, PoolMember, Rep
from leadcrm.lib.bench import Figure, bench
from notifications.bench.peers import SmtpPeer, TwilioPeer, running
from notifications.models import ChannelChoice, ContactAddress
from pipeline.services.keys import issue_key

LEADS: Final = 40
WARM_UP: Final = 6
PROMISED_MS: Final = 2000.0
GIVE_UP_SECONDS: Final = 60.0
START_SECONDS: Final = 60.0
PING_SECONDS: Final = 2.0
# A database of Redis of its own, so that no worker of the installation takes the tasks.
REDIS_DATABASE: Final = "/15"

# When a name was seen, in seconds since the epoch.
Seen = Callable[[str], float | None]


@bench("notify")
def notify() -> Iterator[Figure]:
    """From API request to the message at a local mail server and a local Twilio, with the configured broker."""
    with ExitStack() as stack:
        smtp: SmtpPeer = stack.enter_context(running(SmtpPeer()))
        twilio: TwilioPeer = stack.enter_context(running(TwilioPeer()))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="leadcrm-bench-"))
        stack.enter_context(scratch_database())
        stack.enter_context(patch.dict(os.environ, _environment(smtp, twilio, folder)))
        _, key = issue_key(make_company())
        port = stack.enter_context(server())
        stack.enter_context(_worker(Path(folder) / "worker.log"))
        for first, channel, seen in ((1, "email", _mails(smtp)), (1000, "sms", _texts(twilio))):
            _let_everyone_choose(channel)
            times = [_one(port, key, number, seen) for number in range(first, first + WARM_UP + LEADS)]
            yield from _figures(channel, times[WARM_UP:])


def _environment(smtp: SmtpPeer, twilio: TwilioPeer, folder: str) -> dict[str, str]:
    broker = settings.CELERY_BROKER_URL
    if broker.startswith(("redis:", "rediss:")):
        broker = urlsplit(broker)._replace(path=REDIS_DATABASE).geturl()
    return {
        "VAR_DIR": folder,
        "CELERY_BROKER_URL": broker,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
        "TWILIO_API_BASE": twilio.url,
        "TWILIO_ACCOUNT_SID": twilio.sid,
        "TWILIO_AUTH_TOKEN": twilio.token,
        "TWILIO_FROM": "+15005550006",
    }


def _let_everyone_choose(channel: str) -> None:
    """As many reps as leads, so that none waits for what the same rep was told a moment ago."""
    pool = Pool.objects.get()
    PoolMember.objects.filter(pool=pool).update(paused=True)
    for number in range(WARM_UP + LEADS):
        name = f"{channel}{number}"
        user = User.objects.create(username=name, email=f"{name}@sales.example")
        rep = Rep.objects.create(user=user, name=name, languages=["de", "en"])
        PoolMember.objects.create(pool=pool, rep=rep)
        number_or_mail = f"+4930{5_000_000 + number}" if channel == "sms" else user.email
        ContactAddress.objects.create(user=user, channel=channel, address=number_or_mail, verified_at=timezone.now())
        ChannelChoice.objects.create(user=user, urgency="urgent", first=channel)


def _mails(peer: SmtpPeer) -> Seen:
    return lambda name: next((at for at, mail in list(peer.seen) if name in _text(mail)), None)


def _text(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    return f"{mail['Subject']} {plain.get_content() if plain else ''}"


def _texts(peer: TwilioPeer) -> Seen:
    return lambda name: next((one.at for one in list(peer.seen) if name in one.form.get("Body", "")), None)


def _one(port: int, key: str, number: int, seen: Seen) -> float:
    """Seconds from the request for one lead until somebody is told its name."""
    name, started = str(sample_fields(number)["last_name"]), time.time()
    Load(port, key, True, iter([number])).once()
    while (at := seen(name)) is None:
        if time.time() - started > GIVE_UP_SECONDS:
            raise RuntimeError(f"nobody was told of {name} within {GIVE_UP_SECONDS:.0f} s")
        time.sleep(0.005)
    return at - started


def _figures(channel: str, times: list[float]) -> Iterator[Figure]:
    broker = urlsplit(settings.CELERY_BROKER_URL).scheme
    for rank in (50, 95):
        limit = PROMISED_MS if rank == 95 else None
        yield Figure(f"{channel} over {broker}, p{rank}", percentile(times, rank) * MILLISECONDS, "ms", limit=limit)


@contextmanager
def _worker(log: Path) -> Iterator[None]:
    """A Celery worker on the scratch database, ready when the block begins."""
    celery = [sys.executable, "-m", "celery", "-A", "leadcrm"]
    ping = [*celery, "inspect", "ping", "--timeout", str(PING_SECONDS)]
    with log.open("wb") as output:
        there: dict[str, Any] = {"env": environment(), "cwd": settings.BASE_DIR, "stdout": output, "stderr": output}
        process = subprocess.Popen([*celery, "worker", "-c", "2"], **there)
        try:
            ends = time.monotonic() + START_SECONDS
            while subprocess.run(ping, check=False, **there).returncode != 0:
                if process.poll() is not None or time.monotonic() > ends:
                    raise RuntimeError(f"the worker did not start:\n{log.read_text()[-2000:]}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)
