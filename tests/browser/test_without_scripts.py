"""All that people do, in a browser without scripts: by links and forms alone."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from distribution.models import AwayReason, Rep
from pipeline.models import Lead, Task
from tests.browser.pages import log_contact
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import add_stages, make_lead
from tests.pipeline.people import make_people

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    """A lead that the engine gave to the owner; another one is offered to both reps."""
    AwayReason.objects.create(name="Lunch", minutes=45)
    add_stages("talks")
    owner, teammate = (Rep.objects.get(user=user) for user in (people.owner, people.teammate))
    rules = make_rule_set(pool=make_pool("Rest", owner, team=people.team))
    offers = make_pool("Offers", owner, teammate, method="claim", team=people.team)
    make_rule(rules, "Offers", ("city", "is", "Vienna"), pool=offers)
    make_rule(rules, "All else", pool=make_pool("Sales", owner, team=people.team))
    publish(rules)
    lead = make_lead(first_name="Ada", last_name="Lovelace", email="ada@engines.example")
    services.assign_lead(lead.pk)
    services.assign_lead(make_lead(last_name="Byron", city="Vienna", email="byron@vienna.example").pk)
    return Lead.objects.get(pk=lead.pk)


@pytest.fixture
def opened(new_context, sign_in, live_server):
    """Opens a page for somebody in a browser without scripts."""

    def open_page(user, path: str, **options) -> Page:
        context = new_context(**{"viewport": PHONE, "java_script_enabled": False, **options})
        sign_in(user, context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    return open_page


def said(page: Page, words: str) -> None:
    expect(page.locator(".messages")).to_contain_text(words)


def stage_of(lead: Lead) -> str:
    return Lead.objects.get(pk=lead.pk).stage.slug


def move(page: Page, slug: str, label: str = "", text: str = "") -> None:
    """Move Ada's card by the form behind its link."""
    page.get_by_role("link", name="Move Ada Lovelace").click()
    page.get_by_label("Stage").select_option(value=slug)
    if label:
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Move").click()


def to_team(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Team").click()


def test_a_rep_works_a_board(opened, people, lead):
    page = opened(people.owner, "/board/sales/?who=mine")
    page.get_by_role("button", name="Accept Ada Lovelace").click()
    said(page, "You have accepted Ada Lovelace.")
    move(page, "talks")
    said(page, "Ada Lovelace is in “Talks” now.")
    assert stage_of(lead) == "talks"
    page.get_by_role("button", name="Undo").click()
    said(page, "Ada Lovelace is back in “open”.")
    move(page, "lost")
    expect(page.get_by_text("Say why the lead was lost.")).to_be_visible()
    page.get_by_label("Why, when lost").fill("Too dear")
    page.get_by_role("button", name="Move").click()
    said(page, "Ada Lovelace is in “lost” now.")
    page.get_by_role("button", name="Undo").click()
    move(page, "won", "Value, when won", "5000")
    said(page, "Ada Lovelace is in “won” now.")
    assert stage_of(lead) == "won"
    page.goto(re.sub("/board/.*", "/offers/", page.url))
    page.get_by_role("button", name=re.compile("Take it.*Byron")).click()
    said(page, "Byron is yours.")


def test_a_rep_adds_filters_keeps_and_finds(opened, people, lead):
    page = opened(people.owner, "/board/sales/?who=mine")
    page.get_by_role("link", name="Add lead").click()
    page.get_by_label("Last name").fill("Babbage")
    page.get_by_label("Company").fill("Engines Ltd")
    page.get_by_role("button", name="Add").click()
    said(page, "Babbage was added")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("link", name="Filters", exact=True).click()
    page.get_by_label("Text", exact=True).fill("Lovelace")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#board .card h3")).to_have_text(["Ada Lovelace"])
    page.locator("summary", has_text="Keep").click()
    page.get_by_label("Name of the view").fill("Only Ada")
    page.get_by_role("button", name="Keep").click()
    said(page, "“Only Ada” is kept among your views.")
    page.get_by_role("link", name="Table").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Select Ada Lovelace").check()
    page.get_by_label("Stage", exact=True).select_option(value="talks")
    page.get_by_role("button", name="Move", exact=True).click()
    said(page, "1 moved to “Talks”.")
    page.get_by_role("searchbox").first.fill("lovlace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main").get_by_role("link", name="Ada Lovelace")).to_be_visible()


def test_a_rep_works_a_lead_and_the_day(opened, people, lead):
    page = opened(people.owner, f"/leads/{lead.uid}/")
    page.get_by_role("button", name="Accept").click()
    log_contact(page, "Wants a demo")
    said(page, "Noted: the first contact.")
    page.get_by_role("button", name="Add this note").click()
    expect(page.get_by_text("Write the note first.").first).to_be_visible()
    page.get_by_label("Note", exact=True).fill("Likes trains")
    page.get_by_role("button", name="Add this note").click()
    said(page, "Your note was added.")
    page.locator("summary", has_text="Add a task").click()
    page.locator("#task_text").fill("Send the offer")
    page.get_by_label("By when").fill(f"{timezone.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Add this task").click()
    said(page, "The task was noted.")
    page.locator("summary", has_text="Snooze").click()
    page.get_by_label("Why it can wait").fill("On holiday")
    page.get_by_role("button", name="In 3 days").click()
    said(page, "Ada Lovelace is snoozed until")
    page.get_by_role("button", name="Wake it now").click()
    said(page, "Ada Lovelace is awake again.")
    page.get_by_role("button", name="Talks").click()
    said(page, "Ada Lovelace is now in Talks.")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="My day").click()
    page.get_by_role("button", name=re.compile("Done.*Send the offer")).click()
    page.get_by_role("button", name=re.compile("Call again tomorrow")).click()
    assert set(Task.objects.values_list("text", "end")) == {("Send the offer", "done"), ("Call again", "")}
    page.get_by_role("button", name="Lunch").click()
    said(page, "You are away")
    page.get_by_role("button", name="I am back").click()
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    page.goto(re.sub("/my/.*", f"/leads/{lead.uid}/pass-on/ways/", page.url))
    page.get_by_label("What is wrong with it").fill("A job seeker")
    page.get_by_role("button", name="Return it").click()
    said(page, "was returned as invalid")


def test_a_manager_reassigns_passes_on_hands_over_and_pauses(opened, people, lead):
    page = opened(people.manager, "/board/sales/table/?who=team&q=Lovelace")
    page.get_by_label("Select Ada Lovelace").check()
    page.get_by_role("button", name="Reassign").click()
    page.get_by_label("To").select_option(label="Teammate Person")
    page.get_by_role("button", name="Reassign").click()
    said(page, "1 given to Teammate Person.")
    to_team(page)
    page.get_by_role("link", name="Pass on Ada Lovelace").click()
    page.get_by_label("To").select_option(label="Owner Person")
    page.get_by_role("button", name="Pass it on").click()
    said(page, "Ada Lovelace was passed on.")
    to_team(page)
    page.get_by_role("link", name="Hand over the leads of Owner Person").click()
    page.get_by_label("To").first.select_option(label="Teammate Person")
    page.get_by_label("Why").fill("Leaves us")
    page.get_by_role("button", name="Hand over …").click()
    page.get_by_role("button", name="Yes, hand over 1 lead").click()
    said(page, "1 lead of Owner Person handed over.")
    assert Lead.objects.get(pk=lead.pk).owner == people.teammate
    page.get_by_text(re.compile("Away.*Owner Person")).click()
    page.get_by_role("link", name="Say why, and until when Owner Person is away").click()
    page.get_by_role("button", name="Set away").click()
    expect(page.get_by_text("Say why, such as")).to_be_visible()
    page.get_by_label("Reason").fill("At the dentist")
    page.get_by_role("button", name="Set away").click()
    said(page, "Owner Person gets no new leads: At the dentist.")
    expect(page.locator(f"#rep-{people.owner.rep.pk}")).to_contain_text("Away: At the dentist")
    page.get_by_role("button", name=re.compile("Back.*Owner Person")).click()
    said(page, "Owner Person takes new leads again.")


def test_a_manager_lends_all_leads_with_a_return_date(opened, people, lead):
    page = opened(people.manager, "/team/availability/")
    page.get_by_role("link", name="Hand over the leads of Owner Person").click()
    page.get_by_role("button", name="Plan the leave").click()
    expect(page.get_by_text("Say who has the open leads meanwhile").first).to_be_visible()
    page.get_by_label("Who stands in").select_option(label="Teammate Person")
    page.get_by_role("button", name="Plan the leave").click()
    said(page, "Leave of Owner Person is planned")
    expect(page.get_by_role("heading", name="My team")).to_be_visible()
