import fcntl
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from distribution.demo.making import EASY_PASSWORD, LOGINS
from leadcrm.celery import app
from leadcrm.lib import prepare
from leadcrm.lib.beat import ensure_schedules
from leadcrm.lib.supervisor import Supervisor
from pipeline.models import Lead

PING_SECONDS = 1.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Celery warns on every start as root; on a person's own machine there is nothing to learn from it.
PYTHON = [sys.executable, "-W", "ignore:You're running the worker with superuser"]


class Command(BaseCommand):
    help = "Run everything on this machine, in the foreground: web, worker and beat. Ctrl-C stops all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT", help="where the site answers")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
        parser.add_argument("--web-workers", type=int, default=2, metavar="N", help="web processes, of 4 threads each")
        parser.add_argument("--concurrency", type=int, default=2, metavar="N", help="tasks at the same time")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = _address(options["bind"])
        _require_free(host, port)
        url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - what was asked for
        if not settings.PRODUCTION:
            os.environ.setdefault("SITE_URL", url)  # links in messages lead here; the programs inherit it
        with _only_one():
            try:
                self.prepare(demo=not options["no_demo"])
            except KeyboardInterrupt:
                raise CommandError("Stopped while preparing; the next start goes on from here.") from None
            supervisor = Supervisor(_commands(options))
            supervisor.run(lambda: self.greet(supervisor, host, f"{url}/"))

    def prepare(self, *, demo: bool) -> None:
        self.say("Preparing the database.")
        prepare.migrate()
        ensure_schedules()
        self.say("Preparing the static files.")
        prepare.collect_static()
        if demo and not settings.PRODUCTION and not (Lead.objects.exists() or User.objects.exists()):
            self.say("The database is empty: filling it with a demo company. This takes up to a minute.")
            call_command("demo", stdout=self.stdout)

    def greet(self, supervisor: Supervisor, host: str, url: str) -> None:
        """Say where to go once web and worker answer."""
        while not (_answers(url + "healthz") and app.control.ping(timeout=PING_SECONDS)):
            if supervisor.stopping:
                return
            time.sleep(0.2)
        self.say(f"\nLeadCRM is running at {url}   (admin: {url}admin/)")
        if logins := _demo_logins():
            self.say(f"Sign in as {', '.join(logins)}, each with the password {EASY_PASSWORD}.")
            if host not in LOOPBACK:
                self.stdout.write(self.style.WARNING("Everybody who reaches this machine can: change the passwords."))
        elif not User.objects.exists():
            self.say("Nobody can sign in yet: .venv/bin/python manage.py createsuperuser makes the first admin.")
        self.say("Ctrl-C stops everything.\n")

    def say(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS(text))
        self.stdout.flush()


def _demo_logins() -> list[str]:
    """The people of the demo who still have its password."""
    people = User.objects.filter(username__in=LOGINS, is_active=True).order_by("username")
    names = [user.username for user in people if user.check_password(EASY_PASSWORD)]
    connection.close()  # it belongs to this thread, which ends soon
    return names


def _commands(options: dict[str, Any]) -> dict[str, list[str]]:
    # Preloaded, the application is imported once and not once per process: half the time to the first page.
    web = ["-w", str(options["web_workers"]), "-k", "gthread", "--threads", "4", "-b", options["bind"]]
    quiet = ["--preload", "--no-control-socket", "--graceful-timeout", "5", "--log-level", "warning"]
    celery = [*PYTHON, "-m", "celery", "--quiet", "-A", "leadcrm"]
    # Celery would set it to WARNING, and hide what our own code says.
    level = ["--loglevel", settings.LEVEL]
    return {
        "web": [*PYTHON, "-m", "gunicorn", "leadcrm.wsgi", *web, *quiet],
        "worker": [
            *celery,
            "worker",
            "-c",
            str(options["concurrency"]),
            "--without-gossip",
            "--without-mingle",
            *level,
        ],
        "beat": [*celery, "beat", "--pidfile=", *level],
    }


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise CommandError(f"--bind {bind} is not an address. Write HOST:PORT, such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
        try:
            probe.bind((host, port))
        except OSError as error:
            other = f"./run --bind {host}:{port + 1}"
            raise CommandError(f"Cannot use {host}:{port} ({error.strerror}). Choose another: {other}") from error


@contextmanager
def _only_one() -> Iterator[None]:
    """Two supervisors on one directory would mean two beats, each sending every periodic task."""
    with (settings.VAR_DIR / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"LeadCRM is already running from {settings.VAR_DIR}. Stop it first.") from None
        yield


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
