"""Keeps published rule sets as they are, in the database itself: every process caches the live one, and past decisions
point at the others.

Triggers refuse what the ORM, another program or a hand-written statement would change in a rule set that is no draft.
They are set up after every migration, because SQLite loses them when a migration rebuilds a table. Deleting is refused
by a trigger on PostgreSQL and for the ORM everywhere; SQLite has no such trigger because Django empties tables there
with DELETE.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Model
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from distribution.models import Condition, RoutingRule, RuleSet
from distribution.rulesets import Fixed
from leadcrm.lib.triggers import set_up

_REFUSAL: Final = "a published rule set never changes: clone it and publish the clone"
_RULE_SET_OF: Final = "(SELECT rule_set_id FROM distribution_routingrule WHERE id = {row}.%s)"
# Each table, and the way from one of its rows to the rule set.
_PARTS: Final = {
    "distribution_routingrule": "{row}.rule_set_id",
    "distribution_condition": _RULE_SET_OF % "rule_id",
    "distribution_routingrule_required_skills": _RULE_SET_OF % "routingrule_id",
}
# A published rule set is archived and stays so; who published it and what it was cloned from may be forgotten.
_FROZEN: Final = ("name", "version", "catch_all_pool_id", "catch_all_team_id", "published_at")
_REWRITES: Final = """
    OLD.state <> 'draft' AND (
        NEW.state = 'draft' OR (OLD.state = 'archived' AND NEW.state = 'live') OR ({new}) {differs} ({old})
    )
"""

_POSTGRES_REFUSE: Final = """
CREATE OR REPLACE FUNCTION distribution_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{refusal}' USING ERRCODE = 'check_violation'; END $$
"""
_POSTGRES_SET: Final = """
CREATE OR REPLACE TRIGGER only_drafts_{event} BEFORE {event} ON distribution_ruleset
FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION distribution_refuse()
"""
# The lock makes a change and a publication of the same draft wait for each other.
_POSTGRES_PART: Final = """
CREATE OR REPLACE FUNCTION {table}_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[] := ARRAY[{old}, {new}];
BEGIN
    PERFORM 1 FROM distribution_ruleset WHERE id = ANY(touched) FOR SHARE;
    IF EXISTS (SELECT 1 FROM distribution_ruleset WHERE id = ANY(touched) AND state <> 'draft') THEN
        RAISE EXCEPTION '{refusal}' USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE OR REPLACE TRIGGER only_drafts BEFORE INSERT OR UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_fixed()
"""
_SQLITE: Final = """
CREATE TRIGGER IF NOT EXISTS {table}_{event}_fixed BEFORE {event} ON {table} WHEN {when}
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
_SQLITE_PUBLISHED: Final = "EXISTS (SELECT 1 FROM distribution_ruleset WHERE state <> 'draft' AND id IN ({ids}))"


def install(using: str, **_: Any) -> None:
    """Set up the triggers on this database. Safe to repeat."""
    set_up(using, RuleSet._meta.db_table, postgresql=_postgres, sqlite=_sqlite)


def _postgres() -> Iterator[str]:
    yield _POSTGRES_REFUSE.format(refusal=_REFUSAL)
    yield _POSTGRES_SET.format(event="UPDATE", when=_rewrites("IS DISTINCT FROM"))
    yield _POSTGRES_SET.format(event="DELETE", when="OLD.state <> 'draft'")
    for table, way in _PARTS.items():
        old, new = way.format(row="OLD"), way.format(row="NEW")
        yield _POSTGRES_PART.format(table=table, old=old, new=new, refusal=_REFUSAL)


def _sqlite() -> Iterator[str]:
    yield _SQLITE.format(table="distribution_ruleset", event="UPDATE", when=_rewrites("IS NOT"), refusal=_REFUSAL)
    for table, way in _PARTS.items():
        old, new = way.format(row="OLD"), way.format(row="NEW")
        for event, ids in (("INSERT", new), ("UPDATE", f"{old}, {new}")):
            yield _SQLITE.format(table=table, event=event, when=_SQLITE_PUBLISHED.format(ids=ids), refusal=_REFUSAL)


def _rewrites(differs: str) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in _FROZEN) for row in ("OLD", "NEW"))
    return _REWRITES.format(old=old, new=new, differs=differs)


@receiver(pre_delete, sender=RuleSet, dispatch_uid="distribution.rule_set_deleted")
@receiver(pre_delete, sender=RoutingRule, dispatch_uid="distribution.rule_deleted")
@receiver(pre_delete, sender=Condition, dispatch_uid="distribution.condition_deleted")
def refuse_to_delete(sender: type[Model], instance: Model, **_: Any) -> None:
    """Where a rule set was published, nothing of it is deleted."""
    way = {RuleSet: "pk", RoutingRule: "rules", Condition: "rules__conditions"}[sender]
    if RuleSet.objects.filter(**{way: instance.pk}).exclude(state=RuleSet.State.DRAFT).exists():
        raise Fixed(f"{instance} belongs to a published rule set, which never changes. Clone it and change the draft.")
