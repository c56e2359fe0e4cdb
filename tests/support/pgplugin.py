"""Early pytest plug-in: a real PostgreSQL before the settings are read, and the options of `./test`.

    TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/name   use that server (Django adds `test_` to the name)
    --thorough                                                  the long simulations and storms in full
    --data DIR                                                  also the tests that read the real files in DIR

Without TEST_DATABASE_URL a private server is started, once, also when pytest-xdist starts several processes.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers

# A production installation, so that no test leans on a default; its cache, broker and mail are in memory.
ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-and-nothing-else-but-tests",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1,crm.example.com",
    "SITE_URL": "https://crm.example.com",
    "CACHE_URL": "locmemcache://",
    "CELERY_BROKER_URL": "memory://",
    "EMAIL_URL": "memorymail://",
    "AXES_ENABLED": "0",
    "LOG_LEVEL": "WARNING",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's synchronous interface runs an event loop in the test's thread
}

# The long form of a test does ten times as much, and the machine may be busy.
LONG_SECONDS = 3600

_resources = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    os.environ.update(ENVIRONMENT)
    if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers inherit the address
        os.environ["VAR_DIR"] = _resources.enter_context(tempfile.TemporaryDirectory(prefix="leadcrm-var-"))
        os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or _start()
    return (yield)


def _start() -> str:
    try:
        return _resources.enter_context(servers.postgres()) + "/leadcrm"
    except servers.ServerMissing as missing:
        raise pytest.UsageError(str(missing)) from missing


def pytest_unconfigure() -> None:
    _resources.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("leadcrm")
    group.addoption("--thorough", action="store_true", help="run the long simulations and storms in full")
    group.addoption("--data", type=_directory, metavar="DIR", help="also run the tests that read the real files in DIR")


def _directory(text: str) -> Path:
    path = Path(text).resolve()
    if not path.is_dir():
        raise pytest.UsageError(f"--data {text}: there is no such directory.")
    return path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--thorough"):
        for item in items:
            item.add_marker(pytest.mark.timeout(LONG_SECONDS))
    if config.getoption("--data"):
        return
    without = [item for item in items if item.get_closest_marker("data")]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """Whether the long form of a simulation or storm is wanted."""
    return bool(request.config.getoption("--thorough"))


@pytest.fixture(scope="session")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """The directory of the real files; for tests marked `data`."""
    path: Path = request.config.getoption("--data")
    return path
