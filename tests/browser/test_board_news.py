"""What open boards show of what others do, after gaps and in crowds."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from pipeline import cursor
from pipeline.models import Event, Lead, Stage
from pipeline.services.moving import move_on
from pipeline.services.tasks import TaskTerms, add_task
from tests.browser.pages import card, in_column
from tests.distribution.setups import make_pool, make_rule_set, publish
from tests.distribution.world import add_stages, make_lead
from tests.pipeline.people import make_people, owned

ASLEEP = "asleep => { Object.defineProperty(document, 'hidden', { value: asleep, configurable: true });"
ASLEEP += " document.dispatchEvent(new Event('visibilitychange')); }"
SCROLLED = "body => body.scrollTop"


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    add_stages("talks")
    return owned(people, first_name="Ada", last_name="Lovelace")


def asked(page: Page, part: str) -> list[str]:
    """Grows with what a page asks of addresses that hold this part."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if part in request.url else None)
    return found


def test_a_card_that_is_no_more_the_readers_goes_and_stays_with_who_still_sees_it(opened, people, lead):
    other = owned(people, last_name="Bob")
    mine, theirs = opened(people.owner), opened(people.manager)
    Lead.objects.filter(pk=lead.pk).update(owner=people.teammate)
    Event.objects.create(lead=lead, kind=Event.Kind.REASSIGNED)
    expect(card(mine, lead)).to_have_count(0)
    expect(card(mine, other)).to_be_visible()
    expect(mine.locator("#column-open .count")).to_contain_text("1")
    expect(card(theirs, lead).locator(".owner")).to_contain_text("Teammate Person")


def test_a_task_that_somebody_adds_shows_on_the_card(opened, people, lead):
    page = opened(people.manager)
    add_task(lead, TaskTerms("Send the plan", timezone.now() + timedelta(days=1)), actor=people.owner)
    expect(card(page, lead)).to_contain_text("Send the plan")


def test_the_lane_shows_a_new_offer_and_asks_for_nothing_when_others_get_one(opened, people, lead):
    page, other = opened(people.owner), opened(people.stranger)
    lanes = asked(other, "/offers/")
    pool = make_pool("Offers", people.owner.rep, people.teammate.rep, method="claim")
    publish(make_rule_set("Offers", pool=pool))
    services.assign_lead(make_lead(last_name="Offered").pk)
    expect(page.locator(".offers").get_by_text("Offered", exact=True)).to_be_visible()
    for _ in range(2):  # the second is asked for when the first was answered
        other.wait_for_event("request", lambda request: "/changes/" in request.url)
    assert lanes == []


def test_a_tab_that_slept_for_long_asks_nothing_and_reads_all_again_when_it_wakes(opened, people, lead, monkeypatch):
    for number in range(15):
        owned(people, last_name=f"Filler {number}")
    page = opened(people.manager)
    body = page.locator("#column-open .column-body")
    body.evaluate("body => body.scrollTo(0, 300)")
    page.evaluate(ASLEEP, True)
    changes = asked(page, "/changes/")
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    page.evaluate("() => new Promise((done) => setTimeout(done, 4500))")  # two turns of asking would have come
    assert changes == []
    monkeypatch.setattr(cursor, "FORGOTTEN", timedelta(seconds=-1))
    page.evaluate(ASLEEP, False)
    expect(in_column(page, lead, "talks")).to_be_visible()
    assert body.evaluate(SCROLLED) == 300
    monkeypatch.undo()
    move_on(lead, Stage.objects.get(slug="open"), actor=people.owner)
    expect(in_column(page, lead, "open")).to_be_attached()


def test_five_hundred_changes_at_once_are_read_together(opened, people, lead):
    talks = Stage.objects.get(slug="talks")
    same = {field: getattr(lead, field) for field in ("source", "stage", "owner", "team", "routing_state")}
    made = Lead.objects.bulk_create(Lead(last_name=f"L{number}", **same) for number in range(500))
    page = opened(people.manager)
    expect(page.locator("#column-open .count")).to_contain_text("501")
    again = asked(page, "/board/sales/?who=team")
    Lead.objects.filter(pk__in=[one.pk for one in made]).update(stage=talks)
    Event.objects.bulk_create(Event(lead=one, kind=Event.Kind.MOVED) for one in made)
    expect(page.locator("#column-talks .count")).to_contain_text("500")
    expect(page.locator("#column-open .count")).to_contain_text("1")
    expect(card(page, lead)).to_be_visible()
    move_on(lead, talks, actor=people.owner)
    expect(page.locator("#column-open .count")).to_contain_text("0")
    assert 1 <= len(again) <= 2  # the changes may have come in two parts


def test_a_board_goes_on_hearing_of_others_when_its_reader_signed_in_again(opened, people, lead):
    page = opened(people.manager)
    page.context.clear_cookies(name="csrftoken")
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    expect(in_column(page, lead, "talks")).to_be_visible()
    expect(page.get_by_text("Offline")).to_be_hidden()
    assert page.locator("#board").is_visible()
