"""Small worlds for the engine: a rule for each way to end, and the trace that comes of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from distribution.engine.conditions import Condition, broken_condition, build_condition
from distribution.engine.decision import Decision
from distribution.engine.facts import LeadFacts, catalogue
from distribution.engine.ledger import UNIT
from distribution.engine.people import Member, Pool, Rep
from distribution.engine.routing import route
from distribution.engine.rules import Rule, RuleSet
from distribution.engine.snapshot import Snapshot
from distribution.engine.trace import render_trace

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FIELDS = catalogue()


def condition(field: str, operator: str, value: Any = None) -> Condition:
    return build_condition(FIELDS, field, operator, value)


def broken(field: str, operator: str, value: Any, error: str) -> Condition:
    return broken_condition(field, operator, value, error)


def member(id: int, name: str, *, weight: int = 1, credit: float = 0, tier: int = 1, **rep: Any) -> Member:
    last = rep.pop("last", None)
    person = Rep(id=id, user_id=id, name=name, **rep)
    return Member(id, person, weight=weight, tier=tier, credit=round(credit * UNIT), last_assigned_at=last)


def pool(*members: Member, id: int = 1, name: str = "DACH senior", method: str = "round_robin", **more: Any) -> Pool:
    return Pool(id, name, method, members, **more)


def rule(
    id: int, name: str, *conditions: Condition, target: str = "pool", pool_id: int | None = 1, **more: Any
) -> Rule:
    return Rule(id, name, target, groups=(conditions,) if conditions else (), pool_id=pool_id, **more)


def decide(
    facts: Mapping[str, Any], rules: tuple[Rule, ...], *pools: Pool, catch_all_pool_id: int | None = None, **world: Any
) -> Decision:
    rule_set = RuleSet(1, "Spring", rules, version=3, catch_all_pool_id=catch_all_pool_id)
    return route(LeadFacts(dict(facts)), Snapshot(NOW, rule_set, pools={entry.id: entry for entry in pools}, **world))


def trace_of(facts: Mapping[str, Any], rules: tuple[Rule, ...], *pools: Pool, **world: Any) -> dict[str, Any]:
    return render_trace(decide(facts, rules, *pools, **world))
