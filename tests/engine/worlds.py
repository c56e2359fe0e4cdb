"""Small worlds for tests of the engine: short to write, complete where it matters."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from distribution.engine.conditions import Condition, build_condition
from distribution.engine.decision import Decision
from distribution.engine.facts import Catalogue, Field, LeadFacts, Value, catalogue
from distribution.engine.people import Member, Pool, Rep
from distribution.engine.routing import route
from distribution.engine.rules import Rule, RuleSet
from distribution.engine.snapshot import Snapshot
from distribution.engine.territories import Territory, TerritoryIndex

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday
FIELDS: Catalogue = catalogue((
    Field("attr.size", "Size", "choice", (("s", "Small"), ("l", "Large"))),
    Field("attr.signed", "Signed", "boolean"),
    Field("attr.starts", "Starts on", "date"),
))  # fmt: skip


def facts(account_id: int | None = None, **values: Value) -> LeadFacts:
    return LeadFacts(values, account_id)


def when(field: str, operator: str, value: Any = None) -> Condition:
    return build_condition(FIELDS, field, operator, value)


def rep(id: int = 1, name: str = "", **values: Any) -> Rep:
    """A rep whose user has the id 100 more."""
    return Rep(id, 100 + id, name or f"Rep {id}", **values)


def member(person: Rep | int = 1, **values: Any) -> Member:
    """A place in a pool, with the rep's id 10 more."""
    person = rep(person) if isinstance(person, int) else person
    return Member(10 + person.id, person, **values)


def pool(*members: Member, id: int = 1, method: str = "weighted", **values: Any) -> Pool:
    return Pool(id, values.pop("name", f"Pool {id}"), method, members, **values)


def rule(id: int = 1, *conditions: Condition, target: str = "pool", **values: Any) -> Rule:
    """A rule with one group of conditions; to pool 1 unless it says otherwise."""
    values = {"name": f"Rule {id}", "groups": (conditions,) if conditions else (), "pool_id": 1} | values
    return Rule(id, target=target, **values)


def rules(*entries: Rule, **values: Any) -> RuleSet:
    return RuleSet(1, "Rules", entries, version=3, **values)


def world(
    rule_set: RuleSet | None = None,
    *pools: Pool,
    people: tuple[Rep, ...] = (),
    territories: TerritoryIndex | None = None,
    now: datetime = NOW,
    **values: Any,
) -> Snapshot:
    """A snapshot that holds these pools and people, each person also as the owner of their user."""
    return Snapshot(
        now=now,
        rule_set=rule_set or rules(rule()),
        territories=territories or TerritoryIndex(),
        pools={entry.id: entry for entry in pools},
        reps={person.id: person for person in people},
        owners={person.user_id: person for person in people},
        **values,
    )


def apply(snapshot: Snapshot, decision: Decision, now: datetime | None = None) -> Snapshot:
    """The world after a decision, as the services write it: credits, counts and moments of the pool's members."""
    at = now or snapshot.now
    changed: Mapping[int, Pool] = {pk: _after(entry, decision, at) for pk, entry in snapshot.pools.items()}
    return replace(snapshot, pools=changed, now=at)


def _after(entry: Pool, decision: Decision, at: datetime) -> Pool:
    postings, winner = decision.postings, decision.winner
    members = []
    for place in entry.members:
        if decision.pool and decision.pool.id == entry.id:
            place = replace(place, credit=place.credit + postings.get(place.id, 0))
        if winner is not None and winner.rep.id == place.rep.id:
            person = replace(place.rep, open_leads=place.rep.open_leads + 1, last_assigned_at=at)
            mine = winner.id == place.id
            place = replace(place, rep=person)
            if mine:
                place = replace(place, open_leads=place.open_leads + 1, total=place.total + 1, last_assigned_at=at)
        members.append(place)
    return replace(entry, members=tuple(members))


def deal(snapshot: Snapshot, *leads: LeadFacts) -> list[str]:
    """Route leads one after the other, a second apart, each in the world the one before left; who got them."""
    names = []
    for lead in leads:
        decision = route(lead, snapshot)
        names.append(decision.winner.rep.name if decision.winner else decision.outcome)
        snapshot = apply(snapshot, decision, snapshot.now + timedelta(seconds=1))
    return names


def territory(id: int, **values: Any) -> Territory:
    return Territory(id, values.pop("name", f"Territory {id}"), **values)
