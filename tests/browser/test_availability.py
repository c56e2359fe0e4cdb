"""Who is there, in a real browser: a rep's own page, with and without scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution.models import AwayReason, LeaveCalendar, Rep
from distribution.services.availability import plan_leave
from tests.distribution.world import stages
from tests.pipeline.people import make_people

SIZES = pytest.mark.parametrize(
    "size", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}], ids=["desktop", "phone"]
)


@pytest.fixture
def people():
    people = make_people()
    stages()
    AwayReason.objects.create(name="Lunch", minutes=45)
    Rep.objects.create(user=people.manager, name="Manager Person")
    return people


@SIZES
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
def test_a_rep_goes_to_lunch_comes_back_and_plans_leave(live_server, new_context, people, sign_in, size, scripts):
    context = new_context(java_script_enabled=scripts, viewport=size)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(live_server.url + "/board/")
    page.get_by_role("link", name="Your status: Available").click()
    page.get_by_role("button", name="Lunch").click()
    expect(page.locator(".state.large")).to_contain_text("Away: Lunch until")
    page.get_by_role("button", name="I am back").click()
    expect(page.locator(".state.large")).to_have_text("Available")
    page.get_by_text("Plan leave").click()
    page.get_by_label("From").fill((timezone.now() + timedelta(days=9)).strftime("%Y-%m-%d"))
    page.get_by_role("button", name="Plan this leave").click()
    expect(page.locator(".leaves li")).to_have_count(1)
    page.get_by_role("button", name="Cancel leave").click()
    expect(page.locator(".leaves .badge")).to_have_text("cancelled")


def test_a_date_that_was_picked_is_told_as_pages_tell_dates(live_server, page: Page, people, sign_in):
    sign_in(people.owner, page.context)
    page.goto(live_server.url + "/my/availability/")
    page.get_by_text("Plan leave").click()
    page.get_by_label("From").fill("2031-03-02")
    expect(page.get_by_text("Sun 2 Mar 2031")).to_be_visible()
    page.get_by_label("From").fill("")
    expect(page.get_by_text("Sun 2 Mar 2031")).to_have_count(0)
    page.get_by_text("Away for another reason").click()
    page.get_by_label("Until").first.fill("2031-09-30T14:05")
    expect(page.get_by_text("Tue 30 Sep 2031, 14:05")).to_be_visible()


def test_what_came_of_reading_a_calendar_appears_by_itself_with_the_leave(live_server, page: Page, people, sign_in):
    rep = Rep.objects.get(user=people.owner)
    calendar = LeaveCalendar.objects.create(rep=rep, url="https://calendar.example/a.ics")
    sign_in(people.owner, page.context)
    page.goto(live_server.url + "/my/availability/")
    page.get_by_role("button", name="Read it now").click()
    box = page.locator("section[aria-labelledby=calendar]")
    expect(box.get_by_role("status")).to_contain_text("It is being read.")
    page.get_by_text("Another address").click()
    box.get_by_label("Address").fill("half typed")
    starts_at = timezone.now() + timedelta(days=9)
    plan_leave(rep, actor=None, calendar_uid="a", starts_at=starts_at, ends_at=starts_at + timedelta(days=2))
    LeaveCalendar.objects.filter(pk=calendar.pk).update(
        asked_at=None, read_at=timezone.now(), result="1 new, 0 changed, 0 gone"
    )
    expect(box.get_by_role("status")).to_contain_text("1 new, 0 changed, 0 gone")
    expect(page.locator("#leave-list li")).to_contain_text("From a calendar on the web")
    expect(box.get_by_label("Address")).to_have_value("half typed")
