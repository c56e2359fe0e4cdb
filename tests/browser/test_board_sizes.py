"""The flows of the board on a phone as on a laptop; what only a laptop shows is in ``test_board_live.py``."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from pipeline.models import Lead, Pipeline, SavedView, Stage
from pipeline.services.moving import move_on
from tests.browser.pages import (
    COUNTED,
    DESKTOP,
    PHONE,
    SIZES,
    TOUCHED,
    Finger,
    card,
    in_column,
    middle_of,
    take,
    without_news,
)
from tests.distribution.world import add_stages
from tests.pipeline.people import make_people, owned


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    add_stages("talks", "offer")
    return owned(people, first_name="Ada", last_name="Lovelace")


def ask_to_send(page: Page, lead: Lead, slug: str) -> Locator:
    """Say in the dialog where a card shall go, as one does where the column is not in sight; returns the button."""
    card(page, lead).get_by_role("link", name=f"Move {lead}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Stage").select_option(value=slug)
    return dialog.get_by_role("button", name="Move")


def send(page: Page, lead: Lead, slug: str) -> Locator:
    """Move a card by the dialog, which is returned."""
    ask_to_send(page, lead, slug).click()
    return page.get_by_role("dialog")


# --- Together on phones ----------------------------------------------------------------------------


def test_two_on_phones_see_what_the_other_does_also_after_a_gap_and_only_one_of_two_moves_counts(opened, people, lead):
    first, second = (opened(user, viewport=PHONE) for user in (people.owner, people.manager))
    send(first, lead, "talks")
    expect(first.locator("#said, #toasts").filter(has_text="Talks").first).to_be_attached()
    expect(in_column(second, lead, "talks")).to_be_attached()
    expect(card(second, lead)).to_have_class(re.compile("changed"))
    second.context.set_offline(True)
    expect(second.get_by_text("Offline")).to_be_visible()
    send(first, lead, "open")
    expect(in_column(first, lead, "open")).to_be_attached()
    expect(in_column(second, lead, "talks")).to_be_attached()
    second.context.set_offline(False)
    expect(in_column(second, lead, "open")).to_be_attached()
    expect(second.get_by_text("Offline")).to_be_hidden()
    without_news(second)
    too_late = ask_to_send(second, lead, "offer")
    send(first, lead, "talks")
    expect(in_column(first, lead, "talks")).to_be_attached()
    too_late.click()
    expect(second.get_by_role("alert")).to_contain_text("Somebody else changed this lead meanwhile")
    expect(in_column(second, lead, "talks")).to_be_attached()
    assert Lead.objects.get(pk=lead.pk).stage.slug == "talks"


@SIZES
def test_a_board_shows_within_three_seconds_what_others_do(page: Page, live_server, sign_in, people, lead, size):
    sign_in(people.manager, page.context)
    page.set_viewport_size(size)
    page.add_init_script(COUNTED)
    page.clock.install()
    page.goto(f"{live_server.url}/board/sales/?who=team")
    expect(page.locator("html.scripted")).to_be_attached()
    page.clock.pause_at(timezone.now() + timedelta(hours=1))
    expect(page.locator("html")).to_have_attribute("data-unanswered", "0")
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    page.clock.run_for(3000)
    expect(in_column(page, lead, "talks")).to_be_attached()


# --- With keys ---------------------------------------------------------------------------------------


def test_on_a_phone_with_a_keyboard_a_card_is_moved_lost_and_fetched_back(opened, people, lead):
    page = opened(people.owner, viewport=PHONE)
    name = card(page, lead).get_by_role("link", name="Ada Lovelace", exact=True)
    name.focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#said")).to_contain_text("Ada Lovelace is in Talks, 1 of 1 shown.")
    expect(name).to_be_focused()
    expect(card(page, lead)).to_be_in_viewport()
    dialog = send(page, lead, "lost")
    expect(dialog.get_by_text("Say why the lead was lost.")).to_be_visible()
    expect(dialog.get_by_label("Why, when lost")).to_be_focused()
    page.keyboard.type("Too dear")
    page.keyboard.press("Enter")
    expect(in_column(page, lead, "lost")).to_be_attached()
    page.get_by_role("button", name="Undo").last.click()
    expect(in_column(page, lead, "talks")).to_be_attached()


# --- By hand within a column -----------------------------------------------------------------------


@pytest.fixture
def by_hand(people, lead):
    """The titles of a column that is sorted by hand: Cyd, Bob, Ada Lovelace."""
    Pipeline.objects.update(sorted_by_hand=True)
    return [lead, owned(people, last_name="Bob"), owned(people, last_name="Cyd")]


def titles(page: Page) -> Locator:
    return page.locator("#column-open .card h3")


SORTED = ["Cyd", "Ada Lovelace", "Bob"]


def test_a_card_is_dragged_within_its_column_by_mouse(opened, people, by_hand):
    page = opened(people.owner, viewport=DESKTOP)
    take(card(page, by_hand[0]).locator(".owner"))
    x, y = middle_of(card(page, by_hand[1]))
    page.mouse.move(x, y, steps=15)
    expect(titles(page)).to_have_text(SORTED)
    page.mouse.up()
    expect(page.locator("#said")).to_contain_text("2 of 3 shown")
    page.reload()
    expect(titles(page)).to_have_text(SORTED)


def test_a_card_is_dragged_within_its_column_by_a_finger(opened, people, by_hand):
    page = opened(people.owner, **TOUCHED)
    target = middle_of(card(page, by_hand[1]))
    finger = Finger(page, card(page, by_hand[0]))
    finger.move(*target)
    expect(titles(page)).to_have_text(SORTED)
    finger.let_go(in_column(page, by_hand[0], "open"))
    expect(page.locator("#said")).to_contain_text("2 of 3 shown")


# --- Adding, narrowing, keeping --------------------------------------------------------------------


@SIZES
def test_a_lead_is_added_found_by_a_filter_and_the_filter_kept(opened, people, lead, complaints, size):
    page = opened(people.owner, viewport=size)
    page.get_by_role("link", name="Add lead").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("First name")).to_be_focused()
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Say who it is")
    dialog.get_by_label("Last name").fill("Babbage")
    dialog.get_by_role("button", name="Add").click()
    expect(page.locator("#toasts")).to_contain_text("Babbage was added")
    expect(dialog).to_be_hidden()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Text").fill("Lovelace")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".card h3")).to_have_text(["Ada Lovelace"])
    page.locator("summary", has_text="Keep").click()
    page.get_by_label("Name of the view").fill("Only Ada")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".messages")).to_contain_text("“Only Ada” is kept among your views.")
    assert SavedView.objects.get().query.endswith("q=Lovelace")
