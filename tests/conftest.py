"""Fixtures for all tests; the database comes from tests/support/pgplugin.py."""

import logging
import os
from collections.abc import Iterator
from datetime import timedelta

import hypothesis
import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache

# How long an example takes says something about the machine, nothing about the code.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def django_db_keepdb(request) -> bool:
    """A private server goes with all its databases: dropping one first could only fail, because of a connection that
    the thread of some server still holds."""
    return bool(request.config.option.reuse_db) or "TEST_DATABASE_URL" not in os.environ


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _plain_static_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _content_types_of_now() -> None:
    """A request that a server had taken and not begun when its test ended may have seen the rows of then, which were
    numbered otherwise."""
    ContentType.objects.clear_cache()


@pytest.fixture(autouse=True)
def _seen_for_good(monkeypatch):
    """How many queries a page asks must not depend on how long a test takes: that somebody was seen is noted once, and
    not again after a minute."""
    monkeypatch.setattr("distribution.middleware.SEEN_EVERY", timedelta(days=1))


@pytest.fixture(autouse=True)
def _nothing_compiled() -> Iterator[None]:
    """A rolled-back test's rule set may have the id and stamp of the next one's."""
    from distribution import compiling

    yield
    compiling.forget()


@pytest.fixture(autouse=True)
def _nobody_woken() -> Iterator[None]:
    """What waits to be started would start in the next test."""
    from leadcrm.lib import wake

    yield
    wake.forget()


@pytest.fixture
def refused_in_silence(caplog) -> None:
    """What is refused a thousand times need not be written down as often."""
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.fixture
def eager_tasks(settings) -> Iterator[None]:
    """Run tasks at once, in the caller, and let their errors through."""
    from leadcrm.celery import app

    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    app.conf.update(task_always_eager=before[0], task_eager_propagates=before[1])
