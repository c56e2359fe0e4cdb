"""No installation starts half-configured."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.core.checks import run_checks

GOOD = {
    "PRODUCTION": True,
    "ENGINE": "django.db.backends.postgresql",
    "DEBUG": False,
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": ["crm.example.com"],
    "SITE_URL": "https://crm.example.com",
    "CELERY_BROKER_URL": "redis://redis:6379/0",
    "CELERY_BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 900, "unacked_restore_throttle": 1},
    "CELERY_TASK_TIME_LIMIT": 300,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://redis"}},
}
TWILIO = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret", "TWILIO_FROM": "+15550100"}
LOCAL = {"PRODUCTION": False, "SITE_URL": "http://127.0.0.1:8000"}


@pytest.fixture
def found(settings, monkeypatch) -> Callable[[dict], list[str]]:
    """The ids of what is said about the good installation with some changes."""

    def ask(changes: dict) -> list[str]:
        values = {**GOOD, **changes}
        monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", values.pop("ENGINE"))
        for name, value in values.items():
            setattr(settings, name, value)
        return [str(message.id) for message in run_checks() if str(message.id).startswith("leadcrm.")]

    return ask


@pytest.mark.parametrize(
    "changes",
    [
        {},
        TWILIO,
        {**TWILIO, "TWILIO_FROM": "", "TWILIO_MESSAGING_SERVICE_SID": "MG1"},
        LOCAL,
        {**LOCAL, "DEBUG": True, "ALLOWED_HOSTS": []},
    ],
)
def test_a_good_installation_is_not_complained_about(found, changes):
    assert found(changes) == []


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("E001", {"SECRET_KEY": ""}),
        ("E002", {"SECRET_KEY": "x" * 31}),
        ("E003", {"ALLOWED_HOSTS": []}),
        ("E004", {"ALLOWED_HOSTS": ["*"]}),
        ("E005", {"SITE_URL": ""}),
        ("E005", {"SITE_URL": "http://crm.example.com"}),
        ("E005", {"SITE_URL": "https://"}),
        ("E006", {"SITE_URL": "https://other.example.com"}),
        ("E007", {"DEBUG": True, "PRODUCTION": False}),
        ("E008", {"ENGINE": "django.db.backends.mysql"}),
        ("E009", {"CELERY_BROKER_URL": "sqs://", **LOCAL}),
        ("E009", {"CELERY_BROKER_URL": "", **LOCAL}),
        ("E010", {"CELERY_TASK_TIME_LIMIT": 900}),
        ("E010", {"CELERY_BROKER_TRANSPORT_OPTIONS": {}}),
        ("E011", {"BASE_CURRENCY": "EURO"}),
        ("E012", {"LOG_FORMAT": "xml"}),
        ("E013", {"LOG_LEVEL": "LOUD"}),
        ("E014", {"TRACE_RETENTION_DAYS": 0}),
        ("E014", {"PAYLOAD_RETENTION_DAYS": -1}),
        ("E014", {"MESSAGE_RETENTION_DAYS": 0}),
        ("E015", {**TWILIO, "TWILIO_AUTH_TOKEN": ""}),
        ("E015", {**TWILIO, "TWILIO_FROM": ""}),
        ("E015", {"TWILIO_WHATSAPP_FROM": "+15550100"}),
        ("E016", {"CALL_RING_SECONDS": 0}),
        ("E016", {"CALL_RING_SECONDS": 601}),
        ("E016", {"CALL_CONTACT_SECONDS": 0}),
        ("E016", {"CALL_UNKNOWN_MINUTES": 14}),
        ("W001", {"CELERY_BROKER_URL": "safefs://localhost"}),
        ("W002", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}),
        ("W003", {"ENGINE": "django.db.backends.sqlite3"}),
        ("W004", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    ],
)
def test_each_bad_combination_has_an_id_of_its_own(found, expected, changes):
    assert found(changes) == [f"leadcrm.{expected}"]


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-c", "import leadcrm.wsgi"],
        ["-m", "celery", "-A", "leadcrm", "worker", "--pool", "solo"],
    ],
)
def test_nothing_starts_in_production_without_a_secret_and_the_message_names_it(command):
    stopped = run(*command, SECRET_KEY="")
    assert stopped.returncode != 0
    assert "SECRET_KEY is not set" in stopped.stdout + stopped.stderr


def test_a_number_that_is_none_is_refused_by_the_name_of_its_variable():
    stopped = run("manage.py", "check", TRACE_RETENTION_DAYS="half a year")
    assert stopped.returncode != 0
    assert "TRACE_RETENTION_DAYS is 'half a year'. Set it to a whole number, such as 180." in stopped.stderr
