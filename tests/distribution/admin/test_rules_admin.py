import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from distribution.models import Condition, RoutingRule, RuleSet, Territory
from pipeline.models import Team
from tests.distribution.admin.rulepages import add_rule_page, errors_of, posted, rule_page, rule_set_page
from tests.distribution.setups import make_rule, make_rule_set, make_user, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    """A signed-in person who may do everything with rules, and nothing else."""
    user = make_user("ops", is_staff=True)
    models = ("ruleset", "routingrule")
    user.user_permissions.set(Permission.objects.filter(content_type__model__in=models))
    client.force_login(user)
    return user


# --- Adding and changing rules -------------------------------------------------------------------


def test_a_rule_with_a_condition_of_each_kind_is_saved_as_the_engine_reads_it(staff, client):
    draft = make_rule_set()
    dach = Territory.objects.create(name="DACH, north")
    response = client.post(
        add_rule_page(draft),
        posted(
            draft,
            (1, "country", "any_of", "de, Austria, CH"),
            (1, "employees", "gte", "200"),
            (1, "value", "between", "10.5, 1000"),
            (2, "account_owned", "is", "yes"),
            (2, "company", "is", "Müller, Sons"),
            (2, "city", "any_of", 'Bern, "Basel, old town"'),
            (3, "territory", "in_territory", '"DACH, north"'),
            (3, "message", "not_blank", "ignored"),
            (3, "company", "matches", "^ac.e, inc$"),
        ),
    )
    assert response.status_code == 302, errors_of(response)
    assert response.url == rule_set_page(draft)
    stored = list(draft.rules.get().conditions.values_list("group", "field", "operator", "value"))
    assert stored == [
        (1, "country", "any_of", ["DE", "AT", "CH"]),
        (1, "employees", "gte", 200),
        (1, "value", "between", ["10.5", 1000]),
        (2, "account_owned", "is", True),
        (2, "company", "is", "Müller, Sons"),
        (2, "city", "any_of", ["Bern", "Basel, old town"]),
        (3, "territory", "in_territory", [dach.pk]),
        (3, "message", "not_blank", None),
        (3, "company", "matches", "^ac.e, inc$"),
    ]


def test_what_a_form_shows_can_be_saved_again_without_a_change(staff, client):
    draft = make_rule_set()
    north = Territory.objects.create(name="DACH, north")
    conditions = [
        ("country", "any_of", ["DE", "AT"]),
        ("city", "none_of", ['say "hi"', "Basel, old town"]),
        ("territory", "in_territory", [north.pk]),
        ("account_owned", "is", False),
        ("value", "between", ["10.5", 1000]),
        ("message", "blank", None),
    ]
    rule = make_rule(draft, "Large", *conditions, pool=draft.catch_all_pool, weekdays=[1, 5])
    page = client.get(rule_page(rule))
    form, (inline,) = page.context["adminform"].form, page.context["inline_admin_formsets"]
    shown = [[row[name].value() for name in ("group", "field", "operator", "value")] for row in inline.formset.forms]
    stored = list(zip(rule.conditions.all(), shown, strict=True))
    before = list(rule.conditions.values())
    data = posted(draft, stored=stored, weekdays=[str(day) for day in form["weekdays"].value()])
    response = client.post(rule_page(rule), data)
    assert response.status_code == 302, errors_of(response)
    assert list(rule.conditions.values()) == before
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


@pytest.mark.parametrize(
    ("condition", "field", "says"),
    [
        (("x", "employees", "is", "5"), "group", "whole number"),
        ((1, "", "is", "5"), "field", "required"),
        ((1, "colour", "is", "red"), "field", "not one of"),
        ((1, "employees", "", "5"), "operator", "required"),
        ((1, "employees", "like", "5"), "operator", "not one of"),
        ((1, "employees", "contains", "5"), "operator", "does not fit Employees"),
        ((1, "employees", "is", ""), "value", "Give a value"),
        ((1, "employees", "is", "many"), "value", "is not a number"),
        ((1, "employees", "is", "1e999999999"), "value", "too many digits"),
        ((1, "employees", "is", "NaN"), "value", "is not a number"),
        ((1, "employees", "between", "10"), "value", "two values"),
        ((1, "employees", "between", "10, 5"), "value", "lower one first"),
        ((1, "country", "is", "Narnia"), "value", "not one of the choices"),
        ((1, "country", "any_of", "DE, Narnia"), "value", "'Narnia' is not one of the choices"),
        ((1, "country", "any_of", " , ,"), "value", "at least one value"),
        ((1, "account_owned", "is", "maybe"), "value", "neither true nor false"),
        ((1, "attr.start", "gt", "tomorrow"), "value", "is not a date"),
        ((1, "company", "matches", "(a+)+$"), "value", "hang"),
        ((1, "company", "matches", "(["), "value", "not a valid pattern"),
        ((1, "territory", "in_territory", "Atlantis"), "value", "no territory 'Atlantis'"),
        ((1, "company", "is", "x" * 2001), "value", "at most 2000"),
        ((1, "company", "is", "nul\0"), "value", "Null characters"),
        ((1, "company", "is", "\u0301"), "value", "Give a value"),
        ((99999999999, "company", "is", "x"), "group", "less than or equal"),
        ((-1, "company", "is", "x"), "group", "greater than or equal"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_work_is_refused_on_its_field_and_nothing_is_saved(
    staff, client, condition, field, says
):
    from pipeline.models import AttributeDefinition

    AttributeDefinition.objects.create(key="start", label="Start", type="date")
    draft = make_rule_set()
    response = client.post(add_rule_page(draft), posted(draft, condition))
    assert says in errors_of(response)[f"conditions-0-{field}"]
    assert not RoutingRule.objects.exists()
    assert not Condition.objects.exists()


def until(end, since):
    return {"valid_from_0": since, "valid_from_1": "0:00", "valid_until_0": end, "valid_until_1": "0:00"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"target": "nowhere"}, "target"),
        ({"pool": ""}, "pool"),
        ({"pool": "rubbish"}, "pool"),
        ({"target": "rep"}, "rep"),
        ({"target": "team_queue"}, "team"),
        ({"if_unavailable": "fallback"}, "fallback_pool"),
        ({"if_unavailable": "pray"}, "if_unavailable"),
        ({"weekdays": ["8"]}, "weekdays"),
        ({"from_time": "09:00"}, "to_time"),
        ({"to_time": "17:00"}, "from_time"),
        ({"from_time": "09:00", "to_time": "09:00"}, "to_time"),
        ({"from_time": "25:00", "to_time": "17:00"}, "from_time"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"set_priority": "99999999"}, "set_priority"),
        (until("2026-01-01", since="2026-02-01"), "valid_until"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused_on_its_field_and_nothing_is_saved(staff, client, fields, field):
    draft = make_rule_set()
    response = client.post(add_rule_page(draft), posted(draft, **fields))
    assert list(errors_of(response)) == [field]
    assert not RoutingRule.objects.exists()


def test_what_belongs_to_another_target_is_dropped(staff, client):
    draft, team = make_rule_set(), Team.objects.create(name="Inside")
    rep = draft.catch_all_pool.members.get().rep
    fields = {"target": "rep", "rep": rep.pk, "team": team.pk, "fallback_pool": draft.catch_all_pool_id}
    client.post(add_rule_page(draft), posted(draft, **fields))
    rule = draft.rules.get()
    assert (rule.rep, rule.pool, rule.team, rule.fallback_pool) == (rep, None, None, None)


def test_a_rule_can_change_its_target(staff, client):
    draft = make_rule_set()
    rule = make_rule(draft, "Large", pool=draft.catch_all_pool)
    rep = draft.catch_all_pool.members.get().rep
    response = client.post(rule_page(rule), posted(draft, target="rep", rep=rep.pk, pool=draft.catch_all_pool_id))
    assert response.status_code == 302, errors_of(response)
    rule.refresh_from_db()
    assert (rule.target, rule.rep, rule.pool) == ("rep", rep, None)


def test_a_new_rule_comes_last(staff, client):
    draft = make_rule_set()
    make_rule(draft, "First", pool=draft.catch_all_pool, position=7)
    client.post(add_rule_page(draft), posted(draft))
    assert [rule.name for rule in draft.rules.all()] == ["First", "Large"]


def test_conditions_can_be_changed_and_removed(staff, client):
    draft = make_rule_set()
    rule = make_rule(draft, "Large", ("score", "gt", 1), ("score", "lt", 9), pool=draft.catch_all_pool)
    first, second = rule.conditions.all()
    stored = [(first, (1, "score", "gt", "5")), (second, (1, "score", "lt", "9"))]
    data = posted(draft, stored=stored) | {"conditions-1-DELETE": "on"}
    assert client.post(rule_page(rule), data).status_code == 302
    assert list(rule.conditions.values_list("operator", "value")) == [("gt", 5)]


def test_a_condition_on_a_field_that_is_gone_stays_visible_and_is_refused(staff, client):
    draft = make_rule_set()
    rule = make_rule(draft, "Large", ("attr.gone", "is", "x"), pool=draft.catch_all_pool)
    page = client.get(rule_page(rule))
    assert "attr.gone (gone)" in page.text
    response = client.post(
        rule_page(rule), posted(draft, stored=[(rule.conditions.get(), (1, "attr.gone", "is", "y"))])
    )
    assert "There is no field" in errors_of(response)["conditions-0-field"]


def test_every_input_of_a_condition_has_a_name_for_screen_readers(staff, client):
    draft = make_rule_set()
    page = client.get(rule_page(make_rule(draft, "Large", ("score", "gt", 1), pool=draft.catch_all_pool))).text
    inputs = re.findall(r'<(?:input|select)[^>]*name="conditions-(?:0|__prefix__)-(?!id|rule)[^>]*>', page)
    assert len(inputs) >= 8
    assert [found for found in inputs if "aria-label" not in found] == []


def test_the_page_carries_the_catalogue_as_data_and_no_script_of_its_own(staff, client):
    draft = make_rule_set()
    Territory.objects.create(name="</script><script>alert(1)</script>")
    page = client.get(add_rule_page(draft))
    data = re.search(r'<script id="condition-catalogue" type="application/json">(.*?)</script>', page.text, re.DOTALL)
    catalogue = json.loads(data[1])
    assert catalogue["fields"]["employees"]["type"] == "number"
    assert ["DE", "Germany"] in catalogue["fields"]["country"]["options"]
    assert "between" in catalogue["fields"]["employees"]["operators"]
    assert catalogue["fields"]["territory"]["options"][0][0].startswith("</script>")


# --- Published ones ------------------------------------------------------------------------------


@pytest.mark.parametrize("archived", [False, True])
def test_rules_of_a_published_set_are_read_only_with_a_way_to_change_them(staff, client, archived):
    rule_set = make_rule_set()
    rule = make_rule(rule_set, "Large", ("score", "gt", 1), pool=rule_set.catch_all_pool)
    publish(rule_set)
    if archived:
        publish(make_rule_set("Next"))
    page = client.get(rule_page(rule))
    assert page.status_code == 200
    assert "never changes" in page.text
    assert "Clone to change" in page.text
    assert 'name="name"' not in page.text
    assert 'name="conditions-0-value"' not in page.text
    assert client.post(rule_page(rule), posted(rule_set, name="Other")).status_code == 403
    assert (
        client.post(reverse("admin:distribution_routingrule_delete", args=[rule.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert client.post(rule_set_page(rule_set, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(rule_set_page(rule_set), {"name": "Other"}).status_code == 403
    assert RoutingRule.objects.get(pk=rule.pk).name == "Large"


def test_no_rule_is_added_to_a_published_set(staff, client):
    live = publish(make_rule_set())
    response = client.post(add_rule_page(live), posted(live))
    assert list(errors_of(response)) == ["rule_set"]
    assert not RoutingRule.objects.exists()


def test_a_form_that_stood_open_while_the_set_was_published_saves_nothing_and_says_so(staff, client, monkeypatch):
    draft = make_rule_set()
    rule = make_rule(draft, "Large", pool=draft.catch_all_pool)
    from distribution.admin import rules

    lock = rules.lock_draft

    def rival_publishes_first(rule_set):
        publish(RuleSet.objects.get(pk=draft.pk))
        return lock(rule_set)

    monkeypatch.setattr(rules, "lock_draft", rival_publishes_first)
    response = client.post(rule_page(rule), posted(draft, name="Other"), follow=True)
    assert "Nothing was saved." in response.text
    rule.refresh_from_db()
    assert rule.name == "Large"
