"""Says how pages come in a real Chromium, by its own timings, without a cache, at a laptop's and a phone's size, from a
running demo: python -m scripts.browser_timings [http://127.0.0.1:8000]"""

import sys
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.pictures import DEMO_PASSWORD
from tests.browser.pages import settled
from tests.support import browser
from tests.support.timings import WATCH, read_timings

SIZES: Final = {"1280x800": (1280, 800), "390x844": (390, 844)}
# Who looks at what; the lead is the first on the board.
PAGES: Final = {
    "board": ("rep", "/board/"),
    "lead": ("rep", ""),
    "my day": ("rep", "/my/"),
    "team": ("manager", "/team/availability/"),
}
HEAD: Final = "page     size        TTFB    FCP    LCP    CLS  blocked longest    kB  requests    (times in ms)\n"
LINE: Final = "{:<8} {:<9} {:>6.0f} {:>6.0f} {:>6.0f} {:>6.3f} {:>8.0f} {:>6.0f} {:>6.0f} {:>9}\n"


def sign_in(page: Page, site: str, login: str) -> None:
    page.goto(f"{site}/login/")
    page.get_by_label("Username").fill(login)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def first_lead(page: Page, site: str) -> str:
    page.goto(f"{site}/board/")
    return page.locator(".card h3 a").first.get_attribute("href") or ""


def measure(chromium: Browser, site: str, name: str, size: str) -> None:
    """Each page in a browser that knows nothing yet but who looks."""
    width, height = SIZES[size]
    login, path = PAGES[name]
    first = chromium.new_context(viewport={"width": width, "height": height})
    page = first.new_page()
    sign_in(page, site, login)
    path = path or first_lead(page, site)
    fresh = chromium.new_context(viewport={"width": width, "height": height}, storage_state=first.storage_state())
    page = fresh.new_page()
    page.add_init_script(WATCH)
    page.goto(site + path)
    seen = read_timings(settled(page))
    times = (seen.first_byte, seen.first_paint, seen.largest_paint, seen.shift, seen.blocked, seen.longest_task)
    sys.stdout.write(LINE.format(name, size, *times, seen.kilobytes, seen.requests))
    first.close()
    fresh.close()


def main(site: str) -> None:
    browser.use_own_node()
    sys.stdout.write(HEAD)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**browser.launch_options())  # type: ignore[arg-type]
        for name in PAGES:
            for size in SIZES:
                measure(chromium, site, name, size)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
