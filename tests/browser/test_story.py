"""The whole story: a lead that nobody touches moves on by itself, and its page says so at each point."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest
import time_machine
from playwright.sync_api import Page, expect

from distribution import services
from distribution.models import Rep
from pipeline.models import Lead
from pipeline.services.keys import issue_key
from tests.browser.pages import log_contact
from tests.distribution.promises import make_policy
from tests.distribution.world import make_source, stages, world
from tests.pipeline.people import make_people


@pytest.fixture
def clock():
    """The present, that goes on by itself and can be moved on."""
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        yield clock


@pytest.fixture
def people():
    """Two reps share the leads of Berlin; its manager can own leads as well but is in no pool."""
    people = make_people()
    Rep.objects.create(user=people.manager, name="Manager Person")
    stages()
    make_policy(("accept", "50%", "remind"), ("accept", "100%", "reassign"), accept_minutes=10, lead_minutes=60)
    world(Rep.objects.get(user=people.owner), Rep.objects.get(user=people.teammate), team=people.team)
    return people


@pytest.fixture
def managers_page(page: Page, sign_in, people, clock):
    sign_in(people.manager, page.context)
    return page


def send_lead(site: str) -> str:
    """A partner sends a lead in. Returns its uid."""
    _, key = issue_key(make_source("partner"))
    body = json.dumps({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@engines.example"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urlopen(Request(f"{site}/api/v1/leads/", body, headers)) as answer:
        return json.load(answer)["id"]


def test_a_lead_that_nobody_accepts_moves_to_the_next_rep_and_then_to_the_manager(
    live_server, managers_page: Page, people, clock
):
    page, plan, history = managers_page, managers_page.locator("#plan"), managers_page.locator(".timeline")
    uid = send_lead(live_server.url)

    def look() -> None:
        page.goto(f"{live_server.url}/leads/{uid}/")
        expect(plan.get_by_text("To answer the lead", exact=True)).to_be_visible()

    def pass_minutes(minutes: int) -> None:
        clock.shift(timedelta(minutes=minutes))
        services.sweep_clocks()

    look()
    owner = page.locator(".standing dd").first
    expect(owner).to_have_text("Owner Person")
    expect(plan.get_by_text(re.compile(r"by \d\d:\d\d, (9|10) min left"))).to_be_visible()
    expect(plan.locator(".ahead")).to_contain_text("reminder to Owner Person")
    expect(plan.locator(".ahead")).to_contain_text("to Teammate Person")

    pass_minutes(6)
    look()
    expect(history.locator("li").first).to_contain_text("Reminder to Owner Person: to accept within 10 min")
    expect(plan.locator(".ahead")).not_to_contain_text("reminder to Owner Person")

    pass_minutes(5)
    look()
    expect(owner).to_have_text("Teammate Person")
    expect(history).to_contain_text("Promise broken")
    expect(history).to_contain_text("Not accepted in time. Moved on from Owner Person to Teammate Person.")
    expect(plan.locator(".ahead")).to_contain_text("reminder to Teammate Person")
    expect(plan.locator(".ahead")).to_contain_text("to the manager Manager Person")

    pass_minutes(11)
    look()
    expect(owner).to_have_text("Manager Person")
    expect(history).to_contain_text("Moved on from Teammate Person to the manager Manager Person.")
    expect(plan.locator(".ahead")).to_contain_text("stays with the manager")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status").filter(has_text="You have accepted")).to_be_visible()

    log_contact(page, "Wants a demo")
    expect(history.locator("li").first).to_contain_text("Phone · the first contact")
    expect(plan.get_by_text("No promise is running.")).to_be_visible()
    assert Lead.objects.get(uid=uid).first_contacted_at
    pass_minutes(300)
    assert Lead.objects.get(uid=uid).owner == people.manager
