import json
import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from distribution.models import Condition, RoutingRule, RuleSet, Skill, Territory
from pipeline.models import Team
from tests.distribution.setups import make_pool, make_rule, make_rule_set, make_user, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    """A signed-in person who may do everything with rules, and nothing else."""
    user = make_user("ops", is_staff=True)
    models = ("ruleset", "routingrule")
    user.user_permissions.set(Permission.objects.filter(content_type__model__in=models))
    client.force_login(user)
    return user


def rule_set_page(rule_set, name="change"):
    return reverse(f"admin:distribution_ruleset_{name}", args=[rule_set.pk])


def rule_page(rule):
    return reverse("admin:distribution_routingrule_change", args=[rule.pk])


def add_rule_page(rule_set):
    return reverse("admin:distribution_routingrule_add", query={"rule_set": rule_set.pk})


def posted(rule_set, *conditions, stored=(), **fields):
    """What the form of a rule sends; a condition is (group, field, operator, value)."""
    data = {"rule_set": rule_set.pk, "name": "Large", "active": "on", "target": "pool", "if_unavailable": "next"}
    data |= {"pool": rule_set.catch_all_pool_id, "time_zone": "UTC", **fields}
    rows = [*((row.pk, values) for row, values in stored), *((None, values) for values in conditions)]
    data |= {"conditions-TOTAL_FORMS": len(rows), "conditions-INITIAL_FORMS": len(stored)}
    for number, (pk, values) in enumerate(rows):
        data |= {
            f"conditions-{number}-{k}": v for k, v in zip(("group", "field", "operator", "value"), values, strict=True)
        }
        data |= {f"conditions-{number}-id": pk} if pk else {}
    return {key: value for key, value in data.items() if value is not None}


def errors_of(response):
    """Errors by field, those of conditions as conditions-0-value."""
    assert response.status_code == 200
    found = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {f"{form.prefix}-{name}": errors for name, errors in form.errors.items()}
    return {name: " ".join(errors) for name, errors in found.items()}


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


# --- The page of a rule set ----------------------------------------------------------------------


def test_a_new_rule_set_leads_on_to_the_page_where_rules_are_added(staff, client):
    pool = make_pool("Everyone", "Ann")
    add = reverse("admin:distribution_ruleset_add")
    response = client.post(add, {"name": "Spring", "catch_all_pool": pool.pk})
    draft = RuleSet.objects.get()
    assert response.url == rule_set_page(draft)
    assert (draft.state, draft.version, draft.catch_all_pool) == ("draft", None, pool)
    assert add_rule_page(draft).replace("&", "&amp;") in client.get(response.url).text


def test_a_catch_all_is_a_pool_or_a_team_not_both(staff, client):
    draft, team = make_rule_set(), Team.objects.create(name="Inside")
    data = {"name": "Main", "catch_all_pool": draft.catch_all_pool_id, "catch_all_team": team.pk}
    response = client.post(rule_set_page(draft), data)
    assert list(errors_of(response)) == ["catch_all_team"]
    draft.refresh_from_db()
    assert draft.catch_all_team is None


def test_the_page_tells_each_rule_in_words_and_what_is_wrong_with_it(staff, client):
    draft = make_rule_set(pool=make_pool("Everyone", "Ann"))
    senior = make_pool("DACH senior", "Bob")
    large = (("country", "any_of", ["DE", "AT"]), ("employees", "gte", 200))
    make_rule(draft, "Enterprise", *large, pool=senior)
    broken = make_rule(draft, "Odd", ("colour", "is", "red"), ("score", "gt", 5, 2), pool=senior, match_language=True)
    page = client.get(rule_set_page(draft)).text
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))
    assert "Country is any of Germany, Austria and Employees is at least 200 → pool DACH senior, else next rule" in text
    assert "(Unknown field colour is red) or (Score is more than 5) → pool DACH senior in the lead's language" in text
    assert "Every other lead → pool Everyone (the catch-all)" in text
    assert "1 error" in text
    assert rule_page(broken) in page


def test_names_are_shown_as_text(staff, client):
    draft = make_rule_set(name="<b>Set</b>")
    rule = make_rule(draft, "<i>Rule</i>", ("company", "is", "<u>Co</u>"), pool=make_pool("<s>Pool</s>", "Ann"))
    for url in (rule_set_page(draft), rule_page(rule), rule_set_page(draft, "publish")):
        page = client.get(url).text
        assert not re.search(r"<b>Set|<i>Rule|<u>Co|<s>Pool", page)


# --- Order ---------------------------------------------------------------------------------------


def three_rules():
    draft = make_rule_set()
    return draft, [make_rule(draft, name, ("score", "gt", 1), pool=draft.catch_all_pool) for name in "abc"]


def order(draft):
    return "".join(draft.rules.order_by("position", "id").values_list("name", flat=True))


def test_the_order_of_the_list_is_saved(staff, client):
    draft, (a, b, c) = three_rules()
    response = client.post(
        rule_set_page(draft, "reorder"), {"rule": [c.pk, a.pk, b.pk]}, headers={"HX-Request": "true"}
    )
    assert order(draft) == "cab"
    assert "Order saved." in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize(("move", "result"), [("b:up", "bac"), ("b:down", "acb"), ("a:up", "abc"), ("c:down", "abc")])
def test_a_rule_moves_one_place_with_its_buttons(staff, client, move, result):
    draft, rules = three_rules()
    moved = {rule.name: rule.pk for rule in rules}[move[0]]
    data = {"rule": [rule.pk for rule in rules], "move": f"{moved}{move[1:]}"}
    assert client.post(rule_set_page(draft, "reorder"), data).status_code == 302
    assert order(draft) == result


@pytest.mark.parametrize("ids", [[], ["x"], ["1", "2"], ["9" * 30]])
def test_an_order_that_is_not_that_of_the_list_is_refused(staff, client, ids):
    draft, _ = three_rules()
    response = client.post(rule_set_page(draft, "reorder"), {"rule": ids}, follow=True)
    assert "The order was not saved." in response.text
    assert order(draft) == "abc"


def test_the_rules_of_a_published_set_are_not_reordered(staff, client):
    draft, (a, b, c) = three_rules()
    publish(draft)
    client.post(rule_set_page(draft, "reorder"), {"rule": [c.pk, b.pk, a.pk]})
    assert order(draft) == "abc"


# --- Publish and clone ---------------------------------------------------------------------------


def test_publishing_asks_first_and_says_what_changes(staff, client):
    live = make_rule_set(pool=make_pool("Everyone", "Ann"))
    make_rule(live, "Large", ("employees", "gte", 200), pool=live.catch_all_pool)
    make_rule(live, "Small", ("employees", "lt", 200), pool=live.catch_all_pool)
    publish(live)
    client.post(rule_set_page(live, "clone"))
    draft = RuleSet.objects.get(state="draft")
    draft.rules.get(name="Large").conditions.update(value=500)
    draft.rules.get(name="Small").delete()
    make_rule(draft, "Rest", ("score", "gt", 1), pool=live.catch_all_pool)
    page = client.get(rule_set_page(draft, "publish"))
    assert page.context["changes"] == [
        "Rule “Large” was: Employees is at least 200 → pool Everyone, else next rule. "
        "Now: Employees is at least 500 → pool Everyone, else next rule.",
        "New rule “Rest”: Score is more than 1 → pool Everyone, else next rule.",
        "Rule “Small” is gone: Employees is less than 200 → pool Everyone, else next rule.",
    ]
    assert RuleSet.objects.get(state="live") == live
    response = client.post(rule_set_page(draft, "publish"), {"replaces": live.pk}, follow=True)
    assert "Version 2 is live." in response.text
    draft.refresh_from_db()
    assert (draft.state, draft.published_by) == ("live", staff)


def test_a_draft_with_errors_is_not_published_and_its_page_lists_them(staff, client):
    draft = RuleSet.objects.create(name="Bare")
    assert "Publish now" not in client.get(rule_set_page(draft, "publish")).text
    response = client.post(rule_set_page(draft, "publish"), {"replaces": 0}, follow=True)
    assert "Not published" in response.text
    assert "There is no catch-all" in response.text
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_publishing_over_a_version_that_was_not_seen_is_refused(staff, client):
    draft, rival = make_rule_set(), make_rule_set("Rival")
    publish(rival)
    response = client.post(rule_set_page(draft, "publish"), {"replaces": 0}, follow=True)
    assert "went live meanwhile" in response.text
    assert RuleSet.objects.get(state="live") == rival


def test_an_archived_version_is_published_again_as_a_copy(staff, client):
    old, new = publish(make_rule_set("Old")), make_rule_set("New")
    publish(new)
    client.post(rule_set_page(old, "publish"), {"replaces": new.pk})
    live = RuleSet.objects.get(state="live")
    assert (live.name, live.version, live.cloned_from) == ("Old", 3, old)


def test_a_clone_is_made_by_post_only_and_shown(staff, client):
    live = publish(make_rule_set())
    assert client.get(rule_set_page(live, "clone")).status_code == 405
    response = client.post(rule_set_page(live, "clone"))
    assert response.url == rule_set_page(RuleSet.objects.get(state="draft"))


# --- Who may do what -----------------------------------------------------------------------------

ACTIONS = ("publish", "clone", "reorder")


def test_who_may_only_look_changes_nothing(client):
    draft, _ = three_rules()
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_ruleset", "view_routingrule"]))
    client.force_login(viewer)
    page = client.get(rule_set_page(draft))
    assert page.status_code == 200
    assert "Publish" not in page.text.replace("Published", "").replace("published", "")
    assert client.get(rule_page(draft.rules.first())).status_code == 200
    for name in ACTIONS:
        assert client.post(rule_set_page(draft, name)).status_code == 403
    assert client.post(rule_page(draft.rules.first()), posted(draft)).status_code == 403
    assert RuleSet.objects.get().state == "draft"


def test_strangers_see_nothing(client):
    draft = make_rule_set()
    client.force_login(make_user("stranger", is_staff=True))
    for name in ("change", "publish"):
        assert client.get(rule_set_page(draft, name)).status_code == 403
    client.logout()
    for name in ("change", *ACTIONS):
        assert client.post(rule_set_page(draft, name)).status_code == 302
    assert RuleSet.objects.get().state == "draft"


@pytest.mark.parametrize("name", ["change", *ACTIONS])
@pytest.mark.parametrize("key", ["999999", "9" * 40, "rubbish", "1'--"])
def test_what_is_not_there_is_not_an_error(staff, client, name, key):
    response = client.post(reverse(f"admin:distribution_ruleset_{name}", args=[key]))
    assert response.status_code in (302, 404)


# --- Lists ---------------------------------------------------------------------------------------


def test_the_lists_find_and_filter(staff, client):
    draft = make_rule_set()
    make_rule(draft, "Large", pool=draft.catch_all_pool)
    make_rule(draft, "Small", pool=draft.catch_all_pool, active=False)
    rules = reverse("admin:distribution_routingrule_changelist")
    rule_sets = reverse("admin:distribution_ruleset_changelist")
    for query, count in {
        "q=larg": 1,
        "active__exact=0": 1,
        "target__exact=pool": 2,
        f"rule_set__id__exact={draft.pk}": 2,
    }.items():
        assert client.get(f"{rules}?{query}").context["cl"].result_count == count, query
    assert client.get(f"{rule_sets}?q=main&state__exact=draft").context["cl"].result_count == 1
    assert client.get(f"{rule_sets}?state__exact=live").context["cl"].result_count == 0


@pytest.mark.parametrize("page", ["routingrule", "ruleset"])
def test_the_number_of_queries_of_a_list_does_not_grow_with_its_rows(
    staff, client, page, django_assert_max_num_queries
):
    url = reverse(f"admin:distribution_{page}_changelist")

    def more(start):
        for number in range(start, start + 4):
            draft = make_rule_set(f"Set {number}")
            rule = make_rule(draft, f"R{number}", ("country", "is", "DE"), pool=draft.catch_all_pool)
            rule.required_skills.add(Skill.objects.create(name=f"Skill {number}"))

    more(0)
    client.get(url)
    with django_assert_max_num_queries(40) as few:
        client.get(url)
    more(4)
    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_the_number_of_queries_of_a_rule_set_page_does_not_grow_with_its_rules(
    staff, client, django_assert_max_num_queries
):
    draft = make_rule_set()

    def more(start):
        for number in range(start, start + 4):
            pool = make_pool(f"P{number}", f"Rep {number}")
            rule = make_rule(draft, f"R{number}", ("country", "is", "DE"), pool=pool)
            rule.required_skills.add(Skill.objects.create(name=f"Skill {number}"))

    more(0)
    client.get(rule_set_page(draft))
    with django_assert_max_num_queries(60) as few:
        client.get(rule_set_page(draft))
    more(4)
    with django_assert_max_num_queries(len(few)):
        client.get(rule_set_page(draft))
