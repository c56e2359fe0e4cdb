import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from distribution.models import RuleSet, Skill
from pipeline.models import Team
from tests.distribution.admin.rulepages import add_rule_page, errors_of, posted, rule_page, rule_set_page
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
    assert "Main (copy)" in client.get("/admin/distribution/ruleset/").text


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
