"""The leads of a board as rows in a real browser: choosing, summing, sorting, and acting on many, also on a phone."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from pipeline.models import Lead
from tests.browser.pages import DESKTOP, PHONE, SIZES, settled
from tests.distribution.world import make_lead, make_source, win
from tests.pipeline.people import make_people

pytestmark = pytest.mark.usefixtures("never_too_late")

NAMES = ("Ada Lovelace", "Bob Stone", "Cyd Charisse", "Dora Maar")


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def leads(people):
    now, source = timezone.now(), make_source("website-form", name="Website form of the spring campaign")
    made = []
    for number, name in enumerate(NAMES):
        first, last = name.split()
        value = Decimal("1250.50") * number or None
        worth = {"value": value, "value_base": value, "currency": "EUR"} if value else {}
        made.append(
            make_lead(
                first_name=first,
                last_name=last,
                company="Engines and Sons Ltd of Manchester" if number else "",
                owner=people.owner,
                team=people.team,
                routing_state="assigned",
                source=source,
                score=40 + number if number else None,
                respond_by=now + timedelta(hours=number) if number else None,
                **worth,
            )
        )
    win(made[3], actor=people.owner)
    return made


@pytest.fixture
def opened(new_context, sign_in, live_server) -> Callable[..., Page]:
    """Opens the table in a browser of its own, in which somebody has signed in."""

    def open_table(user, size=DESKTOP, query="", **options) -> Page:
        touch = {"has_touch": True, "is_mobile": True} if size == PHONE else {}
        context = new_context(viewport=size, **touch, **options)
        sign_in(user, context)
        page = context.new_page()
        page.goto(f"{live_server.url}/board/sales/table/?who=team{query}")
        return settled(page)

    return open_table


def pick(page: Page, name: str):
    return page.get_by_role("checkbox", name=f"Select {name}")


def bar(page: Page):
    return page.get_by_role("form", name="With the selected leads")


@SIZES
def test_all_of_a_page_are_chosen_at_once_and_summed(opened, people, leads, size):
    page = opened(people.manager, size)
    expect(page.get_by_text("4 leads, worth 7,503 EUR.")).to_be_visible()
    everything = page.get_by_role("checkbox", name="Select all on this page")
    everything.check()
    expect(bar(page)).to_contain_text("4 selected · 7,503 EUR")
    pick(page, "Bob Stone").uncheck()
    expect(bar(page)).to_contain_text("3 selected · 6,252.50 EUR")
    assert everything.evaluate("box => box.indeterminate")
    pick(page, "Bob Stone").check()
    expect(everything).to_be_checked()
    everything.uncheck()
    expect(bar(page)).to_be_hidden()


@SIZES
def test_a_head_sorts_and_says_so(opened, people, leads, size):
    page = opened(people.manager, size)
    names = page.locator("td.name")
    expect(names).to_have_text(["Bob Stone", "Cyd Charisse", "Ada Lovelace", "Dora Maar"])
    head = page.get_by_role("columnheader", name="Next due")
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("columnheader", name="Lead").get_by_role("link").click()
    expect(names).to_have_text(list(NAMES))
    page.get_by_role("columnheader", name="Lead").get_by_role("link").click()
    expect(names).to_have_text(list(NAMES)[::-1])
    expect(page.get_by_role("columnheader", name="Lead")).to_have_attribute("aria-sort", "descending")


@SIZES
def test_a_manager_moves_many_and_puts_them_back(opened, people, leads, size):
    page = opened(people.manager, size)
    for name in NAMES[:2]:
        pick(page, name).check()
    bar(page).get_by_label("Stage").select_option("won")
    bar(page).get_by_role("button", name="Move").click()
    page.get_by_label("Value of each, when won").fill("100")
    page.get_by_role("button", name="Move").click()
    message = page.locator(".messages .message")
    expect(message).to_contain_text("2 moved to “won”.")
    message.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages .message")).to_contain_text("2 put back where they were.")
    assert set(Lead.objects.filter(closed_at=None).values_list("first_name", flat=True)) == {"Ada", "Bob", "Cyd"}


@SIZES
def test_a_manager_gives_many_to_a_person_and_is_told_what_became_of_each(opened, people, leads, size):
    page = opened(people.manager, size)
    page.get_by_role("checkbox", name="Select all on this page").check()
    bar(page).get_by_role("button", name=re.compile("Reassign")).click()
    expect(page.get_by_text("1 more that you chose cannot be reassigned by you")).to_be_visible()
    page.get_by_label("To").select_option("Teammate Person")
    page.get_by_role("button", name="Reassign").click()
    message = page.locator(".messages .message")
    expect(message).to_contain_text("3 given to Teammate Person, 1 not.")
    expect(message).to_contain_text("Dora Maar: Closed, or not yours to pass on.")
    assert message.evaluate("element => getComputedStyle(element.querySelector('bdi')).whiteSpace") == "pre-line"


def test_rows_are_of_one_height(opened, people, leads):
    page = opened(people.manager)
    heights = page.eval_on_selector_all("tbody tr", "rows => rows.map((row) => row.getBoundingClientRect().height)")
    assert max(heights) - min(heights) <= 1, heights
    assert max(heights) < 48


def test_all_columns_fit_on_a_small_screen(opened, people, leads):
    User.objects.filter(pk=people.manager.pk).update(is_superuser=True, is_staff=True)
    now = timezone.now()
    long_ago = {"stage_since": now - timedelta(days=400), "created_at": now - timedelta(days=400)}
    worth = {"value": Decimal("1234567.50"), "value_base": Decimal("1234567.50"), "currency": "EUR"}
    Lead.objects.filter(closed_at=None).update(**worth, **long_ago)
    Lead.objects.update(last_name="Fitzgerald-Montgomery")
    page = opened(people.manager)
    assert page.locator(".leads-scroll").evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_on_a_phone_each_row_is_a_card_that_names_what_it_shows(opened, people, leads):
    page = opened(people.manager, PHONE)
    card = page.get_by_role("row").filter(has_text="Bob Stone")
    expect(card.get_by_role("cell", name="1,250.50 EUR")).to_be_visible()
    labels = card.locator("td[data-label]:visible").evaluate_all("cells => cells.map((cell) => cell.dataset.label)")
    assert labels[:4] == ["Company", "Stage", "Owner", "Value"]
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    for cell in card.locator("td:visible").all():
        box = cell.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_table_is_accessible_also_with_something_chosen(opened, people, leads, axe, size, scheme, tmp_path):
    page = opened(people.manager, size, color_scheme=scheme)
    assert axe(page) == []
    pick(page, "Bob Stone").check()
    assert axe(page) == []
    page.screenshot(path=tmp_path / "table.png")


def test_without_scripts_many_are_moved_and_put_back(new_context, sign_in, live_server, people, leads):
    context = new_context(java_script_enabled=False)
    sign_in(people.manager, context)
    page = context.new_page()
    page.goto(f"{live_server.url}/board/sales/table/?who=team")
    for name in NAMES[:2]:
        pick(page, name).check()
    bar(page).get_by_label("Stage").select_option("lost")
    bar(page).get_by_role("button", name="Move").click()
    reason = page.get_by_label("Why, when lost")
    expect(page.get_by_text("Say why the leads were lost.")).to_be_hidden()
    reason.fill("Too expensive")
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".messages")).to_contain_text("2 moved to “lost”.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_contain_text("2 put back where they were.")
    assert not Lead.objects.filter(stage__kind="lost").exists()
