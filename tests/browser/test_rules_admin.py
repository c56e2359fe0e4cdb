"""An admin builds rules with mouse and keyboard, publishes them, and the next lead follows."""

import json
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect

from distribution.models import Condition, Decision, RuleSet, Skill, Territory
from pipeline.models import AttributeDefinition
from pipeline.services.keys import issue_key
from tests.browser.pages import drag
from tests.distribution.setups import make_pool, make_rule, make_rule_set, make_user, publish
from tests.distribution.world import make_source, stages


@pytest.fixture
def admin(page: Page, sign_in, complaints):
    """A page on which somebody has signed in who may do everything, and about which the browser does not complain."""
    sign_in(make_user("boss", is_staff=True, is_superuser=True), page.context)
    yield page
    assert complaints == []


def open_rule_set(page: Page, live_server, rule_set: RuleSet) -> None:
    page.goto(f"{live_server.url}/admin/distribution/ruleset/{rule_set.pk}/change/")


def post_lead(live_server, key: str, **fields) -> dict:
    body = json.dumps(fields).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = Request(f"{live_server.url}/api/v1/leads/", body, headers)
    with urlopen(request) as answer:
        return json.load(answer)


def add_condition(page: Page, row: int, field: str, comparison: str):
    """Add a row and choose its field and comparison; returns the cell of its value."""
    page.get_by_role("link", name="Add another Condition").click()
    page.locator(f"#id_conditions-{row}-field").select_option(label=field)
    page.locator(f"#id_conditions-{row}-operator").select_option(label=comparison)
    return value_of(page, row)


def value_of(page: Page, row: int):
    """The inputs for the value of a condition."""
    return page.locator(".form-group", has=page.locator(f"#id_conditions-{row}-field")).locator(".condition-value")


def test_a_condition_of_each_kind_is_entered_with_an_input_that_suits_it(live_server, admin: Page, axe):
    stages(), make_source(name="Web form")
    AttributeDefinition.objects.create(key="start", label="Start", type="date")
    north = Territory.objects.create(name="DACH, north")
    Skill.objects.create(name="Turbines")
    draft = make_rule_set()
    open_rule_set(admin, live_server, draft)
    with admin.expect_navigation():
        admin.get_by_role("link", name="Add rule").click()
    admin.get_by_label("Name").fill("Everything")

    value = add_condition(admin, 0, "Country", "is any of")
    value.get_by_role("searchbox").fill("austr")
    value.get_by_label("Austria").check()
    value.get_by_role("searchbox").fill("german")
    value.get_by_label("Germany").check()
    expect(value.locator("summary")).to_have_text("Austria, Germany")
    add_condition(admin, 1, "Source", "is").get_by_role("combobox").select_option(label="Web form")
    add_condition(admin, 2, "Employees", "is at least").get_by_role("spinbutton").fill("200")
    between = add_condition(admin, 3, "Score", "is between").get_by_role("spinbutton")
    between.nth(0).fill("10")
    between.nth(1).fill("90")
    add_condition(admin, 4, "Account has an owner", "is").get_by_role("combobox").select_option(label="No")
    add_condition(admin, 5, "Start", "is more than").locator("input[type=date]").fill("2026-01-31")
    add_condition(admin, 6, "Territory", "is in territory").get_by_label("DACH, north").check()
    products = add_condition(admin, 7, "Product", "is any of")
    products.get_by_label("Turbines").check()
    products.get_by_placeholder("Other values").fill("Pumps, small")
    add_condition(admin, 8, "Company", "contains")
    admin.locator("#id_conditions-8-value").fill("GmbH, & Co")
    add_condition(admin, 9, "Message", "is not blank")
    expect(admin.locator("#id_conditions-9-value")).to_be_hidden()

    assert axe(admin) == []
    admin.get_by_label("Pool", exact=True).select_option(label="Main rest")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_role("heading", name="Rules, in the order")).to_be_visible()
    assert list(Condition.objects.order_by("id").values_list("field", "operator", "value")) == [
        ("country", "any_of", ["AT", "DE"]),
        ("source", "is", "web"),
        ("employees", "gte", 200),
        ("score", "between", [10, 90]),
        ("account_owned", "is", False),
        ("attr.start", "gt", "2026-01-31"),
        ("territory", "in_territory", [north.pk]),
        ("product", "any_of", ["Turbines", "Pumps", "small"]),
        ("company", "contains", "GmbH, & Co"),
        ("message", "not_blank", None),
    ]


def test_a_stored_rule_opens_as_it_is_and_its_operators_follow_the_field(live_server, admin: Page):
    draft = make_rule_set()
    conditions = [("country", "any_of", ["DE", "AT"]), ("employees", "is", 5)]
    rule = make_rule(draft, "Large", *conditions, pool=draft.catch_all_pool, weekdays=[2])
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    admin.goto(f"{live_server.url}/admin/distribution/routingrule/{rule.pk}/change/")
    expect(value_of(admin, 0).locator("summary")).to_have_text("Germany, Austria")
    admin.locator("#id_conditions-1-field").select_option(label="Country")
    offered = admin.locator("#id_conditions-1-operator option").all_text_contents()
    assert offered == ["Select value", "is", "is not", "is any of", "is none of", "is blank", "is not blank"]
    admin.locator("#id_conditions-1-operator").select_option(label="is not")
    value_of(admin, 1).locator("select").select_option(label="France")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("Country is any of Germany, Austria and Country is not France")).to_be_visible()
    assert list(rule.required_skills.values_list("name", flat=True)) == ["Turbines"]
    rule.refresh_from_db()
    assert rule.weekdays == [2]


def test_only_the_input_of_the_chosen_target_is_shown(live_server, admin: Page):
    draft = make_rule_set()
    admin.goto(f"{live_server.url}/admin/distribution/routingrule/add/?rule_set={draft.pk}")
    shown = {"A pool": "pool", "One rep": "rep", "A team's queue": "team", "The account's owner": ""}
    for label, field in shown.items():
        admin.get_by_label("Target").select_option(label=label)
        for name in ("pool", "rep", "team"):
            expect(admin.locator(f"#id_{name}")).to_be_visible(visible=name == field)


def test_a_refused_condition_shows_its_reason_and_keeps_what_was_typed(live_server, admin: Page):
    draft = make_rule_set()
    admin.goto(f"{live_server.url}/admin/distribution/routingrule/add/?rule_set={draft.pk}")
    admin.get_by_label("Name").fill("Odd")
    admin.get_by_label("Pool", exact=True).select_option(label="Main rest")
    add_condition(admin, 0, "Company", "matches pattern")
    admin.locator("#id_conditions-0-value").fill("(a+)+$")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("can make matching hang")).to_be_visible()
    expect(admin.locator("#id_conditions-0-value")).to_have_value("(a+)+$")


def test_an_admin_reorders_publishes_and_the_next_posted_lead_follows(live_server, admin: Page, axe):
    stages()
    _, key = issue_key(make_source())
    live = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(live, "Small", ("employees", "lt", 1000), pool=make_pool("Juniors", "Jo"))
    make_rule(live, "German", ("country", "is", "DE"), pool=make_pool("Seniors", "Sam"))
    publish(live)
    post_lead(live_server, key, email="one@first.example", country="DE", employees=10)
    assert Decision.objects.get().winner.name == "Jo"

    open_rule_set(admin, live_server, live)
    assert axe(admin) == []
    expect(admin.locator("[aria-label='Move “German” up']")).to_have_count(0)
    with admin.expect_navigation():
        admin.get_by_role("button", name="Clone").click()
    lines = admin.locator(".rule-line .rule-name")
    expect(lines).to_have_text(["Small", "German"])
    handles = admin.locator(".rule-handle[title]")
    first = admin.locator("ol > .rule-line:not(.sortable-fallback)").first  # that one goes with the pointer
    drag(handles.nth(1), to=handles.nth(0), arrived=first.get_by_role("link", name="German"))
    expect(admin.get_by_role("status")).to_have_text("Order saved.")
    expect(lines).to_have_text(["German", "Small"])
    admin.get_by_role("button", name="Move “German” down").click()
    expect(lines).to_have_text(["Small", "German"])
    admin.get_by_role("button", name="Move “German” up").press("Enter")
    expect(lines).to_have_text(["German", "Small"])
    assert axe(admin) == []

    admin.get_by_role("link", name="Publish…").click()
    expect(admin.get_by_text("The order is now: German, Small.")).to_be_visible()
    assert axe(admin) == []
    admin.get_by_role("button", name="Publish now").click()
    expect(admin.get_by_text("Version 2 is live.")).to_be_visible()
    answer = post_lead(live_server, key, email="two@second.example", country="DE", employees=10)
    assert Decision.objects.latest("id").winner.name == "Sam"
    assert "German" in answer["summary"]


def test_a_lead_is_tested_from_the_page_of_a_draft(live_server, admin: Page, axe):
    stages(), make_source()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(draft, "German", ("country", "is", "DE"), pool=make_pool("Seniors", "Sam"))
    open_rule_set(admin, live_server, draft)
    with admin.expect_navigation():
        admin.locator("main, #main").get_by_role("link", name="Test a lead").click()
    admin.get_by_label("Country").fill("Germany")
    admin.get_by_role("button", name="Test", exact=True).click()
    expect(admin.get_by_role("status")).to_contain_text("Assigned to Sam: rule “German”")
    assert axe(admin) == []
