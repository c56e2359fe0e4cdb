"""The page of a manager's people in a real browser: a lead is dragged to somebody else."""

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from distribution import services
from distribution.models import AwayReason, Leave
from pipeline.models import Lead
from tests.browser.pages import PHONE, SIZES, drag, settled
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, win
from tests.pipeline.people import make_people


@pytest.fixture
def people():
    people = make_people()
    rules = make_rule_set()
    make_rule(rules, "All", pool=make_pool("Berlin", people.owner.rep, team=people.team))
    publish(rules)
    for last_name in ("Lovelace", "Byron"):
        lead = make_lead(first_name="Ada", last_name=last_name, email=f"ada@{last_name.lower()}.example")
        services.assign_lead(lead.pk)
    return people


@pytest.fixture
def managers_page(page: Page, sign_in, people):
    sign_in(people.manager, page.context)
    return page


@pytest.fixture
def team_page(live_server, managers_page: Page):
    managers_page.goto(f"{live_server.url}/team/availability/")
    return settled(managers_page)


def leads_of(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name=f"Leads of {name} Person")


def byron_of(page: Page, name: str) -> Locator:
    return leads_of(page, name).get_by_role("link", name="Ada Byron", exact=True)


def give_byron(page: Page) -> None:
    """Drag the lead Byron from the owner to the teammate."""
    byron = leads_of(page, "Owner").get_by_role("listitem").filter(has_text="Ada Byron")
    drag(byron, to=leads_of(page, "Teammate"), arrived=byron_of(page, "Teammate"))


def test_a_lead_is_dragged_to_somebody_else(team_page: Page, people):
    give_byron(team_page)
    expect(team_page.get_by_text("Ada Byron is Teammate Person's now.")).to_be_visible()
    expect(byron_of(team_page, "Teammate")).to_be_visible()
    assert Lead.objects.get(last_name="Byron").owner == people.teammate


def test_a_lead_on_the_wrong_person_goes_back_with_one_press(team_page: Page, people):
    give_byron(team_page)
    team_page.get_by_role("button", name="Undo").click()
    expect(byron_of(team_page, "Owner")).to_be_visible()
    assert Lead.objects.get(last_name="Byron").owner == people.owner


def test_an_old_page_is_refused_and_shows_how_it_is_now(team_page: Page, people):
    lead = Lead.objects.get(last_name="Byron")
    services.reassign_lead(lead.pk, to=people.teammate.rep, actor=people.owner)
    services.reassign_lead(lead.pk, to=people.owner.rep, actor=people.owner)
    give_byron(team_page)
    expect(team_page.get_by_text("Somebody else changed this lead meanwhile.")).to_be_visible()
    expect(byron_of(team_page, "Owner")).to_be_visible()


def test_a_lead_that_is_not_the_managers_any_more_goes_back_and_that_is_said(team_page: Page, people):
    lead = Lead.objects.get(last_name="Byron")
    win(lead, actor=people.owner)
    give_byron(team_page)
    expect(team_page.get_by_text("This is not there any more.")).to_be_visible()
    expect(team_page.get_by_text("Ada Byron")).to_have_count(0)
    assert Lead.objects.get(pk=lead.pk).owner == people.owner


def test_news_that_are_on_their_way_do_not_take_a_lead_out_of_the_hand(team_page: Page):
    team_page.route("**/?page=1", lambda route: None)
    with team_page.expect_request("**/?page=1"):
        team_page.evaluate("htmx.trigger('#people', 'refresh')")  # what the clock does
    with team_page.expect_event("requestfailed"):
        give_byron(team_page)
    expect(team_page.get_by_text("Ada Byron is Teammate Person's now.")).to_be_visible()


def test_the_cards_of_a_row_and_the_lists_in_them_end_on_one_line(team_page: Page):
    cards = [card.bounding_box() for card in team_page.locator(".team > li").all()]
    lists = [pieces.bounding_box() for pieces in team_page.locator(".pieces").all()]
    assert len(cards) > 1
    for boxes in (cards, lists):
        assert len({box["y"] + box["height"] for box in boxes if box}) == 1


@SIZES
def test_somebody_is_set_away_with_a_reason_and_an_end_and_back(
    live_server, managers_page: Page, people, complaints, size
):
    page = managers_page
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}/team/availability/")
    owner = settled(page).locator(f"#rep-{people.owner.rep.pk}")
    owner.locator("summary").click()
    owner.get_by_label("Until").fill("2001-01-01T10:00")
    owner.get_by_role("button", name="Set away").click()
    expect(owner.get_by_text("Say why, such as 'at the dentist'.")).to_be_visible()
    expect(owner.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Visits a fair")
    owner.get_by_role("button", name="Set away").click()
    expect(owner.get_by_text("This moment has passed.")).to_be_visible()
    expect(owner.get_by_label("Until")).to_be_focused()
    expect(owner.get_by_label("Reason")).to_have_value("Visits a fair")
    owner.get_by_label("Until").fill("2051-03-02T10:00")
    owner.get_by_role("button", name="Set away").click()
    expect(page.locator("#toasts")).to_contain_text("no new leads until 2 Mar 2051, 10:00: Visits a fair.")
    expect(owner.locator(".state")).to_have_text("Away: Visits a fair until 2 Mar 2051, 10:00")
    expect(owner.get_by_role("button", name="Back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Owner Person takes new leads again.")
    expect(owner.locator(".state")).to_have_text("Available")
    expect(owner.locator("summary")).to_be_focused()
    assert [said for said in complaints if "422" not in said] == []


@SIZES
def test_one_press_sets_somebody_away_for_the_day_or_for_a_usual_reason(live_server, managers_page: Page, people, size):
    AwayReason.objects.create(name="Lunch", minutes=45)
    page = managers_page
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}/team/availability/")
    for user, press, words in (
        (people.owner, "Rest of the day", "not here today"),
        (people.teammate, "Lunch", "Lunch"),
    ):
        card = settled(page).locator(f"#rep-{user.rep.pk}")
        card.locator("summary").click()
        card.get_by_role("button", name=press).click()
        expect(card.locator(".state")).to_contain_text(f"Away: {words} until")
        expect(card).to_be_in_viewport()


def test_what_somebody_types_stays_while_the_page_looks_what_is_new(live_server, managers_page: Page, people):
    page = managers_page
    page.clock.install()
    page.goto(f"{live_server.url}/team/availability/")
    owner = settled(page).locator(f"#rep-{people.owner.rep.pk}")
    owner.locator("summary").click()
    owner.get_by_label("Reason").fill("At the den")
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(40_000)
    expect(owner.get_by_label("Reason")).to_have_value("At the den")
    page.keyboard.press("Escape")
    with page.expect_response("**/?page=1"):
        page.evaluate("document.activeElement.blur()")
        page.clock.run_for(16_000)


def go_to_hand_over(page: Page, site: str, size: ViewportSize) -> None:
    page.set_viewport_size(size)
    page.goto(f"{site}/team/availability/")
    settled(page).get_by_role("link", name="Hand over the leads of Owner Person").click()


@SIZES
def test_all_leads_are_lent_until_somebody_is_back(live_server, managers_page: Page, people, size):
    page = managers_page
    go_to_hand_over(page, live_server.url, size)
    form = page.get_by_role("form", name="While they are on leave")
    expect(form.get_by_label("From")).not_to_have_value("")
    form.get_by_label("To").fill("2001-01-01")
    form.get_by_role("button", name="Plan the leave").click()
    expect(form.get_by_role("alert")).to_contain_text("To")
    form.get_by_label("To").fill("")
    form.get_by_label("Who stands in").select_option(label="Teammate Person")
    form.get_by_role("button", name="Plan the leave").click()
    expect(page.locator(".messages")).to_contain_text("Leave of Owner Person is planned")
    expect(page.get_by_role("heading", name="My team")).to_be_visible()
    leave = Leave.objects.get()
    assert (leave.cover, leave.lend_leads) == (people.teammate.rep, True)


@SIZES
def test_what_is_said_below_a_field_keeps_off_what_comes_next(live_server, managers_page: Page, people, size):
    page = managers_page
    go_to_hand_over(page, live_server.url, size)
    form = page.get_by_role("form", name="For good")
    hint = form.get_by_text("Whoever gets a lead").bounding_box()
    button = form.get_by_role("button").bounding_box()
    assert hint
    assert button
    assert button["y"] - hint["y"] - hint["height"] >= 12


@SIZES
def test_all_leads_are_handed_over_after_a_second_question(live_server, managers_page: Page, people, size):
    page = managers_page
    go_to_hand_over(page, live_server.url, size)
    page.get_by_label("To").first.select_option(label="Teammate Person")
    page.get_by_label("Why").fill("Leaves us")
    page.get_by_role("button", name="Hand over …").click()
    page.get_by_role("button", name="Yes, hand over 2 leads").click()
    expect(page.locator(".messages")).to_contain_text("2 leads of Owner Person handed over.")
    expect(leads_of(page, "Teammate").get_by_role("listitem")).to_have_count(2)
    assert set(Lead.objects.values_list("owner", flat=True)) == {people.teammate.pk}


def test_on_a_phone_a_lead_is_passed_on_by_its_link(live_server, managers_page: Page, people):
    page = managers_page
    page.set_viewport_size(PHONE)
    page.goto(f"{live_server.url}/team/availability/")
    settled(page).get_by_role("link", name="Pass on Ada Byron").click()
    page.get_by_label("To").select_option(label="Teammate Person")
    page.get_by_role("button", name="Pass it on").click()
    expect(page.locator(".messages")).to_contain_text("Ada Byron was passed on.")
    assert Lead.objects.get(last_name="Byron").owner == people.teammate
