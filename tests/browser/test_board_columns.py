"""On a phone the board is a row of columns, one in view: which it opens on, and how one gets to the others."""

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from pipeline.models import Lead, Stage
from pipeline.services.moving import move_on
from tests.browser.pages import DESKTOP, PHONE, TOUCHED, card, settled
from tests.distribution.world import add_stages
from tests.pipeline.people import make_people, owned
from tests.support.timings import WATCH, read_timings


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    """In the second of four stages; the first one is empty."""
    add_stages("talks", "offer")
    return goes_to("talks", owned(people, first_name="Ada", last_name="Lovelace"))


def goes_to(slug: str, lead: Lead) -> Lead:
    move_on(lead, Stage.objects.get(slug=slug), actor=lead.owner)
    return lead


def column(page: Page, slug: str) -> Locator:
    return page.locator(f"#column-{slug}")


def in_view(page: Page, slug: str) -> None:
    """All of a column is to be seen, and its chip is the one that says so."""
    expect(column(page, slug)).to_be_in_viewport(ratio=0.99)
    current = page.get_by_role("list", name="Columns").locator("[aria-current]")
    expect(current).to_have_count(1)
    expect(current).to_have_attribute("href", f"#column-{slug}")
    expect(current).to_be_in_viewport(ratio=0.99)


def swipe(page: Page, start: int, end: int) -> None:
    """Draw a finger across the board, from one place to another, in pixels from the left."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *xs: int) -> None:
        points = [{"x": x, "y": 600} for x in xs]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    for step in range(1, 11):
        touch("touchMove", start + (end - start) * step // 10)
    touch("touchEnd")


def test_it_opens_on_the_first_column_with_cards_and_nothing_shifts(opened, people, lead):
    page = opened(people.owner, **TOUCHED)
    in_view(page, "talks")
    page.add_init_script(WATCH)
    page.reload()
    in_view(settled(page), "talks")
    found = read_timings(page)
    assert found.shift < 0.001, found.moved


def test_it_opens_on_the_first_column_when_all_are_empty(opened, people, lead):
    Lead.objects.update(archived_at=timezone.now())
    in_view(opened(people.owner, **TOUCHED), "open")


def test_the_chips_follow_a_finger(opened, people, lead):
    page = opened(people.owner, **TOUCHED)
    swipe(page, 350, 40)
    in_view(page, "offer")
    swipe(page, 40, 350)
    in_view(page, "talks")
    swipe(page, 40, 350)
    in_view(page, "open")


def test_a_chip_leads_to_its_column_and_leaves_the_page_where_it_is(opened, people, lead):
    page = opened(people.owner, **TOUCHED)
    address, top = page.url, page.get_by_role("heading", name="Talks").bounding_box()["y"]
    page.get_by_role("link", name="lost").tap()
    in_view(page, "lost")
    assert page.get_by_role("heading", name="lost").bounding_box()["y"] == top
    page.get_by_role("link", name="Talks").tap()
    in_view(page, "talks")
    assert page.url == address


def test_a_chip_that_is_pressed_by_key_brings_the_focus_along(opened, people, lead):
    page = opened(people.owner, viewport=PHONE)
    page.get_by_role("link", name="Offer").press("Enter")
    in_view(page, "offer")
    expect(column(page, "offer").locator(".column-body")).to_be_focused()


def test_whoever_comes_back_finds_the_column_they_looked_at_unless_it_is_empty_now(opened, people, lead):
    other = goes_to("offer", owned(people, last_name="Byron"))
    page = opened(people.owner, **TOUCHED)
    page.get_by_role("link", name="Offer").tap()
    in_view(page, "offer")
    card(page, other).get_by_role("link", name="Byron", exact=True).tap()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Board").tap()
    in_view(settled(page), "offer")
    goes_to("talks", Lead.objects.get(pk=other.pk))
    page.reload()
    in_view(settled(page), "talks")


def test_who_looked_at_nothing_else_sees_a_first_card_where_it_comes(opened, people, lead):
    page = opened(people.owner, **TOUCHED)
    in_view(page, "talks")
    owned(people, last_name="Byron")
    page.reload()
    in_view(settled(page), "open")


def test_an_address_may_name_the_column(opened, people, lead):
    in_view(opened(people.owner, "/board/sales/#column-won", **TOUCHED), "won")


def test_on_a_laptop_the_board_begins_at_its_beginning(opened, people, lead):
    page = opened(people.owner, viewport=DESKTOP)
    expect(column(page, "open")).to_be_in_viewport(ratio=0.99)
    expect(page.get_by_role("list", name="Columns")).to_be_hidden()
    assert page.locator("#board").evaluate("(board) => board.scrollLeft") == 0
