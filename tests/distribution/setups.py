"""Rows to try rule sets with: reps, pools, rules."""

from typing import Any

from django.contrib.auth.models import User

from distribution.models import Condition, Pool, PoolMember, Rep, RoutingRule, RuleSet
from distribution.rulesets import publish_rule_set


def make_user(name: str, **more: Any) -> User:
    return User.objects.create_user(name, password="secret", **more)


def make_rep(name: str, **more: Any) -> Rep:
    return Rep.objects.create(user=make_user(name.lower().replace(" ", ".")), name=name, **more)


def make_pool(name: str, *members: str | Rep, weight: int = 1, **more: Any) -> Pool:
    pool = Pool.objects.create(name=name, **more)
    for member in members:
        rep = member if isinstance(member, Rep) else make_rep(member)
        PoolMember.objects.create(pool=pool, rep=rep, weight=weight)
    return pool


def make_rule(rule_set: RuleSet, name: str, *conditions: tuple[Any, ...], **more: Any) -> RoutingRule:
    """A rule; a condition is (field, operator, value) or (field, operator, value, group)."""
    position = more.pop("position", rule_set.rules.count() + 1)
    rule = RoutingRule.objects.create(rule_set=rule_set, name=name, position=position, **more)
    for field, operator, value, *group in conditions:
        Condition.objects.create(rule=rule, field=field, operator=operator, value=value, group=group[0] if group else 1)
    return rule


def make_rule_set(name: str = "Main", *, pool: Pool | None = None, **more: Any) -> RuleSet:
    """A draft whose catch-all is a pool with one member."""
    return RuleSet.objects.create(name=name, catch_all_pool=pool or make_pool(f"{name} rest", f"{name} Rest"), **more)


def publish(rule_set: RuleSet) -> RuleSet:
    return publish_rule_set(rule_set, actor=None)
