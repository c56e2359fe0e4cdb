"""System checks: no installation starts half-configured. Each message names the environment variable to set.

Errors stop every command, and the web server through leadcrm/wsgi.py. Warnings are shown and do not stop anything.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from leadcrm.lib.money import CURRENCIES

SECRET_LENGTH = 32
NETWORK_BROKERS = {"redis", "rediss", "amqp", "amqps"}
BROKERS = NETWORK_BROKERS | {"safefs", "memory"}
ENGINES = {"django.db.backends.postgresql", "django.db.backends.sqlite3"}
TWILIO_ACCOUNT = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
TWILIO_SENDERS = ("TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID", "TWILIO_WHATSAPP_FROM")
# Least, most and unit. Twilio lets a phone ring for 600 seconds, and a call last for 24 hours, at most.
CALL_LIMITS = {
    "CALL_RING_SECONDS": (5, 600, "seconds"),
    "CALL_CONTACT_SECONDS": (1, 3600, "seconds"),
    "CALL_UNKNOWN_MINUTES": (15, 1440, "minutes"),
}

Check = Callable[[], Iterator[CheckMessage]]


def stop_on_errors() -> None:
    """Raise ImproperlyConfigured with every error, for entry points where Django runs no checks by itself."""
    errors = [message for message in run_checks() if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(str(message) for message in errors))


@register(Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    checks: Iterable[Check] = PRODUCTION_CHECKS + GENERAL_CHECKS if settings.PRODUCTION else GENERAL_CHECKS
    return [message for check in checks for message in check()]


def secret_key() -> Iterator[CheckMessage]:
    try:
        length = len(settings.SECRET_KEY)
    except ImproperlyConfigured:
        yield _error(1, "SECRET_KEY is not set.", "Set it to a long random text that only this installation knows.")
        return
    if length < SECRET_LENGTH:
        yield _error(2, f"SECRET_KEY has {length} characters.", f"Use at least {SECRET_LENGTH} random ones.")


def allowed_hosts() -> Iterator[CheckMessage]:
    if not settings.ALLOWED_HOSTS:
        yield _error(3, "ALLOWED_HOSTS is empty.", "Set it to the host names of this site, such as crm.example.com.")
    if "*" in settings.ALLOWED_HOSTS:
        yield _error(4, "ALLOWED_HOSTS is *: any host name would do.", "Name the hosts of this site.")


def site_url() -> Iterator[CheckMessage]:
    url = urlsplit(settings.SITE_URL)
    if url.scheme != "https" or not url.hostname:
        yield _error(5, f"SITE_URL is {settings.SITE_URL!r}.", "Set it to the https:// address that people open.")
    elif settings.ALLOWED_HOSTS and not validate_host(url.hostname, settings.ALLOWED_HOSTS):
        yield _error(6, f"The host of SITE_URL, {url.hostname}, is not in ALLOWED_HOSTS.", "Add it there.")


def debug() -> Iterator[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.DEBUG and not validate_host(host, [*settings.LOCAL_HOSTS, ".localhost"]):
        yield _error(
            7, f"DEBUG is on while SITE_URL is {settings.SITE_URL}.", "Visitors would see secrets: unset DEBUG."
        )


def database() -> Iterator[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine not in ENGINES:
        yield _error(8, f"DATABASE_URL names {engine}.", "Use postgres:// (or sqlite:// on one machine).")


def broker() -> Iterator[CheckMessage]:
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme not in BROKERS:
        yield _error(9, f"CELERY_BROKER_URL begins with {scheme!r}.", "Use redis://, amqp:// or safefs://localhost.")


def redis_visibility() -> Iterator[CheckMessage]:
    """Redis hands a task to another worker after the timeout: also one that is still being worked on."""
    if urlsplit(settings.CELERY_BROKER_URL).scheme not in {"redis", "rediss"}:
        return
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 0)
    if timeout <= settings.CELERY_TASK_TIME_LIMIT:
        yield _error(
            10,
            f"CELERY_VISIBILITY_TIMEOUT is {timeout} s, a task may take {settings.CELERY_TASK_TIME_LIMIT} s.",
            "Set CELERY_VISIBILITY_TIMEOUT above CELERY_TASK_TIME_LIMIT, or tasks run twice.",
        )


def base_currency() -> Iterator[CheckMessage]:
    if settings.BASE_CURRENCY not in CURRENCIES:
        yield _error(11, f"BASE_CURRENCY is {settings.BASE_CURRENCY!r}.", "Use an ISO 4217 code, such as EUR.")


def logs() -> Iterator[CheckMessage]:
    if settings.LOG_FORMAT not in {"text", "json"}:
        yield _error(12, f"LOG_FORMAT is {settings.LOG_FORMAT!r}.", "Use text or json.")
    if settings.LOG_LEVEL not in logging.getLevelNamesMapping():
        yield _error(13, f"LOG_LEVEL is {settings.LOG_LEVEL!r}.", "Use DEBUG, INFO, WARNING or ERROR.")


def retention() -> Iterator[CheckMessage]:
    for name in ("TRACE_RETENTION_DAYS", "PAYLOAD_RETENTION_DAYS", "MESSAGE_RETENTION_DAYS"):
        if getattr(settings, name) < 1:
            yield _error(14, f"{name} is {getattr(settings, name)}.", "Keep at least 1 day.")


def twilio() -> Iterator[CheckMessage]:
    missing = [name for name in TWILIO_ACCOUNT if not getattr(settings, name)]
    senders = [name for name in TWILIO_SENDERS if getattr(settings, name)]
    if not senders and len(missing) < len(TWILIO_ACCOUNT):
        missing.append(f"One of {', '.join(TWILIO_SENDERS)}")
    if missing and (senders or len(missing) < len(TWILIO_ACCOUNT)):
        yield _error(
            15, f"{' and '.join(missing)} is not set.", f"Set {' and '.join(TWILIO_ACCOUNT)} and a sender, or none."
        )


def calls() -> Iterator[CheckMessage]:
    for name, (least, most, unit) in CALL_LIMITS.items():
        if not least <= getattr(settings, name) <= most:
            yield _error(16, f"{name} is {getattr(settings, name)}.", f"Use {least} to {most} {unit}.")


def one_machine_broker() -> Iterator[CheckMessage]:
    if urlsplit(settings.CELERY_BROKER_URL).scheme not in NETWORK_BROKERS:
        yield _warning(
            1, "CELERY_BROKER_URL is for one machine.", "Set it to redis:// or amqp:// before adding another."
        )


def shared_cache() -> Iterator[CheckMessage]:
    backend = settings.CACHES["default"]["BACKEND"]
    if not any(name in backend for name in ("redis", "memcache", "db.")):
        yield _warning(2, "CACHE_URL is not shared.", "Set it to redis://, so that limits count on all machines.")


def one_machine_database() -> Iterator[CheckMessage]:
    network = urlsplit(settings.CELERY_BROKER_URL).scheme in NETWORK_BROKERS
    if network and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield _warning(3, "SQLite serves one machine, the broker serves many.", "Set DATABASE_URL to postgres://.")


def real_email() -> Iterator[CheckMessage]:
    if "console" in settings.EMAIL_BACKEND:
        yield _warning(
            4,
            "EMAIL_URL is not set: messages are not sent, only logged.",
            "Set it, such as smtp+tls://user:password@host.",
        )


def _error(number: int, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"leadcrm.E{number:03}")


def _warning(number: int, message: str, hint: str) -> CheckMessage:
    return Warning(message, hint=hint, id=f"leadcrm.W{number:03}")


PRODUCTION_CHECKS: list[Check] = [secret_key, allowed_hosts, site_url, one_machine_broker, shared_cache, real_email]
GENERAL_CHECKS: list[Check] = [
    debug,
    database,
    one_machine_database,
    broker,
    redis_visibility,
    base_currency,
    logs,
    retention,
    twilio,
    calls,
]
