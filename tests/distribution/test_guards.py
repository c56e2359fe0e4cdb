import sqlite3
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from distribution import guards
from distribution.models import Condition, RoutingRule, RuleSet, Skill
from distribution.rulesets import Fixed, Invalid, clone_rule_set
from tests.distribution.setups import make_pool, make_rule, make_rule_set, make_user, publish

pytestmark = pytest.mark.django_db


def published_rule():
    rule_set = make_rule_set()
    rule = make_rule(rule_set, "Large", ("employees", "gte", 200), pool=rule_set.catch_all_pool)
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    publish(rule_set)
    return rule


CHANGES = {
    "a rule's column": lambda rule: RoutingRule.objects.filter(pk=rule.pk).update(active=False),
    "a rule saved again": lambda rule: rule.save(),
    "a rule moved away": lambda rule: RoutingRule.objects.filter(pk=rule.pk).update(
        rule_set=RuleSet.objects.create(name="Draft")
    ),
    "a new rule": lambda rule: make_rule(rule.rule_set, "New", pool=rule.pool),
    "new rules at once": lambda rule: RoutingRule.objects.bulk_create(
        [RoutingRule(rule_set=rule.rule_set, name="New", pool=rule.pool)]
    ),
    "a condition's value": lambda rule: rule.conditions.update(value=1),
    "a new condition": lambda rule: Condition.objects.create(rule=rule, field="score", operator="gt", value=1),
    "a condition from a draft": lambda rule: Condition.objects.filter(
        rule=make_rule(make_rule_set("D"), "D", ("score", "gt", 1), pool=rule.pool)
    ).update(rule=rule),
    "a new skill": lambda rule: rule.required_skills.add(Skill.objects.create(name="Pumps")),
    "the name": lambda rule: RuleSet.objects.filter(pk=rule.rule_set_id).update(name="Other"),
    "the catch-all": lambda rule: RuleSet.objects.filter(pk=rule.rule_set_id).update(
        catch_all_pool=make_pool("Other", "Zoe")
    ),
    "live to draft": lambda rule: RuleSet.objects.filter(pk=rule.rule_set_id).update(state="draft"),
}
DELETIONS = {
    "a rule": lambda rule: rule.delete(),
    "rules at once": lambda rule: RoutingRule.objects.filter(pk=rule.pk).delete(),
    "a condition": lambda rule: rule.conditions.all().delete(),
    "the rule set": lambda rule: rule.rule_set.delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_database_refuses_to_change_a_published_rule_set(change):
    rule = published_rule()
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        change(rule)


@pytest.mark.parametrize("deletion", DELETIONS.values(), ids=DELETIONS)
def test_nothing_of_a_published_rule_set_is_deleted(deletion):
    rule = published_rule()
    with pytest.raises(Fixed, match="never changes"), transaction.atomic():
        deletion(rule)


@pytest.mark.parametrize(
    "table",
    ["distribution_condition", "distribution_routingrule_required_skills", "distribution_ruleset"],
)
def test_postgresql_refuses_to_delete_what_is_published_by_hand(table):
    published_rule()
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - a name from above


@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_publication_of_the_same_draft_wait_for_each_other():
    draft = make_rule_set()
    rule = make_rule(draft, "Large", ("employees", "gte", 200), pool=draft.catch_all_pool)
    failures = []

    def publish_meanwhile():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '100ms'")
            publish(RuleSet.objects.get(pk=draft.pk))
        except OperationalError as error:
            failures.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        rule.conditions.update(value="many")
        thread = Thread(target=publish_meanwhile)
        thread.start()
        thread.join()
    assert "lock timeout" in failures[0]
    with pytest.raises(Invalid):
        publish(draft)


def test_archived_rule_sets_stay_archived():
    old = published_rule().rule_set
    publish(make_rule_set("Next"))
    for state in ("draft", "live"):
        with pytest.raises(IntegrityError), transaction.atomic():
            RuleSet.objects.filter(pk=old.pk).update(state=state)
    with pytest.raises(Fixed), transaction.atomic():
        old.delete()


def test_who_published_and_what_it_was_cloned_from_may_be_forgotten():
    draft = make_rule_set()
    clone = clone_rule_set(draft, actor=None)
    publish(clone)
    RuleSet.objects.filter(pk=clone.pk).update(published_by=make_user("boss"))
    User.objects.filter(username="boss").delete()
    draft.delete()
    clone.refresh_from_db()
    assert (clone.published_by, clone.cloned_from) == (None, None)


def test_drafts_change_and_go_as_one_likes():
    draft = make_rule_set()
    rule = make_rule(draft, "Large", ("employees", "gte", 200), pool=draft.catch_all_pool)
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    rule.conditions.update(value=10)
    RoutingRule.objects.filter(pk=rule.pk).update(valid_until=timezone.now())
    rule.required_skills.clear()
    draft.delete()
    assert not RuleSet.objects.exists()


@pytest.fixture
def sqlite():
    """The guarded tables as SQLite has them, with a live rule set 1 and a draft 2."""
    database = sqlite3.connect(":memory:")
    database.executescript(
        """
        CREATE TABLE distribution_ruleset (
            id, state, published_by_id, name, version, catch_all_pool_id, catch_all_team_id, published_at
        );
        CREATE TABLE distribution_routingrule (id, rule_set_id, name);
        CREATE TABLE distribution_condition (id, rule_id, value);
        CREATE TABLE distribution_routingrule_required_skills (id, routingrule_id, skill_id);
        INSERT INTO distribution_ruleset (id, state, name) VALUES (1, 'live', 'Live'), (2, 'draft', 'Draft');
        INSERT INTO distribution_routingrule VALUES (10, 1, 'R'), (20, 2, 'R');
        INSERT INTO distribution_condition VALUES (100, 10, 'C'), (200, 20, 'C');
        """
    )
    for statement in [*guards._sqlite(), *guards._sqlite()]:
        database.execute(statement)
    yield database
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE distribution_routingrule SET name = 'x' WHERE id = 10",
        "UPDATE distribution_routingrule SET rule_set_id = 1 WHERE id = 20",
        "INSERT INTO distribution_routingrule VALUES (11, 1, 'x')",
        "UPDATE distribution_condition SET value = 1 WHERE id = 100",
        "UPDATE distribution_condition SET rule_id = 10 WHERE id = 200",
        "INSERT INTO distribution_condition VALUES (101, 10, 1)",
        "INSERT INTO distribution_routingrule_required_skills VALUES (1, 10, 1)",
        "UPDATE distribution_ruleset SET name = 'x' WHERE id = 1",
        "UPDATE distribution_ruleset SET catch_all_pool_id = 5 WHERE id = 1",
        "UPDATE distribution_ruleset SET state = 'draft' WHERE id = 1",
    ],
)
def test_sqlite_refuses_to_change_a_published_rule_set(sqlite, statement):
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        sqlite.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE distribution_routingrule SET name = 'x' WHERE id = 20",
        "INSERT INTO distribution_routingrule VALUES (21, 2, 'x')",
        "UPDATE distribution_condition SET value = 1 WHERE id = 200",
        "UPDATE distribution_ruleset SET name = 'x', state = 'live' WHERE id = 2",
        "UPDATE distribution_ruleset SET state = 'archived', published_by_id = NULL WHERE id = 1",
    ],
)
def test_sqlite_lets_drafts_change(sqlite, statement):
    assert sqlite.execute(statement).rowcount == 1
