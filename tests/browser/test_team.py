"""The page of a manager's people in a real browser: a lead is dragged to somebody else."""

import pytest
from playwright.sync_api import Page, expect

from distribution import services
from pipeline.models import Lead
from pipeline.services.leads import close_lead
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


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


def test_a_lead_is_dragged_to_somebody_else(live_server, managers_page: Page, people):
    page = managers_page
    page.goto(f"{live_server.url}/team/availability/")
    theirs = page.get_by_role("list", name="Leads of Teammate Person")
    page.get_by_role("listitem").filter(has_text="Ada Byron").last.drag_to(theirs)
    expect(page.get_by_text("Ada Byron is Teammate Person's now.")).to_be_visible()
    expect(theirs.get_by_role("link", name="Ada Byron", exact=True)).to_be_visible()
    assert Lead.objects.get(last_name="Byron").owner == people.teammate


def test_a_lead_on_the_wrong_person_goes_back_with_one_press(live_server, managers_page: Page, people):
    page = managers_page
    page.goto(f"{live_server.url}/team/availability/")
    theirs, mine = (page.get_by_role("list", name=f"Leads of {name} Person") for name in ("Teammate", "Owner"))
    page.get_by_role("listitem").filter(has_text="Ada Byron").last.drag_to(theirs)
    page.get_by_role("button", name="Undo").click()
    expect(mine.get_by_role("link", name="Ada Byron", exact=True)).to_be_visible()
    assert Lead.objects.get(last_name="Byron").owner == people.owner


def test_an_old_page_is_refused_and_shows_how_it_is_now(live_server, managers_page: Page, people):
    page = managers_page
    page.goto(f"{live_server.url}/team/availability/")
    lead = Lead.objects.get(last_name="Byron")
    services.reassign_lead(lead.pk, to=people.teammate.rep, actor=people.owner)
    services.reassign_lead(lead.pk, to=people.owner.rep, actor=people.owner)
    theirs = page.get_by_role("list", name="Leads of Teammate Person")
    page.get_by_role("listitem").filter(has_text="Ada Byron").last.drag_to(theirs)
    expect(page.get_by_text("Somebody else changed this lead meanwhile.")).to_be_visible()
    mine = page.get_by_role("list", name="Leads of Owner Person")
    expect(mine.get_by_role("link", name="Ada Byron", exact=True)).to_be_visible()


def test_a_lead_that_is_not_the_managers_any_more_goes_back_and_that_is_said(live_server, managers_page: Page, people):
    page = managers_page
    page.goto(f"{live_server.url}/team/availability/")
    lead = Lead.objects.get(last_name="Byron")
    close_lead(lead, stages()["won"], actor=people.owner)
    theirs = page.get_by_role("list", name="Leads of Teammate Person")
    page.get_by_role("listitem").filter(has_text="Ada Byron").last.drag_to(theirs)
    expect(page.get_by_text("This is not there any more.")).to_be_visible()
    expect(page.get_by_text("Ada Byron")).to_have_count(0)
    assert Lead.objects.get(pk=lead.pk).owner == people.owner


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_everybody_can_use_it(live_server, managers_page: Page, people, size, theme, axe):
    page = managers_page
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size(size)
    for path in ("/team/availability/", f"/availability/{people.owner.rep.pk}/hand-over/"):
        page.goto(f"{live_server.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        assert axe(page) == []
