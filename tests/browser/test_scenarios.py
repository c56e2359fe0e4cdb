"""Scenarios of the design, as people live them through the pages."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from distribution import services
from distribution.models import Assignment, Rep
from distribution.services import assigning
from leadcrm.lib import access
from notifications.models import GuardPolicy, Notification
from notifications.services import deliver, fan_out
from notifications.services.sequences import sweep_sequences
from pipeline.models import Lead, Pipeline, Stage
from tests.browser.pages import DESKTOP, PHONE, SIZES, card, in_column, move, settled, without_news
from tests.concurrency.threads import at_once, errors
from tests.distribution.world import add_stages, make_lead, stages, world
from tests.notifications.sequences import make_sequence
from tests.pipeline.api.partner import LEADS, Partner
from tests.pipeline.people import make_people, owned, signed_in

TEAM, MINE = "/board/sales/?who=team", "/board/sales/?who=mine"


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def nothing_routed(monkeypatch):
    """Leads that come in wait until the test asks for routing."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


@pytest.fixture
def opened(new_context, sign_in, live_server) -> Callable[..., Page]:
    """Opens a page in a browser of its own, in which somebody has signed in; without `news` it hears of nobody."""

    def go(user: User, path: str, *, size=DESKTOP, news: bool = True) -> Page:
        context = new_context(viewport=size)
        sign_in(user, context)
        page = context.new_page()
        if not news:
            without_news(page)
        page.goto(live_server.url + path)
        return settled(page)

    return go


def rep(user: User) -> Rep:
    return Rep.objects.get(user=user)


def titles(page: Page, slug: str = "open") -> Locator:
    return page.locator(f"#column-{slug} .card h3")


# --- 47: who decides by hand, and the rules that decide meanwhile --------------------------------


@contextmanager
def deciding(lead: Lead, monkeypatch) -> Iterator[list[object]]:
    """The rules have decided about a lead, and write it down only when the block is over; what came of it."""
    real, decided, go_on = assigning.look_ahead, threading.Event(), threading.Event()
    came: list[object] = []

    def stopped(*args):
        choice = real(*args)
        if not decided.is_set():
            decided.set()
            assert go_on.wait(timeout=120)
        return choice

    def route() -> None:
        try:
            came.append(services.assign_lead(lead.pk))
        except Exception as error:
            came.append(error)
        finally:
            connections.close_all()

    monkeypatch.setattr(assigning, "look_ahead", stopped)
    router = threading.Thread(target=route)
    router.start()
    try:
        assert decided.wait(timeout=60)
        yield came
    finally:
        go_on.set()
        router.join(timeout=60)


def test_a_lead_that_a_manager_gives_away_stays_there_though_the_rules_had_decided(
    opened, people, monkeypatch, nothing_routed
):
    """Scenario 47: the manager's choice wins; the rules see that the lead is another one now, and stop."""
    world(rep(people.owner), team=people.team)
    lead = make_lead(last_name="Lovelace", team=people.team)
    page = opened(people.manager, f"/leads/{lead.uid}/pass-on/ways/")
    with deciding(lead, monkeypatch) as came:
        page.locator("#pass-on_to").select_option(label="Teammate Person")
        page.get_by_role("button", name="Give it").click()
        expect(page.locator(".standing")).to_contain_text("Teammate Person")
    assert came == [None]
    page.reload()
    expect(page.locator(".standing")).to_contain_text("Teammate Person")
    assert [row.rep.user for row in Assignment.objects.all()] == [people.teammate]


@SIZES
def test_a_lead_that_a_rep_takes_stays_theirs_though_the_rules_had_decided(
    opened, people, monkeypatch, nothing_routed, size
):
    """Scenario 47: the same from the board, where the rep who presses first has it."""
    pool = world(rep(people.owner), rep(people.teammate), method="claim", team=people.team)
    lead = make_lead(last_name="Lovelace")
    services.assign_lead(lead.pk)
    first, second = opened(people.owner, MINE, size=size), opened(people.teammate, MINE, size=size, news=False)
    type(pool).objects.update(method="round_robin")
    with deciding(lead, monkeypatch) as came:
        first.get_by_role("button", name=re.compile("Take it.*Lovelace")).click()
        expect(first.locator(".toast.success")).to_have_text("Lovelace is yours.")
    assert came == [None]
    second.get_by_role("button", name=re.compile("Take it.*Lovelace")).click()
    expect(second.locator(".toast.info")).to_contain_text("was faster: Lovelace is taken.")
    first.reload()
    expect(card(first, lead)).to_be_visible()
    assert [row.rep.user for row in Assignment.objects.all()] == [people.owner]


# --- 50: one place left ---------------------------------------------------------------------------


def test_of_ten_leads_that_come_in_at_once_a_rep_with_one_place_left_gets_one(opened, people):
    """Scenario 50: entered by ten colleagues at the same moment; nine wait, and say so."""
    stages()
    Rep.objects.filter(user=people.owner).update(capacity=3)
    world(rep(people.owner), team=people.team)
    for number in range(2):
        services.assign_lead(make_lead(last_name=f"Before {number}").pk)
    clients = [signed_in(people.manager) for _ in range(10)]
    entered = (partial(enter, client, f"New {number}") for number, client in enumerate(clients))
    assert not errors(at_once(entered))
    page = opened(people.owner, MINE)
    mine = page.locator("#column-open .card", has=page.get_by_role("button", name="Accept"))
    expect(mine).to_have_count(3)
    expect(mine.filter(has_text="New")).to_have_count(1)
    team = opened(people.manager, "/team/availability/")
    expect(team.locator(".team > li", has_text="Owner Person").locator(".figures")).to_contain_text("3 of 3 open")
    team.goto(page.url.replace("mine", "team"))
    expect(team.locator(".card .badge", has_text="Waiting")).to_have_count(9)


def enter(client: Client, name: str) -> None:
    answer = client.post("/board/sales/add/", {"last_name": name}, headers={"HX-Request": "true"})
    assert answer.status_code == 200


def test_who_has_one_place_left_takes_one_of_two_offers_and_is_told_why_not_both(opened, people):
    """Scenario 50, by hand: the page with the second offer was opened while there was still room."""
    Rep.objects.filter(user=people.owner).update(capacity=1)
    world(rep(people.owner), method="claim", team=people.team)
    offered = [make_lead(last_name=name) for name in ("Lovelace", "Byron")]
    for lead in offered:
        services.assign_lead(lead.pk)
    first, second = (opened(people.owner, "/offers/") for _ in offered)
    first.get_by_role("button", name=re.compile("Take it.*Lovelace")).click()
    expect(first.locator(".toast.success")).to_have_text("Lovelace is yours.")
    second.get_by_role("button", name=re.compile("Take it.*Byron")).click()
    expect(second.locator(".toast.error")).to_contain_text("or ask for more capacity")
    assert [lead.last_name for lead in Lead.objects.filter(owner=people.owner)] == ["Lovelace"]


# --- 77: the same person again --------------------------------------------------------------------

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@engines.example"}


@pytest.fixture
def website():
    """Sends leads that agreed to e-mail, which a sequence answers at once."""
    GuardPolicy.objects.update_or_create(country="", defaults={"opens": "00:00", "closes": "23:59"})
    make_sequence(0)
    return Partner("website")


def comes_in(website: Partner, number: int, **fields) -> Lead:
    consents = [{"channel": "email", "granted": True}]
    answer = website.post({"external_id": f"form-{number}", "consents": consents, **fields})
    assert answer.status_code == 201, answer.content
    return Lead.objects.get(external_id=f"form-{number}")


def told() -> list[tuple[str, str]]:
    """Who hears of what: the username, or "" for the lead itself."""
    fan_out()
    deliver("in_app")
    sweep_sequences()
    rows = Notification.objects.order_by("pk").exclude(state="suppressed").values_list("user__username", "kind")
    return [(name or "", kind) for name, kind in dict.fromkeys(rows)]


def test_a_person_who_comes_again_stays_with_the_owner_takes_no_turn_and_hears_nothing_twice(opened, people, website):
    """Scenario 77."""
    world(rep(people.owner), rep(people.teammate), team=people.team)
    first = comes_in(website, 1, **ADA)
    mine = first.owner
    other = people.teammate if mine == people.owner else people.owner
    assert told() == [(mine.username, "assigned"), ("", "first_response")]
    again = comes_in(website, 2, **ADA | {"email": "ADA@Engines.example"})
    told()
    assert Notification.objects.filter(user=mine, kind="assigned", channel="in_app").count() == 2
    assert [row.lead for row in Notification.objects.filter(user=None)] == [first]
    assert comes_in(website, 3, last_name="Byron", email="byron@poems.example").owner == other

    page = opened(mine, MINE)
    for lead in (first, again):
        expect(card(page, lead)).to_be_visible()
    page.goto(page.url.split("/board/")[0] + "/my/inbox/")
    expect(page.locator(".told", has_text="Ada Lovelace")).to_have_count(2)
    page.goto(page.url.split("/my/")[0] + f"/leads/{first.uid}/")
    expect(page.locator(".timeline")).to_contain_text("The same person came in again, by website.")
    page.get_by_role("link", name="Open that lead").click()
    expect(page).to_have_url(re.compile(str(again.uid)))
    expect(page.locator(".related")).to_contain_text("same e-mail, came before")


def test_a_person_whose_owner_left_is_given_to_somebody_who_is_there(opened, people, website):
    """Scenario 77: the owner of before takes no leads any more."""
    world(rep(people.owner), rep(people.teammate), team=people.team)
    first = comes_in(website, 1, **ADA)
    left = first.owner
    Rep.objects.filter(user=left).update(active=False)
    again = comes_in(website, 2, **ADA)
    here = people.teammate if left == people.owner else people.owner
    page = opened(here, MINE)
    expect(card(page, again)).to_be_visible()
    expect(card(page, first)).to_have_count(0)


# --- 82: lost without a reason --------------------------------------------------------------------


@pytest.fixture
def three(people) -> list[Lead]:
    """Three cards in a column, the most urgent on top, and a stage beside it."""
    add_stages("talks")
    now = timezone.now()
    names = enumerate(("Ada", "Bob", "Cyd"))
    return [owned(people, last_name=name, respond_by=now + timedelta(hours=1 + hour)) for hour, name in names]


IN_ORDER = ["Ada", "Bob", "Cyd"]


def test_a_card_goes_back_to_its_exact_place_when_nobody_says_why_it_was_lost(opened, people, three):
    """Scenario 82: by mouse; leaving the question, and a server that fails, put it back between the same two."""
    page = opened(people.owner, TEAM)
    move(page, three[1], "lost")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Why, when lost")).to_be_focused()
    page.keyboard.press("Escape")
    expect(titles(page)).to_have_text(IN_ORDER)
    expect(page.locator("#column-lost .card")).to_have_count(0)

    move(page, three[1], "lost")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_text("Say why the lead was lost.")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(titles(page)).to_have_text(IN_ORDER)

    page.route("**/move/**", lambda route: route.fulfill(status=500))
    move(page, three[1], "talks")
    expect(page.get_by_role("alert")).to_contain_text("That did not work.")
    expect(titles(page)).to_have_text(IN_ORDER)
    assert not Lead.objects.exclude(stage__slug="open").exists()


def test_a_lead_is_lost_with_the_keyboard_alone_and_only_with_a_reason(opened, people, three):
    """Scenario 82: the way without a mouse asks the same, and lets go of the card in the same place."""
    page = opened(people.owner, TEAM)
    card(page, three[1]).get_by_role("link", name="Move Bob").focus()
    dialog = page.get_by_role("dialog")
    stage, reason = dialog.get_by_label("Stage"), dialog.get_by_label("Why, when lost")
    for _ in range(2):
        page.keyboard.press("Enter")
        expect(stage).to_be_focused()
        page.keyboard.type("lost")
        page.keyboard.press("Tab")
        expect(reason).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog.get_by_text("Say why the lead was lost.")).to_be_visible()
        expect(reason).to_be_focused()
        page.keyboard.press("Escape")
        expect(titles(page)).to_have_text(IN_ORDER)
        expect(card(page, three[1]).get_by_role("link", name="Move Bob")).to_be_focused()
    page.keyboard.press("Enter")
    expect(stage).to_be_focused()
    page.keyboard.type("lost")
    page.keyboard.press("Tab")
    page.keyboard.type("Too expensive")
    page.keyboard.press("Enter")
    expect(in_column(page, three[1], "lost")).to_be_visible()
    assert Lead.objects.get(pk=three[1].pk).lost_reason == "Too expensive"


def test_on_a_phone_a_lead_is_lost_by_its_button_and_only_with_a_reason(opened, people, three):
    """Scenario 82: without dragging."""
    page = opened(people.owner, TEAM, size=PHONE)
    card(page, three[1]).get_by_role("link", name="Move Bob").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Stage").select_option(value="lost")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_text("Say why the lead was lost.")).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(titles(page)).to_have_text(IN_ORDER)
    assert not Lead.objects.exclude(stage__slug="open").exists()


# --- 83: two people, one card ---------------------------------------------------------------------


def test_an_old_page_moves_nothing_and_shows_the_card_as_it_is_now(opened, people, three):
    """Scenario 83: the second of two who move a card is refused with 409, and sees where it is."""
    Stage.objects.create(pipeline=three[0].stage.pipeline, name="Offer", slug="offer", position=2)
    first, second = opened(people.owner, TEAM), opened(people.manager, TEAM, news=False)
    move(first, three[1], "talks")
    expect(first.locator("#said")).to_contain_text("Bob is in Talks")
    with second.expect_response("**/move/**") as answer:
        move(second, three[1], "offer")
    assert answer.value.status == 409
    expect(second.get_by_role("alert")).to_contain_text("Somebody else changed this lead meanwhile")
    expect(in_column(second, three[1], "talks")).to_have_attribute("data-version", "1")


def test_a_stage_that_is_full_takes_no_other_card_and_it_goes_back_to_its_place(opened, people, three):
    """Scenario 83: how many of one owner a stage takes is asked when a move is written, not when the page was read."""
    Stage.objects.filter(slug="talks").update(wip_limit=1)
    first, second = opened(people.owner, TEAM), opened(people.manager, TEAM, news=False)
    move(first, three[0], "talks")
    expect(first.locator("#said")).to_contain_text("Ada is in Talks")
    move(second, three[1], "talks")
    expect(second.get_by_role("alert")).to_contain_text('"Talks" has room for 1 lead of one owner.')
    expect(titles(second)).to_have_text(IN_ORDER)
    assert [lead.last_name for lead in Lead.objects.filter(stage__slug="talks")] == ["Ada"]


def test_where_there_is_no_room_between_two_cards_room_is_made(opened, people, three):
    """Scenario 83: cards sorted by hand whose places have no gap between them any more."""
    Pipeline.objects.update(sorted_by_hand=True)
    now = timezone.now()
    for gap, lead in enumerate(three):  # the newest place on top, the next one a microsecond below
        Lead.objects.filter(pk=lead.pk).update(board_at=now - timedelta(microseconds=gap))
    page, other = opened(people.owner, TEAM), opened(people.manager, TEAM)
    expect(titles(page)).to_have_text(IN_ORDER)
    page.get_by_role("link", name="Cyd", exact=True).focus()
    page.keyboard.press("Shift+ArrowUp")
    for board in (page, other):
        expect(titles(board)).to_have_text(["Ada", "Cyd", "Bob"])
    page.reload()
    expect(titles(page)).to_have_text(["Ada", "Cyd", "Bob"])
    places = list(Lead.objects.order_by("-board_at").values_list("board_at", flat=True))
    assert len(set(places)) == 3


# --- 84: other teams ------------------------------------------------------------------------------


@SIZES
def test_another_teams_leads_do_not_exist_on_any_page_nor_in_the_api(opened, people, live_server, size):
    """Scenario 84: what there is and what there is not look the same."""
    lead = owned(people, last_name="Lovelace")
    page = opened(people.stranger, TEAM, size=size)
    for path in (TEAM, "/board/sales/table/?who=team", "/search/?q=Lovelace", "/my/"):
        page.goto(live_server.url + path)
        settled(page)
        expect(page.get_by_role("link", name="Lovelace")).to_have_count(0)
    for path in (f"/leads/{lead.uid}/", f"/leads/{lead.uid}/decision/", f"/board/sales/move/{lead.uid}/", "/nowhere/"):
        answer = page.goto(live_server.url + path)
        assert answer.status == 404
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    assert Partner("other").get(f"{LEADS}{lead.uid}/").status_code == 404


@SIZES
def test_who_may_only_look_on_reads_leads_and_finds_nothing_to_press(opened, people, live_server, size):
    """Scenario 84: a watcher reads, and writes nothing, not even by an address that they know."""
    lead = owned(people, last_name="Lovelace", respond_by=timezone.now())
    watcher = User.objects.create_user("watcher", password="secret")
    watchers = Group.objects.create(name="Watchers")
    watchers.user_set.add(watcher)
    access.grant(watchers, "view_team_leads", people.team)
    page = opened(watcher, TEAM, size=size)
    expect(card(page, lead)).to_be_visible()
    expect(card(page, lead).get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Lovelace", exact=True).click()
    settled(page)
    expect(page.get_by_role("heading", name="Lovelace")).to_be_visible()
    expect(page.get_by_role("heading", name="What you do")).to_have_count(0)
    expect(page.get_by_role("main").locator("form")).to_have_count(0)
    for path in (f"/leads/{lead.uid}/note/", f"/board/sales/move/{lead.uid}/", f"/leads/{lead.uid}/edit/"):
        assert signed_in(watcher).post(path, {"text": "x", "stage": "lost"}).status_code == 404
