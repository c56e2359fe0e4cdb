"""Fixtures for tests in a real browser: `page` (from pytest-playwright) against `live_server`, `sign_in` and `axe`."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from playwright.sync_api import BrowserContext, Page, expect

from pipeline import moveviews
from pipeline.services import moving
from tests.browser.pages import DESKTOP, settled, without_news
from tests.pipeline.people import signed_in
from tests.support import browser
from tests.support.waiting import wait_until

browser.use_own_node()
expect.set_options(timeout=30_000)  # as long as for a click: a slow machine is no fault of a page

GRAVE = {"serious", "critical"}

SignIn = Callable[[User, BrowserContext], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The server runs in a thread of its own and sees only what is committed."""
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    return {**browser_type_launch_args, **browser.launch_options()}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, object]) -> dict[str, object]:
    """Nothing fades in or glides, so that nothing is judged or measured half-way."""
    return {**browser_context_args, "reduced_motion": "reduce"}


@pytest.fixture(autouse=True)
def _everybody_served(transactional_db) -> Iterator[None]:
    """The database is emptied only when nobody is served any more: a page that is open asks by itself, to its end."""
    begun: list[object] = []
    done: list[object] = []

    def begin(**_: object) -> None:
        begun.append(None)

    def end(**_: object) -> None:
        done.append(None)

    request_started.connect(begin)
    request_finished.connect(end)
    yield
    wait_until(lambda: len(done) >= len(begun), "the server's last answers")
    request_started.disconnect(begin)
    request_finished.disconnect(end)


@pytest.fixture
def never_too_late(monkeypatch):
    """On a slow machine a notice stays until it is read, and it is never too late to undo something."""
    for module in (moveviews, moving):
        monkeypatch.setattr(module, "UNDO_SECONDS", 3600)


@pytest.fixture
def axe() -> Callable[..., list[str]]:
    """Check a page for accessibility once it is all there; one line per serious or critical fault (rule, element).
    By some rules only, or by all."""

    def check(page: Page, *rules: str) -> list[str]:
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        settled(page)
        script = "null" if page.evaluate("'axe' in window") else AXE_SCRIPT  # half a megabyte, once per page
        violations = Axe(script).run(page, options=options).response["violations"]
        return [
            f"{found['id']}: {node['html'][:160]}"
            for found in violations
            if found["impact"] in GRAVE
            for node in found["nodes"]
        ]

    return check


@pytest.fixture
def sign_in(live_server) -> SignIn:
    """Let a browser be signed in as a user, without the page for it."""

    def enter(user: User, context: BrowserContext) -> None:
        cookie = signed_in(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])

    return enter


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains about, such as what the content security policy forbids."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def opened(new_context, sign_in: SignIn, live_server) -> Callable[..., Page]:
    """Opens the board in a browser of its own, in which somebody has signed in; without `news` it hears of nobody."""

    def open_board(user: User, path="/board/sales/?who=team", *, news=True, **options) -> Page:
        context = new_context(**{"viewport": DESKTOP, **options})
        sign_in(user, context)
        page = context.new_page()
        if not news:
            without_news(page)
        page.goto(live_server.url + path)
        expect(page.locator("html.scripted")).to_be_attached()
        return settled(page)

    return open_board
