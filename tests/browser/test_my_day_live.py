"""My day while it is open: what others do appears by itself, and what the reader is at stays."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from distribution.models import Rep
from pipeline.models import Event, Lead
from pipeline.services.tasks import TaskTerms, add_task
from tests.browser.pages import COUNTED, SIZES, settled
from tests.distribution.world import make_lead, world
from tests.pipeline.people import make_people

LIT = re.compile("changed")


@pytest.fixture
def people():
    people = make_people()
    world(Rep.objects.get(user=people.owner), team=people.team)
    return people


@pytest.fixture
def lead(people):
    return arrives("First")


@pytest.fixture
def my_day(page: Page, live_server, people, lead, sign_in, complaints):
    sign_in(people.owner, page.context)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{live_server.url}/my/")
    yield settled(page)
    assert complaints == []


@pytest.fixture
def manager(new_context, people, sign_in):
    """The page of the manager, in a browser of its own."""
    context = new_context()
    sign_in(people.manager, context)
    return context.new_page()


def arrives(name, **more):
    """A lead comes in, and the rules give it to the owner."""
    lead = make_lead(last_name=name, email=f"{name}@{name}.example", **more)
    services.assign_lead(lead.pk)
    return lead


def line(page, prefix, one):
    return page.locator(f"#{prefix}-{one}")


def test_new_leads_replies_and_tasks_appear_by_themselves_and_are_lit_up(my_day, people, lead):
    second = arrives("Second")
    new = line(my_day, "lead", second.uid)
    expect(new).to_be_visible()
    expect(new).to_have_class(LIT)
    expect(line(my_day, "lead", lead.uid)).not_to_have_class(LIT)
    expect(my_day.locator("#said")).to_have_text("New on your day: Second.")
    Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, data={"channel": "sms", "text": "Yes <b>please</b>"})
    expect(line(my_day, "reply", lead.uid)).to_have_class(LIT)
    expect(my_day.get_by_text("Yes <b>please</b>")).to_be_visible()
    asks = TaskTerms("Send the offer", timezone.now() + timedelta(seconds=1))
    task = add_task(lead, asks, actor=people.manager)
    expect(line(my_day, "task", task.pk)).to_have_class(LIT)


def test_it_takes_three_seconds_at_most(page, live_server, people, lead, sign_in):
    sign_in(people.owner, page.context)
    page.add_init_script(COUNTED)
    page.clock.install()
    page.goto(f"{live_server.url}/my/")
    page.clock.pause_at(timezone.now() + timedelta(hours=1))
    # It asked at once and was answered, and so it waits to ask again.
    expect(page.locator("html")).to_have_attribute("data-unanswered", "0")
    second = arrives("Second")
    page.clock.run_for(3000)
    expect(line(page, "lead", second.uid)).to_be_visible()


def test_what_a_manager_gives_and_takes_in_another_browser_comes_and_goes(my_day, people, lead, manager):
    manager.goto(f"{my_day.url.removesuffix('/my/')}/leads/{lead.uid}/pass-on/ways/")
    manager.get_by_label("To").select_option("Teammate Person")
    manager.get_by_role("button", name="Pass it on").click()
    expect(manager.locator(".messages")).to_contain_text("First was passed on.")
    expect(line(my_day, "lead", lead.uid)).to_have_count(0)
    expect(my_day.get_by_text("Nothing waits for you")).to_be_visible()
    manager.goto(f"{my_day.url.removesuffix('/my/')}/leads/{lead.uid}/pass-on/ways/")
    manager.get_by_label("To").select_option("Owner Person")
    manager.get_by_role("button", name="Pass it on").click()
    expect(line(my_day, "lead", lead.uid)).to_have_class(LIT)


def test_focus_open_folds_scroll_and_typed_text_stay(my_day, people, lead):
    for number in range(12):
        arrives(f"Filler{number}")
    expect(my_day.locator("[data-item]")).to_have_count(13)
    my_day.get_by_text("Away for another reason").click()
    reason = my_day.get_by_label("Reason")
    reason.fill("Dentist")
    focused = line(my_day, "lead", lead.uid).get_by_role("link", name="First", exact=True)
    focused.focus()
    my_day.evaluate("window.scrollTo(0, 200)")
    latest = arrives("Latest")
    expect(line(my_day, "lead", latest.uid)).to_be_attached()
    expect(focused).to_be_focused()
    expect(reason).to_be_visible()
    expect(reason).to_have_value("Dentist")
    assert my_day.evaluate("window.scrollY") > 0


def test_a_part_that_was_loaded_stays_loaded_and_works(my_day, people):
    type(people.owner).objects.filter(pk=people.owner.pk).update(email="owner@sales.example")
    my_day.reload()
    test = my_day.get_by_role("button", name="Test E-mail")
    expect(test).to_be_visible()
    latest = arrives("Latest")
    expect(line(my_day, "lead", latest.uid)).to_be_attached()
    test.click()
    expect(my_day.locator(".messages")).to_contain_text("A test by E-mail is on its way.")
    expect(my_day.get_by_role("heading", name="My day")).to_be_visible()


def test_typing_goes_on_while_something_comes_in(my_day, people):
    my_day.get_by_text("Away for another reason").click()
    reason = my_day.get_by_label("Reason")
    reason.press_sequentially("Den")
    latest = arrives("Latest")
    expect(line(my_day, "lead", latest.uid)).to_be_attached()
    my_day.keyboard.type("tist")
    expect(reason).to_have_value("Dentist")


def test_who_stood_on_a_line_that_goes_stands_on_the_one_in_its_place(my_day, people, lead):
    second = arrives("Second")
    expect(line(my_day, "lead", second.uid)).to_be_visible()
    line(my_day, "lead", lead.uid).focus()
    services.reassign_lead(lead.pk, to=Rep.objects.get(user=people.teammate), actor=people.manager)
    expect(line(my_day, "lead", second.uid)).to_be_focused()


def test_a_new_line_is_worked_with_keys_and_buttons_as_the_others_are(my_day, people, lead):
    Lead.objects.filter(pk=lead.pk).update(accepted_at=timezone.now())
    second = arrives("Second")
    expect(line(my_day, "lead", second.uid)).to_be_visible()
    my_day.keyboard.press("j")
    my_day.keyboard.press("a")
    expect(my_day.locator("#toasts")).to_contain_text("You have accepted Second.")
    expect(my_day.get_by_role("heading", name="My day")).to_be_visible()


@SIZES
@pytest.mark.parametrize("by", ["key", "press"])
def test_who_accepts_a_lead_stays_where_they_are_and_goes_on_with_the_next(my_day, people, size, by):
    my_day.set_viewport_size(size)
    for number in range(12):
        arrives(f"Filler{number}")
    my_day.reload()
    lines = settled(my_day).locator("[aria-labelledby=to-accept] [data-item]")
    expect(lines).to_have_count(13)
    line, following = lines.nth(6), lines.nth(7)
    line.focus()
    name, at = following.get_attribute("id"), line.bounding_box()
    if by == "key":
        my_day.keyboard.press("a")
    else:
        line.get_by_role("button", name="Accept").click()
        at = line.bounding_box() or at
    expect(lines).to_have_count(12)
    comes = my_day.locator(f"#{name}")
    expect(comes).to_be_focused()
    expect(comes).to_be_in_viewport()
    assert abs(comes.bounding_box()["y"] - at["y"]) < 3
    expect(my_day.locator("#toasts")).to_contain_text("You have accepted")


def test_after_a_gap_in_the_network_the_day_catches_up(page, live_server, people, lead, sign_in):
    sign_in(people.owner, page.context)
    page.goto(f"{live_server.url}/my/")
    settled(page)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline")).to_be_visible()
    second = arrives("Second")
    page.context.set_offline(False)
    expect(line(page, "lead", second.uid)).to_be_visible()
    expect(page.get_by_text("Offline")).to_be_hidden()
