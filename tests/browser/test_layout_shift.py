"""Pages stand still while they are read: nothing that comes later pushes away what is there already."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from pipeline.models import Event, Task
from tests.browser.pages import PHONE, SIZES, settled
from tests.distribution.setups import make_pool, make_rule_set, publish
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people
from tests.support.timings import WATCH, read_timings

MOST = 0.01


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    """A lead of the owner with all that a page may show; beside it others, one of them offered to the owner."""
    theirs = {"company": "Engines Ltd", "owner": people.owner, "team": people.team, "routing_state": "assigned"}
    for number in range(25):
        make_lead(last_name=f"Own {number}", **theirs)
    lead = make_lead(last_name="Novak", **theirs)
    Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, data={"channel": "sms", "text": "Yes please"})
    Task.objects.create(lead=lead, text="Send the offer", due_at=timezone.now() + timedelta(minutes=5))
    publish(make_rule_set("Offers", pool=make_pool("Offers", people.owner.rep, method="claim")))
    services.assign_lead(make_lead(last_name="Offered", product="Pumps").pk)
    return lead


@SIZES
def test_what_is_there_stays_where_it_is(live_server, page: Page, people, lead, sign_in, size):
    sign_in(people.owner, page.context)
    page.set_viewport_size(size)
    page.add_init_script(WATCH)
    for path in ("/board/", f"/leads/{lead.uid}/", "/my/"):
        page.goto(live_server.url + path)
        found = read_timings(settled(page))
        assert found.shift < MOST, (path, found.moved)


def test_what_pushes_a_page_down_is_noticed(live_server, page: Page, people, lead, sign_in):
    """The control."""
    sign_in(people.owner, page.context)
    page.add_init_script(WATCH)
    page.goto(live_server.url + "/board/")
    before = read_timings(settled(page)).shift
    page.evaluate("document.getElementById('main').style.paddingTop = '216px'")
    assert read_timings(page).shift > before + MOST


def test_what_only_a_script_can_do_is_not_offered_without_one(live_server, new_context, people, lead, sign_in):
    context = new_context(java_script_enabled=False)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(f"{live_server.url}/leads/{lead.uid}/")
    expect(page.get_by_role("heading", name="Novak", exact=True)).to_be_visible()
    for name in ("Copy", "Print"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.goto(live_server.url + "/my/")
    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    expect(page.get_by_role("button", name="Keys")).to_have_count(0)


def test_offers_come_with_the_board(live_server, new_context, people, lead, sign_in):
    context = new_context(java_script_enabled=False)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(live_server.url + "/board/")
    expect(page.get_by_role("button", name=re.compile("Take it.*Offered"))).to_be_visible()


@pytest.mark.parametrize("path", ["/board/", "/offers/"])
def test_the_next_one_is_asked_for_on_a_phone_without_scrolling_sideways(
    live_server, page, people, lead, sign_in, path
):
    services.assign_lead(make_lead(last_name="Also offered", product="Pumps").pk)
    sign_in(people.owner, page.context)
    page.set_viewport_size(PHONE)
    page.goto(live_server.url + path)
    button = settled(page).get_by_role("button", name="Give me the next one").bounding_box()
    assert button
    assert button["x"] + button["width"] <= PHONE["width"]
    lefts = {one.bounding_box()["x"] for one in page.locator(".offer-row .card").all()}
    assert len(lefts) == (1 if path == "/offers/" else 2)
