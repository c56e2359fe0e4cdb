"""How the board looks: how much of it is seen at once, what can be pressed with a thumb, what stays where it is."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from pipeline.models import Lead, Pipeline, SavedView, Stage
from tests.browser.pages import PHONE, SIZES, TOUCHED
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people

BOXES = "all => all.map((one) => one.getBoundingClientRect().toJSON())"


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def leads(people) -> list[Lead]:
    """Leads of which everything is known, more than a column shows; none is accepted yet."""
    now = timezone.now()
    Stage.objects.filter(slug=stages()["open"].slug).update(rot_days=5)
    known = {
        "company": "Loamwick Sensors",
        "product": "Shuttle",
        "value": Decimal(366000),
        "currency": "EUR",
        "score": 42,
        "respond_by": now + timedelta(hours=2),
        "assigned_at": now - timedelta(days=8),
        "stage_since": now - timedelta(days=8),
        "owner": people.owner,
        "team": people.team,
        "routing_state": "assigned",
    }
    return [make_lead(first_name="Ines", last_name=f"Lohmann {number}", **known) for number in range(12)]


def boxes(page: Page, what: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.eval_on_selector_all(what, BOXES)
    assert found, f"no {what}"
    return found


def box(element: Locator) -> dict[str, float]:
    found = element.bounding_box()
    assert found, f"{element} is not shown"
    return dict(found)


def first_card(page: Page) -> Locator:
    return page.locator("#column-open .card").first


# --- Cards and columns -------------------------------------------------------------------------


def test_five_cards_of_a_column_are_seen_at_once_with_all_that_they_say(opened, people, leads):
    page = opened(people.manager)
    bottom = box(page.locator("#column-open"))["y"] + box(page.locator("#column-open"))["height"]
    assert sum(one["bottom"] <= bottom for one in boxes(page, "#column-open .card")) >= 5
    said = ("Ines Lohmann", "366,000 EUR", "42", "Loamwick Sensors", "Shuttle", "Accept", "8 d here")
    for words in (*said, "Owner Person", "web", re.compile(r"1 h \d+ min left"), re.compile("just now|min ago")):
        expect(first_card(page)).to_contain_text(words)


def test_the_cards_of_all_columns_begin_on_one_line(opened, people, leads):
    Stage.objects.filter(slug="open").update(wip_limit=12)
    won = Stage.objects.get(slug="won")
    make_lead(last_name="Done", owner=people.owner, stage=won, closed_at=timezone.now(), routing_state="assigned")
    page = opened(people.manager)
    assert len({round(one["top"]) for one in boxes(page, ".column-body")}) == 1


def test_all_of_a_card_opens_its_lead(opened, people, leads):
    page = opened(people.owner)
    name = first_card(page).locator("h3").inner_text()
    first_card(page).locator(".owner").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert "/leads/" in page.url


def test_the_ring_of_a_name_goes_around_its_card(opened, people, leads):
    page = opened(people.owner)
    first_card(page).locator("h3 a").focus()
    page.keyboard.press("ArrowDown")
    ring = "card => getComputedStyle(card).outlineStyle"
    assert page.locator("#column-open .card").nth(1).evaluate(ring) == "solid"
    assert first_card(page).evaluate(ring) == "none"


def test_what_is_pressed_on_a_card_is_large_enough_for_a_thumb(opened, people, leads):
    page = opened(people.owner, **TOUCHED)
    for what in (".tick", ".icon-button", ".button"):
        for one in boxes(page, f"#column-open .card {what}"):
            assert min(one["width"], one["height"]) >= 44, what
    button, card = box(first_card(page).locator(".button")), box(first_card(page))
    assert button["width"] < card["width"] / 2


def test_in_a_narrow_window_without_touch_the_tools_of_a_card_are_in_sight(opened, people, leads):
    page = opened(people.owner, viewport=PHONE)
    for what in (".pick", ".icon-button"):
        assert first_card(page).locator(what).evaluate("it => getComputedStyle(it).opacity") == "1"
        assert page.eval_on_selector_all(f".card {what}", "all => all.every((one) => one.checkVisibility())")


# --- With many ---------------------------------------------------------------------------------


@SIZES
def test_the_bar_for_many_takes_the_whole_width_and_covers_neither_cards_nor_notices(opened, people, leads, size):
    page = opened(people.owner, viewport=size)
    expect(page.locator("#bulk")).to_be_hidden()
    before = boxes(page, ".column-head")
    page.locator("#column-open .pick").first.check()
    bar = box(page.locator("#bulk"))
    assert (bar["x"], bar["width"]) == (0, size["width"])
    assert boxes(page, ".column-head") == before
    assert box(page.locator("#board"))["y"] + box(page.locator("#board"))["height"] <= bar["y"] + 1
    page.evaluate("document.dispatchEvent(new CustomEvent('toast', { detail: { text: 'Said', seconds: 99 } }))")
    toast = box(page.locator(".toast"))
    assert toast["y"] + toast["height"] <= bar["y"]
    if size == PHONE:
        assert bar["y"] + bar["height"] <= box(page.get_by_role("navigation", name="Main"))["y"] + 1
    else:
        assert bar["height"] < 60


# --- Filters and views -------------------------------------------------------------------------


@SIZES
def test_the_filters_take_their_room_before_they_have_come_and_what_is_pressed_is_in_sight(
    opened, people, leads, size, axe
):
    page = opened(people.owner, viewport=size)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/filters/**", hold)
    page.get_by_text("Filter", exact=True).click()
    panel = page.locator(".menu-list.filters")
    expect(panel).to_have_class(re.compile("htmx-request"))
    before = box(panel)
    held[0].continue_()
    expect(page.get_by_role("button", name="Show")).to_be_in_viewport(ratio=1)
    assert box(panel) == before
    assert axe(page) == []


def test_what_is_shown_is_kept_as_a_view_which_is_a_tab_until_it_is_forgotten(opened, people, leads):
    page = opened(people.owner, "/board/sales/?who=team&score=40")
    page.get_by_text("Keep as a view").click()
    expect(page.get_by_label("Name of the view")).to_be_focused()
    page.keyboard.type("Hot ones")
    page.get_by_role("button", name="Keep").click()
    tab = page.get_by_role("navigation", name="My views").get_by_role("link", name="Hot ones")
    expect(tab).to_have_attribute("aria-current", "true")
    expect(page.get_by_text("Keep as a view")).to_have_count(0)
    page.get_by_role("link", name="Mine", exact=True).click()
    expect(tab).not_to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Table").click()
    tab.click()
    expect(page).to_have_url(re.compile(r"/table/\?who=team&score=40$"))
    page.get_by_role("button", name="Forget this view").click()
    expect(tab).to_have_count(0)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SIZES
def test_a_board_with_views_chips_and_chosen_cards_is_accessible_and_fits(opened, people, leads, size, scheme, axe):
    pipeline = Pipeline.objects.get(slug="sales")
    for number in range(6):
        name = f"A view with quite a long name {number}"
        SavedView.objects.create(user=people.owner, pipeline=pipeline, name=name, query=f"who=team&score={number}")
    page = opened(people.owner, "/board/sales/?who=team&score=4&q=lohmann&age=30", viewport=size, color_scheme=scheme)
    page.locator("#column-open .pick").first.check()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert axe(page) == []
