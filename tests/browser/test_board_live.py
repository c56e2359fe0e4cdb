"""Moving cards in real browsers: by mouse, finger and keyboard, against each other, through a gap in the network."""

import itertools
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from distribution import services
from pipeline.models import Lead, LostReason, Pipeline, Stage
from pipeline.services.leads import edit_lead
from pipeline.services.moving import move_on
from pipeline.services.tasks import TaskTerms, add_task, finish_task
from tests.browser.pages import DESKTOP, PHONE, TOUCHED, Finger, card, in_column, let_go, move, take
from tests.distribution.setups import make_pool, make_rule_set, publish
from tests.distribution.world import add_stages, make_lead, win
from tests.pipeline.people import make_people, owned
from tests.support.heard import heard_up_to
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("never_too_late")

LYING_PHONE = {**TOUCHED, "viewport": {"width": 844, "height": 390}}
AT_THE_END = "board.scrollLeft > 0 && board.scrollLeft + board.clientWidth >= board.scrollWidth - 1"
ROUGH = [
    "W" * 100,
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "مرحبا بالعالم",
    "👩‍👩‍👧‍👦🏳️‍🌈" * 10,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
]


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    add_stages("talks")
    return owned(people, first_name="Ada", last_name="Lovelace")


# --- Moving ------------------------------------------------------------------------------------


def test_a_card_is_dragged_to_another_column_and_undone(opened, people, lead):
    page = opened(people.owner)
    move(page, lead, "talks")
    expect(page.locator("#said")).to_contain_text("Ada Lovelace is in Talks")
    expect(in_column(page, lead, "talks")).to_be_visible()
    assert Lead.objects.get(pk=lead.pk).stage.slug == "talks"
    page.get_by_role("button", name="Undo").click()
    expect(in_column(page, lead, "open")).to_be_visible()
    assert Lead.objects.get(pk=lead.pk).stage.slug == "open"


def test_a_card_is_dragged_by_a_finger_after_a_short_hold(opened, people, lead):
    page = opened(people.owner, **LYING_PHONE)
    finger = Finger(page, card(page, lead))
    target = page.locator("#column-talks .column-body").bounding_box()
    finger.move(target["x"] + 60, target["y"] + 30)
    finger.let_go(in_column(page, lead, "talks"))
    expect(page.locator("#said")).to_contain_text("Ada Lovelace is in Talks")
    assert Lead.objects.get(pk=lead.pk).stage.slug == "talks"


def test_the_board_follows_a_card_that_is_held_at_its_edge(opened, people, lead):
    many_stages(lead)
    page = opened(people.owner)
    take(card(page, lead).locator(".owner"))
    until_at_the_end(page, lambda y: page.mouse.move(DESKTOP["width"] - 8, y))
    let_go(page.locator("#column-lost .column-body"), in_column(page, lead, "lost"))
    expect(page.get_by_role("dialog").get_by_label("Why, when lost")).to_be_visible()


def test_on_a_phone_a_finger_takes_a_card_past_the_next_column(opened, people, lead):
    many_stages(lead)
    page = opened(people.owner, **TOUCHED)
    finger = Finger(page, card(page, lead))
    until_at_the_end(page, lambda y: finger.move(PHONE["width"] - 8, y))
    finger.move(PHONE["width"] - 8, 502)
    finger.let_go(in_column(page, lead, "lost"))
    expect(page.get_by_role("dialog").get_by_label("Why, when lost")).to_be_visible()


def until_at_the_end(page: Page, move: Callable[[int], None]) -> None:
    """Hold a card at the edge, as unsteadily as people do, until the board has been scrolled all along."""
    heights = itertools.cycle((500, 501))

    def there() -> bool:
        move(next(heights))
        return page.evaluate(AT_THE_END)

    wait_until(there, "the board to follow the card")


def many_stages(lead):
    """More columns than fit on a screen; the last one is for the lost."""
    for number in range(4):
        Stage.objects.create(pipeline=lead.stage.pipeline, name=f"Step {number}", slug=f"step-{number}", position=1)
    Stage.objects.filter(slug="lost").update(position=9)


def test_a_card_is_moved_with_the_keyboard_alone(opened, people, lead):
    page = opened(people.owner)
    card(page, lead).get_by_role("link", name="Ada Lovelace", exact=True).focus()
    # To the left: Talks stands before Open.
    page.keyboard.press(
        "Shift+ArrowLeft" if columns(page).index("talks") < columns(page).index("open") else "Shift+ArrowRight"
    )
    expect(page.locator("#said")).to_contain_text("Ada Lovelace is in Talks, 1 of 1 shown.")
    expect(card(page, lead).get_by_role("link", name="Ada Lovelace", exact=True)).to_be_focused()


def columns(page: Page) -> list[str]:
    return page.eval_on_selector_all(".column", "columns => columns.map((column) => column.dataset.stage)")


def test_winning_and_losing_ask_first_and_leaving_the_question_puts_the_card_back(opened, people, lead):
    page = opened(people.owner)
    move(page, lead, "lost")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Why, when lost")).to_be_visible()
    expect(dialog.get_by_label("Value, when won")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(in_column(page, lead, "open")).to_be_visible()
    move(page, lead, "lost")
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_text("Say why the lead was lost.")).to_be_visible()
    dialog.get_by_label("Why, when lost").fill("Too expensive")
    dialog.get_by_role("button", name="Move").click()
    expect(in_column(page, lead, "lost")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(in_column(page, lead, "open")).to_be_visible()
    assert Lead.objects.get(pk=lead.pk).closed_at is None


def test_cards_sorted_by_hand_are_put_anywhere_in_their_column(opened, people, lead):
    Pipeline.objects.update(sorted_by_hand=True)
    for name in ("Bob", "Cyd"):
        owned(people, last_name=name)
    page = opened(people.owner)
    titles = page.locator("#column-open .card h3")
    expect(titles).to_have_text(["Cyd", "Bob", "Ada Lovelace"])
    page.get_by_role("link", name="Ada Lovelace", exact=True).focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(titles).to_have_text(["Cyd", "Ada Lovelace", "Bob"])
    page.reload()
    expect(titles).to_have_text(["Cyd", "Ada Lovelace", "Bob"])


def test_a_card_that_somebody_sorts_moves_on_the_boards_of_the_others(opened, people, lead):
    Pipeline.objects.update(sorted_by_hand=True)
    for name in ("Bob", "Cyd"):
        owned(people, last_name=name)
    page, other = opened(people.owner), opened(people.manager)
    titles = other.locator("#column-open .card h3")
    expect(titles).to_have_text(["Cyd", "Bob", "Ada Lovelace"])
    page.get_by_role("link", name="Ada Lovelace", exact=True).focus()
    page.keyboard.press("Shift+ArrowUp")
    expect(titles).to_have_text(["Cyd", "Ada Lovelace", "Bob"])
    expect(other.locator(".card.changed")).to_have_count(0)


def test_many_cards_are_moved_at_once(opened, people, lead):
    other = owned(people, last_name="Bob")
    page = opened(people.owner)
    for one in (lead, other):
        card(page, one).hover()
        card(page, one).get_by_role("checkbox").check()
    bar = page.get_by_role("form", name="With the selected leads")
    expect(bar.get_by_text("2 selected")).to_be_visible()
    bar.get_by_label("Stage").select_option("Talks")
    bar.get_by_role("button", name="Move").click()
    for one in (lead, other):
        expect(in_column(page, one, "talks")).to_be_visible()
    expect(bar).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_many_cards_are_put_back_with_one_press_and_what_was_refused_stays_chosen(opened, people, lead, size):
    other, changed = owned(people, last_name="Bob"), owned(people, last_name="Cyd")
    page = opened(people.owner, news=False, viewport=size)
    for one in (lead, other, changed):
        card(page, one).hover()
        card(page, one).get_by_role("checkbox").check()
    edit_lead(changed, {"city": "Berlin"}, actor=people.manager)
    bar = page.get_by_role("form", name="With the selected leads")
    bar.get_by_label("Stage").select_option("Talks")
    bar.get_by_role("button", name="Move").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("2 moved to “Talks”, 1 not.")
    expect(toast).to_contain_text("Cyd: Somebody else changed this lead meanwhile.")
    expect(in_column(page, other, "talks")).to_be_attached()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    expect(card(page, changed).get_by_role("checkbox")).to_be_checked()
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast")).to_contain_text("2 put back where they were.")
    for one in (lead, other):
        expect(in_column(page, one, "open")).to_be_attached()
    assert set(Lead.objects.values_list("stage__slug", flat=True)) == {"open"}


def test_many_cards_are_lost_for_a_reason_that_is_asked_for(opened, people, lead):
    LostReason.objects.create(name="Too expensive")
    page = opened(people.owner)
    card(page, lead).hover()
    card(page, lead).get_by_role("checkbox").check()
    bar = page.get_by_role("form", name="With the selected leads")
    bar.get_by_label("Stage").select_option(value="lost")
    bar.get_by_role("button", name="Move").click()
    reason = page.get_by_role("dialog").get_by_label("Why, when lost")
    expect(reason).to_be_focused()
    wrong = page.get_by_text("Say why the leads were lost.")
    expect(wrong).to_be_hidden()
    page.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(wrong).to_be_visible()
    reason.select_option("Too expensive")
    page.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(in_column(page, lead, "lost")).to_be_visible()
    expect(bar).to_be_hidden()


def test_empty_columns_and_boards_say_so(opened, people, lead):
    page = opened(people.owner)
    expect(page.locator("#column-talks").get_by_text("No leads here")).to_be_visible()
    expect(page.locator("#column-open").get_by_text("No leads here")).to_be_hidden()
    page.goto(page.url + "&q=nobody")
    expect(page.get_by_text("No leads fit. Take a filter away")).to_be_visible()


def test_of_several_moves_of_one_card_only_the_latest_can_be_undone(opened, people, lead):
    page = opened(people.owner)
    for slug in ("talks", "open"):
        move(page, lead, slug)
        expect(in_column(page, lead, slug)).to_be_visible()
        expect(page.locator("#toasts")).to_contain_text(f"“{'Talks' if slug == 'talks' else 'open'}” now")
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)


def test_arrows_skip_empty_columns(opened, people, lead):
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    won = owned(people, last_name="Bob")
    win(won, actor=people.owner)
    page = opened(people.owner)
    card(page, lead).get_by_role("link", name="Ada Lovelace", exact=True).focus()
    ahead = columns(page).index("won") > columns(page).index("talks")
    page.keyboard.press("ArrowRight" if ahead else "ArrowLeft")
    expect(card(page, won).get_by_role("link", name="Bob", exact=True)).to_be_focused()


# --- Against each other ------------------------------------------------------------------------


def test_of_two_who_move_one_card_the_second_gets_it_back_where_it_is_now(opened, people, lead):
    Stage.objects.create(pipeline=lead.stage.pipeline, name="Offer", slug="offer", position=1)
    first, second = opened(people.owner), opened(people.manager, news=False)
    move(first, lead, "talks")
    expect(first.locator("#said")).to_contain_text("is in Talks")
    move(second, lead, "offer")
    expect(second.get_by_role("alert")).to_contain_text("Somebody else changed this lead meanwhile")
    expect(in_column(second, lead, "talks")).to_be_visible()
    expect(card(second, lead)).to_have_attribute("data-version", "1")
    assert Lead.objects.get(pk=lead.pk).stage.slug == "talks"


def test_what_others_do_appears_by_itself_and_leaves_the_open_menu_and_the_scroll(opened, people, lead):
    for number in range(15):
        owned(people, last_name=f"Filler {number}")
    page = opened(people.manager)
    page.get_by_text("Filter", exact=True).click()
    text = page.get_by_label("Text")
    text.fill("half a word")
    scroller = page.locator("#column-open .column-body")
    scroller.evaluate("body => body.scrollTo(0, 400)")
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    expect(in_column(page, lead, "talks")).to_be_visible()
    expect(card(page, lead)).to_have_class(re.compile("changed"))
    expect(text).to_have_value("half a word")
    assert scroller.evaluate("body => body.scrollTop") > 0
    expect(page.locator("#column-talks .count")).to_contain_text("1")


def test_a_card_goes_to_its_place_when_a_task_is_added_and_done(opened, people, lead):
    other = owned(people, last_name="Bob", respond_by=timezone.now() + timedelta(hours=2))
    page = opened(people.manager)
    names = page.locator("#column-open .card h3")
    expect(names).to_have_text([str(other), str(lead)])
    task = add_task(lead, TaskTerms("Call again", timezone.now() + timedelta(hours=1)), actor=people.owner)
    expect(names).to_have_text([str(lead), str(other)])
    expect(card(page, lead)).to_contain_text("Call again")
    finish_task(task, actor=people.owner)
    expect(names).to_have_text([str(other), str(lead)])
    expect(card(page, lead)).not_to_contain_text("Call again")


def test_news_from_before_a_move_do_not_put_the_card_back(opened, people, lead, live_server):
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.manager)
    page = opened(people.owner)
    changes = page.locator("#board").get_attribute("data-changes")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    asked = {"csrfmiddlewaretoken": token, "since": heard_up_to(0)}
    late = page.request.post(f"{live_server.url}{changes}", form=asked)
    assert str(lead.uid) in late.text()
    move(page, lead, "open")
    expect(card(page, lead)).to_have_attribute("data-version", "2")
    page.route("**/changes/**", lambda route: route.fulfill(response=late))
    for _ in range(2):  # the second is asked for when the first is on the board
        page.wait_for_event("request", lambda request: "/changes/" in request.url)
    expect(in_column(page, lead, "open")).to_be_visible()
    expect(card(page, lead)).to_have_attribute("data-version", "2")


def test_a_board_that_is_read_again_waits_for_the_card_that_is_dragged(opened, people, lead):
    other = owned(people, last_name="Bob")
    page = opened(people.owner, news=False)
    card(page, other).locator(".pick").check()
    take(card(page, lead).locator(".owner"))
    move_on(other, Stage.objects.get(slug="talks"), actor=people.manager)
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/board/sales/?who=team")):
        page.unroute("**/changes/**")
        page.route("**/changes/**", told_too_much)
    page.evaluate("() => new Promise((done) => setTimeout(done))")  # what the page does with the answer is done
    expect(page.locator(".sortable-ghost")).to_be_attached()
    let_go(page.locator("#column-talks .column-body"), in_column(page, lead, "talks"))
    for moved in (lead, other):
        expect(in_column(page, moved, "talks")).to_be_visible()
    expect(card(page, other).locator(".pick")).to_be_checked()
    assert Lead.objects.get(pk=lead.pk).stage.slug == "talks"


def told_too_much(route: Route) -> None:
    """Tell a board that more happened than it can be told of."""
    body = '<div id="board-changes" data-too-many></div>'
    route.fulfill(body=body, content_type="text/html", headers={"X-Newest-Event": "1"})


def test_after_a_gap_in_the_network_the_board_catches_up(opened, people, lead):
    page = opened(people.manager)
    page.context.set_offline(True)
    expect(page.get_by_text("Offline")).to_be_visible()
    move_on(lead, Stage.objects.get(slug="talks"), actor=people.owner)
    expect(in_column(page, lead, "open")).to_be_visible()
    page.context.set_offline(False)
    expect(in_column(page, lead, "talks")).to_be_visible()
    expect(page.get_by_text("Offline")).to_be_hidden()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_of_two_who_claim_one_lead_the_second_is_told_kindly(opened, people, size):
    pool = make_pool("Offers", people.owner.rep, people.teammate.rep, method="claim")
    publish(make_rule_set("Offers", pool=pool))
    services.assign_lead(make_lead(last_name="Offered").pk)
    mine = "/board/sales/?who=mine"
    first, second = opened(people.owner, mine, viewport=size), opened(people.teammate, mine, news=False, viewport=size)
    for page in (first, second):
        page.evaluate("window.stays = true")
        expect(page.get_by_role("button", name=re.compile("Take it.*Offered"))).to_be_visible()
    first.get_by_role("button", name=re.compile("Take it.*Offered")).click()
    expect(first.locator(".toast.success")).to_have_text("Offered is yours.")
    expect(first.locator(".board").get_by_role("link", name="Offered", exact=True)).to_be_visible()
    second.get_by_role("button", name=re.compile("Take it.*Offered")).click()
    expect(second.locator(".toast.info")).to_have_text("Owner Person was faster: Offered is taken.")
    for page in (first, second):
        expect(page.get_by_role("button", name=re.compile("Take it.*Offered"))).to_have_count(0)
        expect(page.locator(".message.error")).to_have_count(0)
        assert page.evaluate("window.stays"), "the page was loaded again"
    assert Lead.objects.get().owner == people.owner


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_lead_is_accepted_on_its_card_and_the_board_stays(opened, people, lead, size):
    page = opened(people.owner, viewport=size)
    page.evaluate("window.stays = true")
    scrolled = page.locator("#board").evaluate("board => board.scrollLeft")
    card(page, lead).get_by_role("button", name="Accept Ada Lovelace").click()
    expect(page.locator(".toast.success")).to_have_text("You have accepted Ada Lovelace.")
    expect(card(page, lead).get_by_role("button", name="Accept Ada Lovelace")).to_have_count(0)
    expect(card(page, lead).locator(".badge")).to_have_text("Accepted")
    assert page.evaluate("window.stays")
    assert page.locator("#board").evaluate("board => board.scrollLeft") == scrolled
    assert Lead.objects.get(pk=lead.pk).accepted_at


# --- What is rough -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_rough_names_stay_within_their_cards(opened, people, lead, axe, size, scheme, tmp_path):
    for name in ROUGH:
        words = name[:100]
        owned(people, first_name=words, last_name=words, company=(name * 4)[:200], product=words)
    page = opened(people.owner, viewport=size, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    spill = "cards => cards.filter((card) => card.scrollWidth > card.clientWidth + 1).map((card) => card.innerText)"
    assert page.eval_on_selector_all(".card", spill) == []
    assert axe(page) == []
    page.screenshot(path=tmp_path / "rough.png")
