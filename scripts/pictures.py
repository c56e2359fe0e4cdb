"""Takes the pictures in docs/images from a running demo: python -m scripts.pictures [http://127.0.0.1:8000]"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import browser

FOLDER = Path(__file__).parent.parent / "docs/images"
DEMO_PASSWORD = "demo"  # noqa: S105 - the demo's, which ./run prints
DESKTOP, TALL, PHONE = (1440, 860), (1440, 1100), (390, 844)


class Picture(NamedTuple):
    """One file: who looks at which page, on a screen of which size; ``go`` walks on from there."""

    name: str
    login: str
    path: str
    size: tuple[int, int] = DESKTOP
    go: Callable[[Page], object] = lambda page: None


def first_decision(page: Page) -> None:
    page.locator(".card h3 a").first.click()
    page.get_by_role("heading", name="History").wait_for()
    page.goto(page.url + "decision/")


def live_rules(page: Page) -> None:
    page.locator("#result_list tbody th a").first.click()


PICTURES = (
    Picture("board", "manager", "/board/?who=team"),
    Picture("board-phone", "rep", "/board/#column-qualified", PHONE),
    Picture("decision", "manager", "/board/", TALL, first_decision),
    Picture("rules", "admin", "/admin/distribution/ruleset/", DESKTOP, live_rules),
)


def take(chromium: Browser, site: str, picture: Picture) -> None:
    width, height = picture.size
    page = chromium.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.goto(f"{site}/login/")
    page.get_by_label("Username").fill(picture.login)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(site + picture.path)
    picture.go(page)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    page.close()


def main(site: str) -> None:
    browser.use_own_node()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**browser.launch_options())  # type: ignore[arg-type]
        for picture in PICTURES:
            take(chromium, site, picture)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
