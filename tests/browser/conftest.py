"""Fixtures for tests in a real browser: `page` (from pytest-playwright) against `live_server`, and `axe`."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support import browser

browser.use_own_node()

GRAVE = {"serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The server runs in a thread of its own and sees only what is committed."""
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    return {**browser_type_launch_args, **browser.launch_options()}


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """Check a page for accessibility; returns one line per serious or critical fault (rule, element)."""

    def check(page: Page) -> list[str]:
        violations = Axe().run(page).response["violations"]
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in violations
            if found["impact"] in GRAVE
            for node in found["nodes"]
        ]

    return check
