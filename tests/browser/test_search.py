"""The search box in the head of every page, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from pipeline.models import Lead
from tests.browser.pages import DESKTOP, PHONE, go_by, settled
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people


@pytest.fixture
def reader(page: Page, sign_in):
    people = make_people()
    for last_name in ("Lovelace", "Lovell", "Byron"):
        make_lead(first_name="Ada", last_name=last_name, company="Engines Ltd", team=people.team)
    sign_in(people.owner, page.context)
    return page


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_leads_appear_while_one_types_and_are_reached_by_the_keyboard(live_server, reader: Page, size, axe):
    reader.set_viewport_size(size)
    reader.goto(f"{live_server.url}/board/")
    settled(reader)
    reader.keyboard.press("/")
    with reader.expect_response(re.compile("=Lovlace$")):
        reader.keyboard.type("Lovlace")
    found = reader.locator("#found-now")
    expect(found.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    assert axe(reader) == []
    width = reader.evaluate("document.documentElement.scrollWidth")
    assert width == size["width"]
    reader.keyboard.press("ArrowDown")
    go_by(reader, "Enter")
    expect(reader.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_list_ends_with_the_way_to_more(live_server, reader: Page, size, axe):
    team = Lead.objects.latest("pk").team
    for number in range(31):
        make_lead(first_name="Konrad", last_name=f"Zuse{number}", team=team)
    reader.set_viewport_size(size)
    reader.goto(f"{live_server.url}/board/")
    settled(reader).get_by_role("searchbox").fill("Zuse")
    links = reader.locator("#found-now").get_by_role("link")
    expect(links).to_have_count(7)
    expect(links.last).to_have_text("More hits")
    assert axe(reader) == []
    reader.keyboard.press("ArrowUp")
    expect(links.last).to_be_focused()
    go_by(reader, "Enter")
    expect(reader.get_by_role("main").get_by_role("listitem")).to_have_count(30)
    expect(reader.get_by_text("The first 30. Type more to narrow it.")).to_be_visible()
    assert axe(reader) == []


def test_who_is_in_the_list_when_a_better_answer_comes_goes_on_in_it(live_server, reader: Page):
    reader.goto(f"{live_server.url}/board/")
    reader.get_by_role("searchbox").fill("Lov")
    found = reader.locator("#found-now").get_by_role("link")
    expect(found).to_have_count(2)
    late = []

    def hold(route: Route) -> None:
        late.append(route)

    reader.route("**/*q=Lovelace", hold)
    with reader.expect_request("**/*q=Lovelace"):
        reader.get_by_role("searchbox").press_sequentially("elace")
    reader.keyboard.press("ArrowDown")
    expect(found.first).to_be_focused()
    with reader.expect_response("**/*q=Lovelace"):
        late[0].continue_()
    settled(reader)
    expect(found.first).to_be_focused()


def test_escape_closes_the_list(live_server, reader: Page):
    reader.goto(f"{live_server.url}/board/")
    reader.get_by_role("searchbox").fill("Byron")
    expect(reader.locator("#found-now").get_by_text("Ada Byron")).to_be_visible()
    reader.keyboard.press("Escape")
    expect(reader.locator("#found-now")).to_be_hidden()


def test_enter_goes_to_the_page_of_all_that_was_found(live_server, reader: Page, axe):
    reader.goto(f"{live_server.url}/board/")
    reader.get_by_role("searchbox").fill("Engines")
    go_by(reader, "Enter")
    expect(reader.get_by_role("main").get_by_role("listitem")).to_have_count(3)
    assert axe(reader) == []


@pytest.mark.parametrize("width", [390, 700])
def test_what_was_found_fits_a_narrow_screen(live_server, reader: Page, width):
    reader.set_viewport_size({"width": width, "height": 844})
    reader.goto(f"{live_server.url}/board/")
    settled(reader).get_by_role("searchbox").fill("Lov")
    found = reader.locator("#found-now")
    expect(found.get_by_role("link")).to_have_count(2)
    box = found.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
