"""The board, a lead and its decision in a real browser: without a mouse, on a phone, light and dark."""

import re

import pytest
from playwright.sync_api import Page, expect

from distribution import services
from pipeline.models import Lead
from tests.browser.pages import DESKTOP, PHONE, go_by, settled, without_news
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    """A lead of the owner with a long reason, and enough other leads for a second helping."""
    pool = make_pool("DACH", people.owner.rep, make_rep("Cyd", status="away", away_reason="on leave"), team=people.team)
    rules = make_rule_set(pool=pool)
    for number in range(6):
        make_rule(rules, f"Not this one {number}", ("city", "is", "Nowhere"), pool=pool)
    make_rule(rules, "Everything from the German-speaking countries", pool=pool)
    publish(rules)
    for number in range(30):
        make_lead(last_name=f"Waiting {number}", team=people.team, routing_state="unassigned")
    lead = make_lead(first_name="Ada", last_name="Lovelace", company="Engines Ltd", email="ada@engines.example")
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    return lead


@pytest.fixture
def owners_page(page: Page, sign_in, people):
    """A browser in which the owner has signed in."""
    sign_in(people.owner, page.context)
    return page


def test_a_rep_signs_in_and_accepts_a_lead_with_the_keyboard_alone(live_server, page: Page, lead, complaints):
    page.goto(live_server.url)
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("owner")
    page.keyboard.press("Tab")
    page.keyboard.type("secret")
    go_by(page, "Enter")
    expect(page).to_have_url(re.compile("/board/"))
    accept = page.get_by_role("button", name="Accept Ada Lovelace")
    for _ in range(30):
        page.keyboard.press("Tab")
        if accept.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_text("You have accepted Ada Lovelace.")
    expect(page.locator(f"#lead-{lead.uid} .badge")).to_have_text("Accepted")
    assert Lead.objects.get(pk=lead.pk).accepted_at
    assert complaints == []


def test_the_first_tab_skips_to_the_content(live_server, owners_page: Page, lead):
    owners_page.goto(live_server.url + "/board/")
    owners_page.keyboard.press("Tab")
    expect(owners_page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    owners_page.keyboard.press("Enter")
    expect(owners_page.locator("main")).to_be_focused()


def test_the_next_cards_come_when_one_scrolls_to_them(live_server, owners_page: Page, lead, complaints):
    owners_page.goto(live_server.url + "/board/")
    expect(owners_page.locator(".card")).to_have_count(20)
    owners_page.get_by_role("link", name="Show more").scroll_into_view_if_needed()
    expect(owners_page.locator(".card")).to_have_count(31)
    expect(owners_page).to_have_url(live_server.url + "/board/")
    assert complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_board_fits_the_window_and_each_column_scrolls_by_itself(live_server, owners_page: Page, lead, size):
    owners_page.set_viewport_size(size)
    owners_page.goto(live_server.url + "/board/")
    settled(owners_page)
    scroller = owners_page.locator("#column-open .column-body")
    owners_page.locator("#column-open .card").last.scroll_into_view_if_needed()
    assert scroller.evaluate("body => body.scrollTop") > 1000
    for part in (owners_page.locator("header"), owners_page.get_by_role("heading", name="Open")):
        expect(part).to_be_in_viewport()
    for page in ("document.documentElement", "document.querySelector('main')"):
        assert owners_page.evaluate(f"{page}.scrollHeight - {page}.clientHeight") <= 0


def test_in_a_low_window_the_page_scrolls_as_a_whole(live_server, owners_page: Page, lead):
    owners_page.set_viewport_size({"width": 844, "height": 390})
    owners_page.goto(live_server.url + "/board/")
    owners_page.locator(".card").last.scroll_into_view_if_needed()
    assert owners_page.evaluate("window.scrollY") > 1000


def test_a_column_that_grows_stays_where_it_was_scrolled_to(live_server, owners_page: Page, lead):
    owners_page.goto(live_server.url + "/board/")
    settled(owners_page)
    owners_page.get_by_role("link", name="Show more").scroll_into_view_if_needed()
    before = owners_page.locator("#column-open .column-body").evaluate("body => body.scrollTop")
    expect(owners_page.locator(".card")).to_have_count(31)
    assert owners_page.locator("#column-open .column-body").evaluate("body => body.scrollTop") == before


def test_without_scripts_everything_is_reached_by_links(live_server, new_context, people, lead, sign_in):
    context = new_context(java_script_enabled=False)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(live_server.url + "/board/")
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".card")).to_have_count(11)
    page.get_by_role("link", name="Back to the board").click()
    page.get_by_role("link", name="Ada Lovelace", exact=True).click()
    page.get_by_role("link", name="How this lead was routed").click()
    expect(page.get_by_text(lead.routing_sentence)).to_be_visible()
    page.get_by_role("link", name="Back to the lead").click()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".messages")).to_contain_text("You have accepted")


def test_the_lead_page_fills_in_why_it_went_where_it_went(live_server, owners_page: Page, lead, complaints):
    owners_page.goto(f"{live_server.url}/leads/{lead.uid}/")
    panel = owners_page.locator("#decision")
    panel.get_by_text("The rules, and everyone who was considered").click()
    expect(panel.get_by_role("row", name=re.compile("Owner Person Gets it"))).to_be_visible()
    expect(panel.get_by_text("Not this one 3")).to_be_hidden()
    panel.get_by_text("Rules 1 to 6 did not match").click()
    expect(panel.get_by_text("Not this one 3")).to_be_visible()
    assert complaints == []


def test_when_the_server_is_gone_the_page_says_so(live_server, owners_page: Page, lead):
    owners_page.goto(live_server.url + "/board/")
    owners_page.route("**/board/**", lambda route: route.abort())
    owners_page.get_by_role("link", name="Add lead").click()
    expect(owners_page.get_by_role("alert")).to_have_text(re.compile("cannot be reached"))


def test_when_the_session_has_ended_the_whole_page_goes_to_the_sign_in_and_comes_back(
    live_server, owners_page: Page, lead
):
    without_news(owners_page)  # or this goes to the sign-in first
    owners_page.goto(live_server.url + "/board/sales/?who=team")
    settled(owners_page)
    owners_page.context.clear_cookies()
    owners_page.get_by_role("link", name="Add lead").click()
    expect(owners_page).to_have_url(re.compile(r"/login/\?next="))
    owners_page.get_by_label("Username").fill("owner")
    owners_page.get_by_label("Password").fill("secret")
    owners_page.get_by_role("button", name="Sign in").click()
    expect(owners_page).to_have_url(live_server.url + "/board/sales/?who=team")


def test_when_the_token_of_a_page_has_expired_that_is_said_and_nothing_is_done(live_server, owners_page: Page, lead):
    page = owners_page
    without_news(page)
    page.goto(f"{live_server.url}/board/sales/?who=team")
    settled(page)
    page.context.clear_cookies(name="csrftoken")
    page.locator(f"#lead-{lead.uid}").hover()
    page.get_by_label("Select Ada Lovelace").check()
    bar = page.get_by_role("form", name="With the selected leads")
    bar.get_by_label("Stage").select_option(value="won")
    bar.get_by_role("button", name="Move").click()
    expect(page.get_by_role("alert")).to_contain_text("This page has expired. Reload it")
    page.goto(f"{live_server.url}/leads/{lead.uid}/")
    settled(page)
    page.context.clear_cookies(name="csrftoken")
    page.get_by_label("Note", exact=True).fill("Lost")
    page.get_by_role("button", name="Add this note").click()
    expect(page.get_by_role("alert")).to_contain_text("This page has expired. Reload it")
    page.get_by_role("button", name="Accept").click()  # a whole page
    expect(page.get_by_role("heading", name="This form has expired")).to_be_visible()
    lead.refresh_from_db()
    assert (lead.accepted_at, lead.stage.slug, lead.events.filter(kind="noted").count()) == (None, "open", 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible_also_with_an_error(live_server, page: Page, axe, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(live_server.url + "/login/")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("correct username and password")
    assert axe(page) == []


def test_moments_are_told_in_the_zone_of_the_browser(live_server, new_context, people, lead):
    context = new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(live_server.url)
    page.get_by_label("Username").fill("owner")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(f"#lead-{lead.uid} time")).to_have_attribute("title", re.compile("JST$"))
