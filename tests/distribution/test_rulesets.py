from datetime import time, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from distribution import rulesets
from distribution.compiling import live_world
from distribution.models import RuleSet, Skill
from distribution.rulechecks import check_rule_set
from distribution.rulesets import Fixed, Invalid, Overtaken, clone_rule_set, publish_again, publish_rule_set
from pipeline.models import LeadSource, Team
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, make_user, publish

pytestmark = pytest.mark.django_db


def problems(rule_set, severity="error"):
    return [(p.rule and p.rule.name, p.field, p.sentence) for p in check_rule_set(rule_set) if p.severity == severity]


def only_problem(rule_set, severity="error"):
    (found,) = problems(rule_set, severity)
    return found


# --- Checks --------------------------------------------------------------------------------------


def test_a_sound_rule_set_has_no_problems():
    draft = make_rule_set()
    make_rule(draft, "Large", ("employees", "gte", 200), ("country", "any_of", ["DE", "AT"]), pool=draft.catch_all_pool)
    assert check_rule_set(draft) == []


def test_a_missing_catch_all_is_an_error():
    draft = RuleSet.objects.create(name="Bare")
    make_rule(draft, "All", pool=make_pool("P", "Ann"))
    assert only_problem(draft)[:2] == (None, "catch_all_pool")


def test_an_empty_rule_set_is_only_a_warning():
    assert only_problem(make_rule_set(), "warning")[1] == "rules"
    assert problems(make_rule_set("Other")) == []


@pytest.mark.parametrize("field", ["pool", "fallback_pool"])
def test_an_empty_or_archived_pool_is_an_error_on_its_field(field):
    draft = make_rule_set()
    named = {"pool": draft.catch_all_pool, "if_unavailable": "fallback", "fallback_pool": make_pool("Second", "Bob")}
    make_rule(draft, "Empty", ("score", "gt", 1), **{**named, field: make_pool("Nobody")})
    make_rule(draft, "Gone", ("score", "gt", 2), **{**named, field: make_pool("Old", "Cy", archived_at=timezone.now())})
    assert [found[:2] for found in problems(draft)] == [("Empty", field), ("Gone", field)]
    assert "“Nobody” is empty" in problems(draft)[0][2]
    assert "“Old” is archived" in problems(draft)[1][2]


def test_an_empty_catch_all_pool_is_an_error():
    assert only_problem(make_rule_set(pool=make_pool("Nobody")))[:2] == (None, "catch_all_pool")


def test_an_archived_catch_all_team_is_an_error():
    team = Team.objects.create(name="Old", archived_at=timezone.now())
    assert only_problem(RuleSet.objects.create(name="T", catch_all_team=team))[:2] == (None, "catch_all_team")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (("colour", "is", "red"), "There is no field"),
        (("country", "sounds_like", "DE"), "There is no operator"),
        (("employees", "contains", "5"), "does not fit Employees"),
        (("employees", "is", "many"), "is not a number"),
        (("employees", "between", [10, 5]), "lower one first"),
        (("country", "any_of", []), "at least one value"),
        (("country", "is", "Narnia"), "not one of the choices"),
        (("source", "is", "no-such-source"), "not one of the choices"),
        (("company", "matches", "(a+)+$"), "hang"),
        (("company", "matches", "(["), "not a valid pattern"),
        (("territory", "in_territory", [987654]), "no territory 987654"),
        (("company", "is", {"a": 1}), "is not a text"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_work_is_an_error_that_says_why(condition, says):
    LeadSource.objects.create(name="Web", slug="web")
    draft = make_rule_set()
    make_rule(draft, "Odd", condition, pool=draft.catch_all_pool)
    rule, field, sentence = only_problem(draft)
    assert (rule, field) == ("Odd", "conditions")
    assert says in sentence


@pytest.mark.parametrize(
    "conditions",
    [
        [("employees", "gt", 100), ("employees", "lt", 50)],
        [("employees", "gte", 100), ("employees", "lt", 100)],
        [("employees", "is", 5), ("employees", "between", [10, 20])],
        [("country", "is", "DE"), ("country", "any_of", ["AT", "CH"])],
        [("company", "is", "Müller"), ("company", "is", "Meier")],
        [("company", "blank", None), ("company", "contains", "x")],
    ],
)
def test_conditions_that_exclude_each_other_are_an_error(conditions):
    draft = make_rule_set()
    make_rule(draft, "Never", *conditions, pool=draft.catch_all_pool)
    assert "No lead can meet" in only_problem(draft)[2]


@pytest.mark.parametrize(
    "conditions",
    [
        [("employees", "gte", 100), ("employees", "lte", 100)],
        [("employees", "gt", 100, 1), ("employees", "lt", 50, 2)],
        [("company", "is", "Müller"), ("company", "is", "MULLER")],
        [("country", "any_of", ["DE", "AT"]), ("country", "is_not", "DE")],
    ],
)
def test_conditions_that_can_hold_together_are_fine(conditions):
    draft = make_rule_set()
    make_rule(draft, "Sometimes", *conditions, pool=draft.catch_all_pool)
    assert problems(draft) == []


def test_what_is_wrong_with_a_rule_that_is_switched_off_only_warns():
    draft = make_rule_set()
    make_rule(draft, "On", ("score", "gt", 1), pool=draft.catch_all_pool)
    make_rule(draft, "Off", ("colour", "is", "red"), pool=draft.catch_all_pool, active=False)
    assert problems(draft) == []
    assert only_problem(draft, "warning")[0] == "Off"


@pytest.mark.parametrize(
    ("more", "field", "severity"),
    [
        ({"valid_until": timezone.now() - timedelta(days=1)}, "valid_until", "warning"),
        ({"from_time": time(9), "to_time": time(9)}, "to_time", "error"),
        ({"weekdays": [0]}, "weekdays", "error"),
        ({"time_zone": "Mars/Base"}, "time_zone", "error"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "error"),
    ],
)
def test_days_and_hours_that_never_come_are_told(more, field, severity):
    draft = make_rule_set()
    make_rule(draft, "Late", ("score", "gt", 1), pool=draft.catch_all_pool, **more)
    assert only_problem(draft, severity)[:2] == ("Late", field)


def test_a_rule_behind_one_that_takes_the_same_leads_is_warned_of():
    draft = make_rule_set()
    pool = draft.catch_all_pool
    make_rule(draft, "German", ("country", "is", "DE"), pool=pool)
    make_rule(draft, "Large German", ("employees", "gt", 100), ("country", "is", "DE"), pool=pool)
    make_rule(draft, "Large", ("employees", "gt", 100), pool=pool)
    assert only_problem(draft, "warning")[:2] == ("Large German", "position")


def test_a_rule_behind_an_unconditional_queue_is_never_reached():
    draft = make_rule_set()
    team = Team.objects.create(name="Inside")
    team.members.add(make_user("u"))
    make_rule(draft, "All", target="team_queue", team=team)
    make_rule(draft, "Rest", ("score", "gt", 1), pool=draft.catch_all_pool)
    assert "never reached" in only_problem(draft, "warning")[2]


def test_rules_that_often_find_nobody_do_not_hide_later_ones():
    draft = make_rule_set()
    owner = make_rule(draft, "Owner", target="account_owner")
    make_rule(draft, "Product", pool=draft.catch_all_pool, skill_field="product")
    make_rule(draft, "Rest", pool=make_pool("Everyone", "Eve"))
    assert owner.pk
    assert check_rule_set(draft) == []


def test_a_pool_where_all_weights_are_zero_is_warned_of():
    draft = make_rule_set(pool=make_pool("Zero", "Ann", "Bob", weight=0, method="weighted"))
    make_rule(draft, "Some", ("score", "gt", 1), pool=make_pool("Fine", "Cy"))
    assert "weights" in only_problem(draft, "warning")[2]


def test_a_pool_where_nobody_can_work_or_has_the_skill_is_warned_of():
    draft = make_rule_set()
    rule = make_rule(draft, "Skilled", ("score", "gt", 1), pool=draft.catch_all_pool)
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    make_rule(draft, "Off", ("score", "gt", 2), pool=make_pool("Left", make_rep("Gone", active=False)))
    assert [found[:2] for found in problems(draft, "warning")] == [("Skilled", "required_skills"), ("Off", "pool")]


def test_the_number_of_queries_of_a_check_does_not_grow_with_the_rules(django_assert_max_num_queries):
    draft = make_rule_set()
    for number in range(12):
        pool = make_pool(f"P{number}", f"Rep {number}", f"Other {number}")
        make_rule(draft, f"R{number}", ("employees", "is", number), pool=pool)
    live_world()  # compiled once per change, whoever asks first
    with django_assert_max_num_queries(20) as counted:
        check_rule_set(draft)
    many = len(counted)
    small = make_rule_set("Small")
    make_rule(small, "One", ("employees", "is", 1), pool=small.catch_all_pool)
    with django_assert_max_num_queries(many):
        check_rule_set(small)
    assert many <= 17


# --- Publishing ----------------------------------------------------------------------------------


def test_publishing_archives_the_old_version_and_gives_the_next_number():
    first, second = publish(make_rule_set("One")), make_rule_set("Two")
    boss = make_user("boss")
    publish_rule_set(second, actor=boss)
    first.refresh_from_db()
    assert (first.state, first.version) == ("archived", 1)
    assert (second.state, second.version, second.published_by) == ("live", 2, boss)
    assert second.published_at is not None


def test_a_rule_set_with_errors_is_not_published_and_nothing_changes():
    live, draft = publish(make_rule_set("One")), RuleSet.objects.create(name="Bad")
    make_rule(draft, "Odd", ("colour", "is", "red"), pool=live.catch_all_pool)
    with pytest.raises(Invalid) as refused:
        publish(draft)
    assert {problem.field for problem in refused.value.problems} == {"catch_all_pool", "conditions"}
    assert "Rule “Odd”" in str(refused.value)
    assert RuleSet.objects.get(state="live") == live


def test_what_was_live_is_not_published_twice():
    live = publish(make_rule_set())
    with pytest.raises(Fixed):
        publish(live)
    assert RuleSet.objects.get().version == 1


def test_publishing_over_a_version_that_the_actor_has_not_seen_is_refused():
    seen, rival, mine = publish(make_rule_set("One")), make_rule_set("Two"), make_rule_set("Three")
    publish(rival)
    with pytest.raises(Overtaken, match="Two"):
        publish_rule_set(mine, actor=None, replaces=seen.pk)
    assert RuleSet.objects.get(state="live") == rival
    publish_rule_set(mine, actor=None, replaces=rival.pk)
    assert RuleSet.objects.get(state="live") == mine


def test_publishing_the_first_one_needs_no_live_one():
    draft = make_rule_set()
    publish_rule_set(draft, actor=None, replaces=0)
    assert draft.state == "live"


def test_an_earlier_version_can_be_published_again_under_a_new_number():
    first = make_rule_set("One")
    make_rule(first, "Old way", ("score", "gt", 1), pool=first.catch_all_pool)
    publish(first)
    publish(make_rule_set("Two"))
    again = publish_again(first, actor=None)
    assert (again.state, again.version, again.cloned_from) == ("live", 3, first)
    assert [rule.name for rule in again.rules.all()] == ["Old way"]


# --- Cloning and ordering ------------------------------------------------------------------------


def test_a_clone_has_everything_of_the_original_and_lives_its_own_life():
    original = make_rule_set()
    rule = make_rule(
        original,
        "Skilled",
        ("country", "any_of", ["DE", "AT"], 1),
        ("score", "gt", 80, 2),
        pool=original.catch_all_pool,
        weekdays=[1, 2],
        from_time=time(22),
        to_time=time(6),
        match_language=True,
    )
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    publish(original)
    clone = clone_rule_set(original, actor=None)
    assert (clone.state, clone.version, clone.cloned_from) == ("draft", None, original)
    assert contents(clone) == contents(original)
    clone.rules.get().conditions.all().delete()
    assert original.rules.get().conditions.count() == 2


def test_copies_are_told_apart_by_their_names():
    original = publish(make_rule_set("Rules"))
    copies = [clone_rule_set(original, actor=None) for _ in range(2)]
    copies.append(clone_rule_set(copies[0], actor=None))
    assert [copy.name for copy in copies] == ["Rules (copy)", "Rules (copy 2)", "Rules (copy 3)"]


def test_the_name_of_a_copy_fits_however_long_the_originals_is():
    original = publish(make_rule_set("x" * 100, pool=make_pool("Everyone", "Ann")))
    names = [clone_rule_set(original, actor=None).name for _ in range(2)]
    assert names == ["x" * 93 + " (copy)", "x" * 91 + " (copy 2)"]


def test_once_published_a_copy_is_told_apart_by_its_version_and_loses_the_mark():
    original = publish(make_rule_set("Rules"))
    published = publish_rule_set(clone_rule_set(original, actor=None), actor=None)
    assert (str(original), str(published)) == ("Rules (version 1)", "Rules (version 2)")


def contents(rule_set):
    return [
        (
            {f.name: getattr(r, f.attname) for f in r._meta.concrete_fields if f.name not in ("id", "rule_set")},
            [(c.group, c.field, c.operator, c.value) for c in r.conditions.all()],
            list(r.required_skills.all()),
        )
        for r in rule_set.rules.all()
    ]


def test_every_column_of_a_rule_set_is_copied_or_left_out_on_purpose():
    fresh = {"id", "name", "state", "version", "cloned_from", "created_at", "published_at", "published_by"}
    copied = {"catch_all_pool", "catch_all_team"}
    assert {field.name for field in RuleSet._meta.concrete_fields} == fresh | copied


def test_rules_are_put_in_the_order_given():
    draft = make_rule_set()
    one, two, three = (make_rule(draft, name, pool=draft.catch_all_pool) for name in ("one", "two", "three"))
    rulesets.reorder_rules(draft, [three.pk, one.pk, two.pk])
    assert list(draft.rules.all()) == [three, one, two]


@pytest.mark.parametrize("change", [lambda ids: ids[:-1], lambda ids: [*ids, 999_999], lambda ids: [ids[0], *ids]])
def test_an_order_that_does_not_name_each_rule_once_changes_nothing(change):
    draft = make_rule_set()
    ids = [make_rule(draft, name, pool=draft.catch_all_pool).pk for name in ("one", "two", "three")]
    with pytest.raises(Overtaken):
        rulesets.reorder_rules(draft, change(ids[::-1]))
    assert [rule.pk for rule in draft.rules.all()] == ids


def test_the_rules_of_a_published_set_keep_their_order():
    live = make_rule_set()
    ids = [make_rule(live, name, pool=live.catch_all_pool).pk for name in ("one", "two")]
    publish(live)
    with pytest.raises(Fixed, match="Clone it"):
        rulesets.reorder_rules(live, ids[::-1])


# --- Two publishers at once ----------------------------------------------------------------------


def at_once(*calls):
    """Run calls in threads that start together; the error of each, or None."""
    barrier = Barrier(len(calls))
    errors: list[Exception | None] = [None] * len(calls)

    def run(number, call):
        barrier.wait()
        try:
            call()
        except Exception as error:
            errors[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_the_same_draft_at_once_one_wins():
    draft = make_rule_set()
    errors = at_once(*[lambda: publish(RuleSet.objects.get(pk=draft.pk))] * 4)
    assert sorted(type(error).__name__ for error in errors) == ["Fixed", "Fixed", "Fixed", "NoneType"]
    assert RuleSet.objects.get(state="live").version == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("start", [None, "One"])
def test_two_who_publish_different_drafts_at_once_end_with_one_live_set(start):
    seen = publish(make_rule_set(start)).pk if start else 0
    drafts = [make_rule_set(f"Draft {number}") for number in range(4)]
    calls = [lambda draft=draft: publish_rule_set(draft, actor=None, replaces=seen) for draft in drafts]
    errors = at_once(*calls)
    assert sorted(type(error).__name__ for error in errors) == ["NoneType", "Overtaken", "Overtaken", "Overtaken"]
    assert RuleSet.objects.filter(state="live").count() == 1


@pytest.mark.django_db(transaction=True)
def test_drafts_published_at_once_without_looking_get_versions_of_their_own():
    drafts = [make_rule_set(f"Draft {number}") for number in range(4)]
    assert at_once(*[lambda draft=draft: publish(draft) for draft in drafts]) == [None] * 4
    assert set(RuleSet.objects.values_list("version", flat=True)) == {1, 2, 3, 4}
    assert RuleSet.objects.get(state="live").version == 4
