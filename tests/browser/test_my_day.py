"""My day in a real browser: with keys alone, on a phone with one thumb, light and dark."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from distribution.models import AwayReason, Rep
from pipeline.models import Event, Lead, Task
from tests.browser.pages import DESKTOP, PHONE, SIZES, TOUCHED, go_by, settled, unfold_all
from tests.distribution.world import make_lead, world
from tests.pipeline.people import make_people


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def leads(people):
    """Two new leads of the owner, one that replied, and a task for today."""
    AwayReason.objects.create(name="Lunch", minutes=45)
    world(Rep.objects.get(user=people.owner), team=people.team)
    leads = [make_lead(last_name=name, phone="+442071838750") for name in ("First", "Second", "Third")]
    for lead in leads:
        services.assign_lead(lead.pk)
    services.accept_lead(leads[2].pk, rep=Rep.objects.get(user=people.owner))
    Event.objects.create(lead=leads[2], kind=Event.Kind.REPLIED, data={"channel": "sms", "text": "Yes <b>please</b>"})
    Task.objects.create(lead=leads[2], text="Send the offer", due_at=timezone.now() + timedelta(seconds=1))
    return leads


@pytest.fixture
def my_day(page: Page, live_server, people, leads, sign_in, complaints):
    sign_in(people.owner, page.context)

    def go(size=DESKTOP):
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/my/")
        return settled(page)

    yield go
    assert complaints == []


def test_a_rep_accepts_finishes_and_goes_away_with_keys_alone(my_day, leads, people):
    page = my_day()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-item]").nth(1)).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("You have accepted Second.")
    expect(page.locator(f"#reply-{leads[2].uid}")).to_be_focused()
    assert Lead.objects.get(last_name="First").accepted_at is None
    for _ in range(3):
        page.keyboard.press("j")
    go_by(page, "d")
    expect(page.get_by_role("heading", name="What is next for Third?")).to_be_in_viewport()
    page.get_by_role("link", name="Nothing").focus()
    go_by(page, "Enter")
    go_by(page, "w")
    expect(page.locator(".state.large")).to_contain_text("Away: Lunch until")
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    go_by(page, "w")
    expect(page.locator(".state.large")).to_contain_text("Available")
    go_by(page, "f")
    expect(page.get_by_role("heading", name="My fairness")).to_be_visible()


@pytest.mark.parametrize("steps", [0, 3], ids=["no focus, so the first line", "a reply"])
def test_a_key_does_nothing_where_its_line_has_no_such_action(my_day, leads, steps):
    page = my_day()
    for _ in range(steps):
        page.keyboard.press("j")
    page.keyboard.press("d")
    page.keyboard.press("?")  # answered after the key before it
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    go_by(page, "o")  # what the key before led to would have taken the place of this page
    expect(page.get_by_role("heading", name="First" if steps == 0 else "Third")).to_be_visible()
    assert Task.objects.get().ended_at is None


@SIZES
def test_a_key_opens_the_form_of_the_lead_in_focus(my_day, leads, size):
    page = my_day(size)
    page.keyboard.press("k")
    page.keyboard.press("k")  # from the end: the task, then the reply
    go_by(page, "l")
    expect(page.get_by_role("heading", name="Third")).to_be_visible()
    expect(page.get_by_label("What came of it")).to_be_visible()


def test_the_keys_are_shown_and_do_nothing_while_somebody_types(my_day, leads):
    page = my_day()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Accept the lead")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.get_by_text("Away for another reason").click()
    page.get_by_label("Reason").fill("")
    page.get_by_label("Reason").press_sequentially("wadf")
    expect(page.get_by_label("Reason")).to_have_value("wadf")
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    assert Lead.objects.filter(accepted_at=None).count() == 2


def test_keys_are_offered_only_where_there_are_some(my_day, leads, new_context, sign_in, people, live_server):
    expect(my_day().get_by_role("button", name="Keys")).to_be_visible()
    context = new_context(**TOUCHED)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(live_server.url + "/my/")
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    expect(page.get_by_role("button", name="Keys")).to_be_hidden()


@SIZES
def test_a_task_leads_to_the_next_on_the_same_page(my_day, leads, size):
    page = my_day(size)
    page.get_by_role("button", name=re.compile("Done.*Send the offer")).click()
    expect(page.get_by_role("heading", name="What is next for Third?")).to_be_in_viewport()
    expect(page.locator(".messages", has_text="Done: Send the offer.")).to_be_in_viewport(ratio=1)
    with page.expect_navigation():
        page.get_by_role("button", name="Call again in 3 days").click()
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    page.get_by_text("Coming up").click()
    expect(page.locator(".line .text", has_text="Call again")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SIZES
def test_both_pages_are_accessible_and_fit(my_day, leads, axe, live_server, people, size, scheme):
    long = {"first_name": "W" * 100, "last_name": "<img src=x onerror=alert(1)>", "company": "شركة القاهرة " * 15}
    Lead.objects.filter(pk=leads[0].pk).update(**long)
    Task.objects.create(lead=leads[0], text="👩‍👩‍👧‍👦" * 12, due_at=timezone.now() - timedelta(days=2))
    page = my_day(size)
    page.emulate_media(color_scheme=scheme)
    for path in ("/my/", "/my/fairness/"):
        page.goto(live_server.url + path)
        unfold_all(page)
        assert (path, axe(page)) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
    expect(page.locator("svg.plot polyline")).to_have_count(3)


def test_what_is_pressed_is_large_enough_for_a_thumb(my_day, leads):
    page = my_day(PHONE)
    heights = page.eval_on_selector_all(".line .button", "all => all.map((one) => one.getBoundingClientRect().height)")
    assert heights
    assert min(heights) >= 44
