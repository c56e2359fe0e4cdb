"""What people at a browser do by themselves: they wait until a page is there, and let go of what lies where it should.

A key pressed at a page that is leaving, or whose scripts are not there yet, is lost; so is what is dropped too early.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from pipeline.models import Lead

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])

# A browser that is held in a hand.
TOUCHED: Final = {"viewport": PHONE, "has_touch": True, "is_mobile": True}

# How many pixels a page is wider than its window.
WIDER = "document.documentElement.scrollWidth - window.innerWidth"

UNDER_WAY = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"

# A fold tells that it is open a moment later, and only then asks for what it shows.
UNFOLD = """() => {
    const unfold = (fold) => new Promise((done) => {
        fold.addEventListener("toggle", () => done(), { once: true });
        fold.open = true;
    });
    return Promise.all([...document.querySelectorAll("details:not([open])")].map(unfold));
}"""

# Says of a page how many of its questions are not answered yet.
COUNTED = """
  const real = window.fetch;
  let open = 0;
  const count = (by) => (document.documentElement.dataset.unanswered = open += by);
  window.fetch = (...what) => (count(1), real(...what).finally(() => count(-1)));
"""

# Letters that have no width yet would move what stands beside them.
LETTERS = "() => { document.body.getBoundingClientRect(); return document.fonts.ready.then(() => null); }"


def go_by(page: Page, key: str) -> None:
    """Press a key that leads to another page, and wait until that one is loaded: its scripts listen to keys then."""
    with page.expect_navigation():
        page.keyboard.press(key)


def settled(page: Page) -> Page:
    """Wait until a page that was gone to is loaded, with all the parts that it asks for by itself."""
    page.wait_for_load_state()
    expect(page.locator(UNDER_WAY)).to_have_count(0)
    page.evaluate(LETTERS)
    return page


def unfold_all(page: Page) -> None:
    """Open everything that is folded, and wait for what it fetches."""
    page.evaluate(UNFOLD)
    settled(page)


def without_news(page: Page) -> None:
    """Let this board not hear of what others do."""
    page.route("**/changes/**", lambda route: route.fulfill(status=204))


def drag(what: Locator, to: Locator, arrived: Locator) -> None:
    """Drag something by mouse, and let it go when it lies where it should: when `arrived` is there."""
    take(what)
    let_go(to, arrived)


def take(what: Locator) -> None:
    """Press the mouse on something that can be dragged, and wait until it follows."""
    mouse = what.page.mouse
    what.hover()
    x, y = middle_of(what)
    mouse.down()
    mouse.move(x + 8, y + 8, steps=2)
    expect(what.page.locator(".sortable-ghost")).to_be_attached()


def let_go(to: Locator, arrived: Locator) -> None:
    """Drag what was taken to the middle of a place, and let it go when `arrived` is there."""
    mouse = to.page.mouse
    mouse.move(*middle_of(to), steps=15)
    expect(arrived).to_be_attached()
    mouse.up()


def middle_of(element: Locator) -> tuple[float, float]:
    """Where the middle of an element is in the window, in pixels."""
    box = element.bounding_box()
    assert box, f"{element} is not shown"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# --- A lead --------------------------------------------------------------------------------------


def log_contact(page: Page, text: str) -> None:
    """Note down that we reached out, and what came of it."""
    page.locator("#contact_direction").select_option(label="We reached out")
    page.get_by_label("What came of it").fill(text)
    page.get_by_role("button", name="Log this contact").click()


# --- The board -----------------------------------------------------------------------------------


def card(page: Page, lead: Lead) -> Locator:
    return page.locator(f"#lead-{lead.uid}")


def in_column(page: Page, lead: Lead, slug: str) -> Locator:
    return page.locator(f"#column-{slug} #lead-{lead.uid}")


def move(page: Page, lead: Lead, slug: str) -> None:
    """Drag a card by mouse to another column."""
    column = page.locator(f"#column-{slug} .column-body")
    drag(card(page, lead).locator(".owner"), to=column, arrived=in_column(page, lead, slug))


class Finger:
    """Takes a card after a short hold."""

    def __init__(self, page: Page, held: Locator) -> None:
        self.session = page.context.new_cdp_session(page)
        box = held.locator(".owner").bounding_box()
        self.x, self.y = box["x"] + 20, box["y"] + 10
        self.touch("touchStart")
        expect(held).to_have_class(re.compile("sortable-chosen"))
        self.move(self.x + 8, self.y + 8)
        expect(page.locator(".sortable-ghost")).to_be_attached()

    def touch(self, kind: str) -> None:
        points = [] if kind == "touchEnd" else [{"x": self.x, "y": self.y}]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def move(self, x: float, y: float) -> None:
        across, down = (x - self.x) / 15, (y - self.y) / 15
        for _ in range(15):
            self.x, self.y = self.x + across, self.y + down
            self.touch("touchMove")

    def let_go(self, arrived: Locator) -> None:
        expect(arrived).to_be_attached()
        self.touch("touchEnd")
