"""The page of a lead in a real browser: what reps do on it by mouse, by keys, on a phone and without scripts."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution import services
from distribution.models import Rep
from pipeline.models import Event, Lead, Stage, Task
from pipeline.services.leads import edit_lead
from tests.browser.pages import DESKTOP, SIZES, go_by, log_contact, settled, unfold_all
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    pool = make_pool("DACH", Rep.objects.get(user=people.owner), team=people.team)
    rules = make_rule_set(pool=pool)
    make_rule(rules, "Everything", pool=pool)
    publish(rules)
    Stage.objects.create(pipeline=stages()["open"].pipeline, slug="offer", name="Offer", position=1)
    lead = make_lead(first_name="Ada", last_name="Lovelace", email="ada@engines.example", phone="+442071838750")
    services.assign_lead(lead.pk)
    return Lead.objects.get(pk=lead.pk)


@pytest.fixture
def open_page(page: Page, live_server, people, lead, sign_in):
    """Opens the lead's page as its owner, or somebody else, sees it."""

    def go(size=DESKTOP, user=people.owner):
        sign_in(user, page.context)
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/leads/{lead.uid}/")
        return settled(page)

    return go


def unfold(page: Page, words: str) -> None:
    page.locator("summary", has_text=words).click()


@SIZES
def test_a_rep_accepts_logs_a_call_and_writes_a_note(open_page, lead, complaints, size):
    page = open_page(size)
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".messages")).to_contain_text("You have accepted Ada Lovelace.")
    log_contact(page, "Wants a demo <b>today</b>")
    expect(page.locator(".timeline")).to_contain_text("Wants a demo <b>today</b>")
    page.get_by_label("Note", exact=True).fill("Likes trains")
    page.get_by_role("button", name="Add this note").click()
    expect(page.locator(".timeline li").first).to_contain_text("Likes trains")
    lead.refresh_from_db()
    assert lead.accepted_at
    assert lead.first_contacted_at
    assert complaints == []


@SIZES
def test_a_task_is_planned_done_and_followed_by_the_next(open_page, lead, complaints, size):
    page = open_page(size)
    unfold(page, "Add a task")
    page.locator("#task_text").fill("Send the offer")
    page.get_by_label("By when").fill(f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Add this task").click()
    page.get_by_role("button", name=re.compile("Done.*Send the offer")).click()
    expect(page.get_by_role("heading", name="What is next for Ada Lovelace?")).to_be_in_viewport()
    expect(page.locator(".messages", has_text="Done: Send the offer.")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name=re.compile("Call again tomorrow")).click()
    expect(page.locator(".tasks")).to_contain_text("Call again")
    assert set(Task.objects.values_list("text", "end")) == {("Send the offer", "done"), ("Call again", "")}
    assert complaints == []


@SIZES
def test_fields_are_edited_in_their_place_and_a_mistake_is_told_there(open_page, lead, size):
    page = open_page(size)
    page.get_by_role("link", name="Edit").click()
    settled(page)
    page.get_by_label("E-mail").fill("nonsense")
    page.get_by_label("City").fill("Berlin")
    page.get_by_role("button", name="Save").click()
    email = page.get_by_label("E-mail")
    expect(page.locator("#edit_email_error")).to_be_visible()
    expect(email).to_be_focused()
    expect(page.locator(".faults a")).to_have_text(["E-mail"])
    expect(page).to_have_url(re.compile(f"/leads/{lead.uid}/$"))
    expect(page.get_by_label("City")).to_have_value("Berlin")
    email.fill("ada@new.example")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messages")).to_contain_text("Ada Lovelace was changed.")
    lead.refresh_from_db()
    assert (lead.email, lead.city) == ("ada@new.example", "Berlin")


@SIZES
def test_who_edits_at_the_same_time_as_somebody_else_is_shown_that_below_a_long_form(open_page, people, lead, size):
    page = open_page(size)
    page.get_by_role("link", name="Edit").click()
    settled(page)
    page.get_by_label("City").fill("London")
    edit_lead(lead, {"job_title": "Countess"}, actor=people.manager)
    page.get_by_role("button", name="Save").click()
    told = page.get_by_text("Somebody else changed this lead meanwhile.")
    expect(told).to_be_in_viewport()
    expect(page.locator(".faults")).to_be_focused()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messages")).to_contain_text("Ada Lovelace was changed.")
    lead.refresh_from_db()
    assert (lead.city, lead.job_title) == ("London", "Countess")


@pytest.mark.parametrize(
    ("fold", "button", "field", "said"),
    [
        ("", "Log this contact", "contact_direction", "Say who reached out: you, or they."),
        ("", "Add this note", "note_text", "Write the note first."),
        ("Add a task", "Add this task", "task_due_at", "Give a moment, such as tomorrow at nine."),
        ("Snooze", "Snooze until then", "snooze_until", "Give a moment, such as tomorrow at nine."),
        ("Return or pass on", "Return it", "return_reason", "Say why."),
    ],
)
def test_what_is_missing_is_told_where_it_is_missing_and_what_was_typed_stays(
    open_page, lead, fold, button, field, said
):
    page = open_page()
    page.get_by_label("What came of it").fill("Typed elsewhere")
    if fold:
        unfold(page, fold)
    page.get_by_role("button", name=button).click()
    expect(page.locator(f"#{field}")).to_be_focused()
    expect(page.locator(f"#{field}_error")).to_contain_text(said)
    expect(page.get_by_label("What came of it")).to_have_value("Typed elsewhere")


@SIZES
def test_a_lead_is_snoozed_with_one_press(open_page, lead, size):
    page = open_page(size)
    unfold(page, "Snooze")
    page.get_by_role("button", name="In 3 days").click()
    expect(page.locator(".messages")).to_contain_text("Ada Lovelace is snoozed until")
    lead.refresh_from_db()
    assert timedelta(days=2) < lead.snoozed_until - timezone.now() < timedelta(days=4)


def test_a_stage_is_pressed_and_lost_asks_for_the_reason(open_page, lead, complaints):
    page = open_page()
    page.get_by_role("button", name="Offer").click()
    expect(page.locator(".steps .current")).to_have_text("Offer")
    page.locator("details.close summary", has_text="lost").click()
    page.get_by_role("button", name="Close it: lost").click()
    expect(page.get_by_text("Say why the lead was lost.")).to_be_visible()
    page.get_by_label("Why it was lost").fill("No budget")
    page.get_by_role("button", name="Close it: lost").click()
    expect(page.locator(".badge").first).to_have_text("Lost")
    assert complaints == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]


@SIZES
def test_closing_is_asked_over_the_page_which_stays_where_it_is(open_page, lead, size):
    page = open_page(size)
    won, lost, below = (
        page.locator("summary", has_text="won"),
        page.locator("summary", has_text="lost"),
        page.locator(".standing"),
    )
    before = [part.bounding_box() for part in (won, lost, below)]
    won.click()
    page.get_by_label("Currency").select_option("CHF")
    assert [part.bounding_box() for part in (won, lost, below)] == before
    form = page.locator(".close[open] form").bounding_box()
    assert form
    assert 0 <= form["x"] <= form["x"] + form["width"] <= size["width"]
    page.locator(".close[open]").get_by_role("link", name="Cancel").click()
    expect(page.get_by_label("Currency")).to_be_hidden()
    expect(won).to_be_focused()


def test_keys_open_what_they_stand_for_but_not_while_somebody_types(open_page, lead):
    page = open_page()
    page.keyboard.press("n")
    note = page.get_by_label("Note", exact=True)
    expect(note).to_be_focused()
    page.keyboard.type("talent")  # a, t, l and n are keys
    expect(note).to_have_value("talent")
    expect(page.locator("#task_text")).to_be_hidden()
    note.blur()
    first = {"l": "contact_direction", "s": "snooze_reason", "p": "give-back_reason", "e": "edit_first_name"}
    for key, field in first.items():
        page.keyboard.press(key)
        expect(settled(page).locator(f"#{field}")).to_be_focused()
        page.locator(f"#{field}").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    go_by(page, "a")
    expect(page.locator(".messages")).to_contain_text("You have accepted")


def test_who_does_not_want_keys_switches_them_off(open_page, lead):
    page = open_page()
    page.keyboard.press("?")
    page.get_by_label("Use keys in this browser").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("n")
    expect(page.get_by_label("Note", exact=True)).not_to_be_focused()
    page.reload()
    page.keyboard.press("?")
    expect(page.get_by_label("Use keys in this browser")).not_to_be_checked()


def test_the_address_is_copied(open_page, lead, live_server):
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toasts")).to_contain_text("The link was copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{live_server.url}/leads/{lead.uid}/"


def test_a_manager_passes_the_lead_on_without_leaving_the_page(open_page, people, lead):
    page = open_page(user=people.manager)
    unfold(page, "Return or pass on")
    page.locator("#pass-on_to").select_option(label="Teammate Person")
    page.get_by_role("button", name="Pass it on").click()
    expect(page.locator(".standing")).to_contain_text("Teammate Person")


def test_the_history_is_filtered_and_grows_in_place(open_page, lead, complaints):
    Event.objects.bulk_create(
        Event(lead=lead, kind=Event.Kind.NOTED, data={"text": f"Note {number}."}) for number in range(45)
    )
    page = open_page()
    page.locator(".history").get_by_role("link", name="Notes and tasks").click()
    expect(page.locator(".history").get_by_role("link", name="Notes and tasks")).to_have_attribute(
        "aria-current", "true"
    )
    lines = page.locator(".timeline > li:not(.older)")
    expect(lines).to_have_count(30)
    page.get_by_role("link", name="Show older").click()
    expect(lines).to_have_count(45)
    expect(page.get_by_role("link", name="Show older")).to_have_count(0)
    assert complaints == []


def test_without_scripts_the_page_does_it_all(live_server, new_context, people, lead, sign_in):
    context = new_context(java_script_enabled=False)
    sign_in(people.owner, context)
    page = context.new_page()
    page.goto(f"{live_server.url}/leads/{lead.uid}/")
    page.get_by_role("link", name="Edit").click()
    settled(page)
    page.get_by_label("City").fill("Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".facts")).to_contain_text("Berlin")
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()
    unfold(page, "Return or pass on")
    page.get_by_role("link", name="Return it as invalid, or let somebody else have it").click()
    page.get_by_label("What is wrong with it").fill("A job seeker")
    page.get_by_role("button", name="Return it").click()
    expect(page.locator(".messages")).to_contain_text("was returned as invalid")


NAUGHTY = {
    "first_name": "W" * 100,
    "last_name": "Ü" * 100,
    "company": "A company whose name goes on " * 6,
    "job_title": "<script>alert(1)</script> Head of " * 4,
    "message": "<img src=x onerror=alert(1)>\n" + "x" * 3000,
    "product": "“><svg onload=alert(1)>" * 4,
    "tags": ["<i>t</i>", "محمد عبد الله", "👩‍👩‍👧‍👦" * 10],
    "city": "القاهرة",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SIZES
def test_every_state_of_the_page_is_accessible_and_fits(open_page, people, lead, axe, live_server, size, scheme):
    Lead.objects.filter(pk=lead.pk).update(**NAUGHTY)
    make_lead(email=lead.email, **NAUGHTY, owner=people.owner, routing_state="assigned")
    task = Task.objects.create(lead=lead, text="<u>Call</u>" + "w" * 180, due_at=timezone.now() - timedelta(hours=1))
    alerts: list[str] = []
    page = open_page(size)
    page.on("dialog", lambda dialog: alerts.append(dialog.message) or dialog.dismiss())  # type: ignore[func-returns-value]
    page.emulate_media(color_scheme=scheme)
    paths = (
        f"/leads/{lead.uid}/?edit",
        f"/leads/{lead.uid}/?done=1",
        f"/tasks/{task.pk}/",
        f"/leads/{lead.uid}/history/",
    )
    for path in (*paths, f"/leads/{lead.uid}/pass-on/ways/"):
        page.goto(live_server.url + path)
        unfold_all(page)
        assert (path, axe(page)) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
    assert alerts == []
