"""What a decision of the engine costs, its full trace included. No database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from distribution.bench.timing import MILLISECONDS, percentile, processor_seconds
from distribution.engine.conditions import build_condition
from distribution.engine.facts import LeadFacts, Value, catalogue
from distribution.engine.people import Member, Pool, Rep
from distribution.engine.routing import route
from distribution.engine.rules import Rule, RuleSet
from distribution.engine.snapshot import Snapshot
from distribution.engine.territories import Area, Territory, TerritoryIndex, build_index
from distribution.engine.trace import trace_text
from leadcrm.lib.bench import Figure, bench

NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
SIZES: Final = ((10, 10), (10, 100), (100, 10), (100, 100), (10, 1000), (1000, 10), (1000, 1000))
LIMITS: Final = {(100, 100): 1.0, (1000, 1000): 10.0}
CODES: Final = 40_000
SLOWER: Final = 1.3


def snapshot(rules: int, reps: int, territories: TerritoryIndex | None = None) -> Snapshot:
    """A world in which the last of so many rules matches, and everyone of so many reps could take the lead."""
    fields = catalogue()
    elsewhere = build_condition(fields, "country", "is", "FR"), build_condition(fields, "employees", "gte", 50)
    here = build_condition(fields, "country", "is", "DE"), build_condition(fields, "employees", "lt", 50)
    passed = [Rule(number, f"Rule {number}", "pool", (elsewhere,), pool_id=1) for number in range(1, rules)]
    last = Rule(rules, f"Rule {rules}", "pool", (here,), pool_id=1)
    members = tuple(_member(number) for number in range(1, reps + 1))
    return Snapshot(
        now=NOW,
        rule_set=RuleSet(1, "Rules", (*passed, last), version=1),
        territories=territories or TerritoryIndex(),
        pools={1: Pool(1, "Pool", "weighted", members)},
    )


def _member(number: int) -> Member:
    rep = Rep(number, number, f"Rep {number}", capacity=50, open_leads=number % 40, last_assigned_at=NOW)
    return Member(number, rep, weight=1 + number % 5, last_assigned_at=NOW)


def decide(world: Snapshot) -> None:
    """One decision as it is stored; the facts are new each time, as with a new lead."""
    facts: dict[str, Value] = {
        "country": "DE",
        "employees": 20,
        "postal_code": "10042",
        "company": "Müller GmbH",
        "product": "crm",
    }
    trace_text(route(LeadFacts(facts), world))


def postal_codes(count: int) -> TerritoryIndex:
    """Territories of so many single postal codes, one of them the lead's."""
    areas = (Area(code, country="DE", postal_from=f"{10042 + code - 1:05}") for code in range(1, count + 1))
    return build_index((Territory(code, f"Territory {code}") for code in range(1, count + 1)), areas)


@bench("engine")
def engine() -> Iterator[Figure]:
    """Processor time of one decision with its trace, p50: the last rule matches and everyone is eligible."""
    for rules, reps in SIZES:
        [value] = _milliseconds(snapshot(rules, reps))
        yield Figure(f"{rules:,} rules, {reps:,} reps", value, "ms", limit=LIMITS.get((rules, reps)))
    few, many = _milliseconds(*(snapshot(10, 10, postal_codes(count)) for count in (1, CODES)))
    yield Figure(f"{CODES:,} postal codes instead of 1", many, "ms", baseline=few, limit=SLOWER * few)


def _milliseconds(*worlds: Snapshot) -> list[float]:
    times = processor_seconds(*(partial(decide, world) for world in worlds))
    return [percentile(taken, 50) * MILLISECONDS for taken in times]
