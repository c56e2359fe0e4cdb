import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from distribution.digests import digest
from distribution.engine.decision import leads
from distribution.engine.eligibility import FILTERS
from distribution.engine.facts import plain
from distribution.engine.ledger import UNIT
from distribution.engine.people import Relax
from distribution.engine.routing import route
from distribution.engine.territories import Area, build_index
from distribution.engine.trace import SCHEMA_VERSION, render_trace
from tests.engine.test_any_world import worlds
from tests.engine.worlds import facts, member, pool, rep, rule, rules, territory, when, world

LAST = datetime(2026, 3, 1, tzinfo=UTC)
NORTH = build_index([territory(1, name="North"), territory(2)], [Area(1, country="DE"), Area(2)])
LEAD = facts(country="DE", company="Müller", value=Decimal("10.50"), tags=("a", "b"), city="", employees=None)
RULES = rules(
    rule(1, when("employees", "gte", 50), name="Big", active=False),
    rule(2, when("value", "gt", 100), when("company", "is", "x"), name="Dear"),
    rule(3, when("company", "is", "MULLER"), when("territory", "in_territory", [1]), name="Ours"),
)
PEOPLE = pool(
    member(rep(1, "Ann", open_leads=2, capacity=5), weight=3, last_assigned_at=LAST),
    member(rep(2, "Bob"), credit=-UNIT // 10),
    member(rep(3, "Cem", away=True, away_reason="at lunch"), tier=2),
    name="Seniors",
)


@pytest.fixture
def trace():
    return render_trace(route(LEAD, world(RULES, PEOPLE, territories=NORTH)))


def test_the_trace_shows_the_facts_the_rules_and_the_outcome(trace):
    assert {key: value for key, value in trace.items() if key != "attempts"} == {
        "schema": SCHEMA_VERSION,
        "rule_set": {"id": 1, "version": 3, "name": "Rules"},
        "facts": {"company": "Müller", "country": "DE", "tags": ["a", "b"], "value": "10.50"},
        "territory": "North",
        "territories": [1, 2],
        "rules": [
            {"id": 1, "name": "Big", "result": "inactive", "reason": "switched off", "checks": []},
            {
                "id": 2,
                "name": "Dear",
                "result": "passed",
                "reason": "",
                "checks": [
                    {"field": "value", "operator": "gt", "value": 100, "actual": "10.50", "holds": False, "error": ""}
                ],
            },
            {
                "id": 3,
                "name": "Ours",
                "result": "matched",
                "reason": "",
                "checks": [
                    {
                        "field": "company",
                        "operator": "is",
                        "value": "MULLER",
                        "actual": "Müller",
                        "holds": True,
                        "error": "",
                    },
                    {
                        "field": "territory",
                        "operator": "in_territory",
                        "value": [1],
                        "actual": [1, 2],
                        "holds": True,
                        "error": "",
                    },
                ],
            },
        ],
        "outcome": "assigned",
        "reason": "",
        "winner": {"rep": 1, "name": "Ann"},
    }


def test_the_trace_shows_every_candidate_with_numbers_before_and_after_or_a_reason(trace):
    [attempt] = trace["attempts"]
    assert attempt | {"candidates": None} == {
        "rule": 3,
        "via": "target",
        "method": "weighted",
        "result": "assigned",
        "note": "",
        "pool": {"id": 1, "name": "Seniors"},
        "team": None,
        "relaxed": [],
        "candidates": None,
    }
    assert attempt["candidates"] == [
        {
            "rep": 1,
            "member": 11,
            "name": "Ann",
            "weight": 3,
            "tier": 1,
            "open": 2,
            "capacity": 5,
            "last": "2026-03-01T00:00:00+00:00",
            "eligible": True,
            "rank": 1,
            "why": "",
            "share": 750_000_000,
            "before": 0,
            "owed": 750_000_000,
            "after": -250_000_000,
        },
        {
            "rep": 2,
            "member": 12,
            "name": "Bob",
            "weight": 1,
            "tier": 1,
            "open": 0,
            "capacity": None,
            "last": None,
            "eligible": True,
            "rank": 2,
            "why": "",
            "share": 250_000_000,
            "before": -100_000_000,
            "owed": 150_000_000,
            "after": 150_000_000,
        },
        {
            "rep": 3,
            "member": 13,
            "name": "Cem",
            "weight": 1,
            "tier": 2,
            "open": 0,
            "capacity": None,
            "last": None,
            "eligible": False,
            "code": "away",
            "why": "at lunch",
        },
    ]


def test_of_each_group_that_fails_the_first_condition_that_failed_is_shown():
    fr, de, big = when("country", "is", "FR"), when("country", "is", "DE"), when("value", "gt", 100)
    look = render_trace(route(LEAD, world(rules(rule(groups=((fr, big), (de, big)))))))["rules"][0]
    assert [(check["field"], check["holds"]) for check in look["checks"]] == [("country", False), ("value", False)]


def test_a_condition_that_cannot_be_evaluated_is_shown_with_its_error():
    bad = rules(rule(1, when("employees", "is_not", 5)))
    look = render_trace(route(facts(employees="many"), world(bad)))["rules"][0]
    assert look["result"] == "error"
    assert look["checks"][0] == {
        "field": "employees",
        "operator": "is_not",
        "value": 5,
        "actual": "many",
        "holds": False,
        "error": "TypeError: the lead's value is a str",
    }


def test_a_dropped_demand_is_shown():
    snapshot = world(rules(rule(skills=frozenset({"x"}))), pool(member(1), relax=(Relax("skill"),)))
    assert render_trace(route(facts(), snapshot))["attempts"][0]["relaxed"] == [{"demand": "skill", "after": 0}]


@pytest.mark.parametrize(
    ("people", "note"),
    [(pool(), "the pool has no members"), (pool(member(1, weight=0)), "all weights are 0: counted as equal")],
)
def test_a_note_tells_what_is_odd_about_the_pool(people, note):
    assert render_trace(route(facts(), world(None, people)))["attempts"][0]["note"] == note


@given(worlds())
def test_any_trace_survives_the_way_into_the_database_and_back(drawn):
    lead, snapshot = drawn
    trace = render_trace(route(lead, snapshot))
    assert json.loads(json.dumps(trace)) == trace


@given(worlds())
def test_equal_worlds_have_equal_digests(drawn):
    lead, snapshot = drawn
    once, again = (digest(render_trace(route(lead, snapshot))) for _ in range(2))
    assert once == again
    assert len(once) == 64


@given(worlds())
def test_every_refused_candidate_carries_a_known_code_and_everyone_is_shown_once_per_attempt(drawn):
    lead, snapshot = drawn
    for attempt in render_trace(route(lead, snapshot))["attempts"]:
        people = attempt["candidates"]
        assert all(row["eligible"] or (row["code"] in FILTERS and row["why"]) for row in people)
        shown = sorted(row["member"] for row in people)
        known = [entry.id for entry in snapshot.pools[attempt["pool"]["id"]].members]
        assert shown in (known, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, had=frozenset({2})),
        lambda s: replace(s, rule_set=replace(s.rule_set, version=4)),
        lambda s: replace(s, territories=build_index([territory(1, name="South")], [Area(1, country="DE")])),
        lambda s: replace(s, pools={1: replace(PEOPLE, name="Juniors")}),
        lambda s: replace(s, pools={1: replace(PEOPLE, members=PEOPLE.members[:2])}),
        lambda s: replace(
            s, pools={1: replace(PEOPLE, members=(replace(PEOPLE.members[0], credit=1), *PEOPLE.members[1:]))}
        ),
    ],
)
def test_a_world_that_differs_where_it_matters_has_another_digest(change):
    before = world(RULES, PEOPLE, territories=NORTH)
    assert digest(render_trace(route(LEAD, before))) != digest(render_trace(route(LEAD, change(before))))


def test_the_digest_does_not_depend_on_the_order_of_keys(trace):
    assert digest(dict(reversed(trace.items()))) == digest(trace)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("1E+3"), "1000"),
        (date(2026, 1, 31), "2026-01-31"),
        (frozenset({3, 1}), [1, 3]),
        (("b", "a"), ["b", "a"]),
        (5, 5),
        (None, None),
        (True, True),
    ],
)
def test_facts_are_shown_as_json_knows_them(value, shown):
    assert plain(value) == shown


@pytest.mark.parametrize(("units", "text"), [(0, "+0.00"), (666_666_667, "+0.67"), (-UNIT, "-1.00")])
def test_credit_is_shown_in_leads(units, text):
    assert leads(units) == text


def test_a_decision_tells_what_must_stay_the_same_under_the_lock():
    ours = world(RULES, PEOPLE, territories=NORTH)
    decision = route(LEAD, ours)
    assert decision.answer == ("assigned", 3, 1, 1, None)
    single = world(rules(rule(target="rep", rep_id=1)), people=(rep(1),))
    assert route(LEAD, single).answer == ("assigned", 1, None, 1, None)
    busy = replace(PEOPLE, members=(replace(PEOPLE.members[0], credit=-5 * UNIT), *PEOPLE.members[1:]))
    assert route(LEAD, replace(ours, pools={1: busy})).answer != decision.answer
