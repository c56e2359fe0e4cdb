"""How Ostrelle gives out its leads: territories, pools, and one published rule set that mixes the ways to do it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from distribution.demo.company import SERVICE_SOURCE, SPECIAL_PRODUCTS, Company
from distribution.models import Condition, Pool, PoolMember, Rep, RoutingRule, RuleSet, Territory, TerritoryArea
from distribution.rulesets import publish_rule_set

# Pool, method, teams whose reps share it, and what more is said of it.
_POOLS: Final[tuple[tuple[str, str, tuple[str, ...], dict[str, Any]], ...]] = (
    ("DACH", "weighted", ("DACH",), {"relax": [{"demand": "language", "after": 0}]}),
    ("British Isles", "round_robin", ("Western Europe",), {}),
    ("France and Benelux", "weighted", ("Western Europe",), {"relax": [{"demand": "language", "after": 0}]}),
    ("US East", "round_robin", ("North America East",), {}),
    ("US West", "least_loaded", ("North America West",), {"relax": [{"demand": "language", "after": 0}]}),
    ("Canada", "equal_totals", ("North America East",), {"relax": [{"demand": "language", "after": 0}]}),
    ("Oceania", "weighted", ("Oceania",), {}),
    ("South-East Asia", "priority_tiers", ("Asia",), {"relax": [{"demand": "language", "after": 0}]}),
)
# Territory, its pool, its team, and its areas as (country, region).
_TERRITORIES: Final[tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...]] = (
    ("Germany, Austria, Switzerland", "DACH", "DACH", (("DE", ""), ("AT", ""), ("CH", ""))),
    ("Britain and Ireland", "British Isles", "Western Europe", (("GB", ""), ("IE", ""))),
    ("France and Benelux", "France and Benelux", "Western Europe", (("FR", ""), ("NL", ""), ("BE", ""))),
    ("United States", "US West", "North America West", (("US", ""), ("MX", ""))),
    (
        "US East Coast",
        "US East",
        "North America East",
        (("US", "US-NY"), ("US", "US-MA"), ("US", "US-FL"), ("US", "US-IL")),
    ),
    ("Canada", "Canada", "North America East", (("CA", ""),)),
    ("Australia and New Zealand", "Oceania", "Oceania", (("AU", ""), ("NZ", ""))),
    ("South-East Asia", "South-East Asia", "Asia", (("SG", ""), ("MY", ""), ("TH", ""), ("ID", ""))),
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule as it stands in the admin; conditions are (field, operator, value)."""

    name: str
    target: str
    conditions: tuple[tuple[str, str, Any], ...] = ()
    pool: str = ""
    more: Mapping[str, Any] | None = None


def build_routing(company: Company, since: datetime) -> RuleSet:
    """Write territories and pools, and publish the rule set."""
    pools = _build_pools(company, since)
    territories = _build_territories(company, pools, since)
    rule_set = RuleSet.objects.create(name="Ostrelle 1", catch_all_pool=pools["Everybody"])
    for position, rule in enumerate(_rules(territories), start=1):
        _build_rule(rule_set, position, rule, pools)
    return publish_rule_set(rule_set, actor=company.admin)


def _build_pools(company: Company, since: datetime) -> dict[str, Pool]:
    pools = {}
    for name, method, teams, more in _POOLS:
        reps = [rep for team in teams for rep in company.reps[team]]
        pools[name] = _build_pool(name, method, reps, since, **more)
    everyone = company.all_reps
    seniors = everyone[1::5]
    specialists = [rep for reps in company.reps.values() for rep in reps[::3]]
    pools["Key accounts"] = _build_pool("Key accounts", "weighted", seniors, since)
    pools["Robot specialists"] = _build_pool("Robot specialists", "round_robin", specialists, since)
    pools["Hot line"] = _build_pool("Hot line", "claim", everyone[2::6], since, offer_minutes=30)
    pools["Partner desk"] = _build_pool("Partner desk", "pull", company.reps["Asia"] + seniors[:2], since)
    pools["Everybody"] = _build_pool("Everybody", "weighted", everyone, since)
    return pools


def _build_pool(name: str, method: str, reps: Sequence[Rep], since: datetime, **more: Any) -> Pool:
    """The first of the members is senior: twice the weight and the first tier."""
    pool = Pool(name=name, method=method, **more)
    pool._history_date = since  # type: ignore[attr-defined]
    pool.save()
    for number, rep in enumerate(reps):
        weight = 2 if number == 0 else 1
        member = PoolMember(pool=pool, rep=rep, weight=weight, tier=1 if number < 2 else 2)
        member._history_date = since  # type: ignore[attr-defined]
        member.save()
    PoolMember.objects.filter(pool=pool).update(joined_at=since)
    return pool


def _build_territories(company: Company, pools: Mapping[str, Pool], since: datetime) -> dict[str, Territory]:
    territories = {}
    for name, pool, team, areas in _TERRITORIES:
        territory = Territory(name=name, pool=pools[pool], owner=company.reps[team][0])
        territory._history_date = since  # type: ignore[attr-defined]
        territory.save()
        territory.reps.set(company.reps[team])
        for country, region in areas:
            TerritoryArea.objects.create(territory=territory, country=country, region=region)
        territories[name] = territory
    return territories


def _rules(territories: Mapping[str, Territory]) -> Iterable[_Rule]:
    """First who knows the company, then who knows the product, then who is near, then everybody in turn."""
    yield _Rule("The account's owner", "account_owner", (("account_owned", "is", True),))
    yield _Rule("Came in before", "previous_owner", (("duplicate", "is", True),))
    yield _Rule(
        "Robots need a specialist",
        "pool",
        (("product", "any_of", list(SPECIAL_PRODUCTS)),),
        "Robot specialists",
        {"skill_field": "product"},
    )
    yield _Rule("Large companies", "pool", (("employees", "gte", 1000),), "Key accounts", {"set_priority": 10})
    yield _Rule(
        "Calls: first come, first served", "pool", (("source", "is", "phone"),), "Hot line", {"set_priority": 5}
    )
    yield _Rule(
        "Partner leads without a country",
        "pool",
        (("source", "is", "partner-portal"), ("country", "blank", None)),
        "Partner desk",
    )
    yield _Rule("Service desk", "pool", (("source", "is", SERVICE_SOURCE), ("country", "is", "DE")), "DACH")
    yield _Rule("By territory", "territory_pool", (("territory", "not_blank", None),), more={"match_language": True})
    yield _Rule("The rest of the world", "pool", (("country", "not_blank", None),), "Everybody")


def _build_rule(rule_set: RuleSet, position: int, rule: _Rule, pools: Mapping[str, Pool]) -> None:
    row = RoutingRule.objects.create(
        rule_set=rule_set,
        position=position,
        name=rule.name,
        target=rule.target,
        pool=pools.get(rule.pool),
        **(rule.more or {}),
    )
    Condition.objects.bulk_create(
        Condition(rule=row, field=field, operator=operator, value=value) for field, operator, value in rule.conditions
    )
