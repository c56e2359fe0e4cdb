"""What becomes of a lead: rules, targets, fallbacks and turns, over whole small worlds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from distribution.engine.conditions import broken_condition
from distribution.engine.people import Leave
from distribution.engine.routing import route
from distribution.engine.rules import Window
from distribution.engine.sentences import sentence
from distribution.engine.snapshot import Missing
from distribution.engine.territories import Area, build_index
from tests.engine.worlds import NOW, deal, facts, member, pool, rep, rule, rules, territory, when, world

ANN, BOB, CEM = rep(1, "Ann"), rep(2, "Bob"), rep(3, "Cem")
FREE = pool(member(ANN))
AWAY = pool(member(rep(4, "Dan", away=True)), id=2)
FULL = pool(member(rep(5, "Eve", capacity=1, open_leads=1)), id=3)
UNFIT = pool(member(rep(6, "Fay", active=False)), id=4)
EMPTY = pool(id=5)
POOLS = (FREE, AWAY, FULL, UNFIT, EMPTY, pool(member(BOB), id=6), replace(FREE, id=7, archived=True))
NORTH = build_index([territory(1, name="North", owner_id=1, pool_id=6)], [Area(1, country="DE")])
BARE = build_index([territory(1, name="North")], [Area(1, country="DE")])


def to(pool_id, unavailable="next", fallback=None, id=1):
    return rule(id, pool_id=pool_id, unavailable=unavailable, fallback_pool_id=fallback)


def kind(target, **values):
    return rule(target=target, **{"pool_id": None} | values)


NEXT = to(1, id=2)
# What the rules are, what else is so, what becomes of the lead, and what was tried.
OUTCOMES = [
    # one pool
    ([to(1)], {}, "assigned to Ann", "assigned"),
    ([to(2)], {}, "nobody_available", "nobody_available"),
    ([to(3)], {}, "all_at_capacity", "all_at_capacity"),
    ([to(4)], {}, "nobody_eligible", "nobody_eligible"),
    ([to(5)], {}, "nobody_eligible", "empty_pool"),
    ([to(7)], {}, "nobody_eligible", "empty_pool"),  # archived
    ([], {}, "no_rule", ""),
    ([rule(1, when("country", "is", "FR"))], {}, "no_rule", ""),
    # one rep, a team, owners
    ([kind("rep", rep_id=2)], {}, "assigned to Bob", "assigned"),
    ([kind("team_queue", team_id=9)], {}, "queued", "queued"),
    ([kind("account_owner")], {"account_owner": 102}, "assigned to Bob", "assigned"),
    ([kind("account_owner")], {}, "no_target", "no_target"),
    ([kind("account_owner")], {"account_owner": 999}, "no_target", "no_target"),  # a user who is no rep
    ([kind("previous_owner")], {"previous_owner": 101}, "assigned to Ann", "assigned"),
    ([kind("previous_owner")], {}, "no_target", "no_target"),
    ([kind("territory_owner")], {"territories": NORTH}, "assigned to Ann", "assigned"),
    ([kind("territory_pool")], {"territories": NORTH}, "assigned to Bob", "assigned"),
    ([kind("territory_pool")], {}, "no_target", "no_target"),
    ([kind("territory_owner")], {"territories": BARE}, "no_target", "no_target"),
    ([kind("territory_pool")], {"territories": BARE}, "no_target", "no_target"),
    # the next rule
    ([to(6), NEXT], {}, "assigned to Bob", "assigned"),
    ([to(5), NEXT], {}, "assigned to Ann", "empty_pool, assigned"),
    ([to(3), NEXT], {}, "assigned to Ann", "all_at_capacity, assigned"),
    ([kind("account_owner"), NEXT], {}, "assigned to Ann", "no_target, assigned"),
    # waiting: for people who are away or full, not for people who are not there at all
    ([to(2, "hold"), NEXT], {}, "held because nobody_available", "nobody_available"),
    ([to(3, "hold"), NEXT], {}, "held because all_at_capacity", "all_at_capacity"),
    ([to(4, "hold"), NEXT], {}, "assigned to Ann", "nobody_eligible, assigned"),
    # a fallback
    ([to(2, "fallback", 1)], {}, "assigned to Ann", "nobody_available, fallback assigned"),
    ([to(2, "fallback", 3), NEXT], {}, "assigned to Ann", "nobody_available, fallback all_at_capacity, assigned"),
    ([to(2, "fallback"), NEXT], {}, "assigned to Ann", "nobody_available, assigned"),
    # the catch-all
    ([], {"pool": 1}, "assigned to Ann because no_rule", "catch_all assigned"),
    ([to(2)], {"pool": 1}, "assigned to Ann because nobody_available", "nobody_available, catch_all assigned"),
    ([to(3)], {"team": 9}, "queued because all_at_capacity", "all_at_capacity, catch_all queued"),
    ([], {"pool": 3}, "all_at_capacity because no_rule", "catch_all all_at_capacity"),
    ([to(2)], {"pool": 4}, "nobody_available", "nobody_available, catch_all nobody_eligible"),
    # the same person came in before
    ([to(1)], {"keepers": (102,)}, "kept to Bob", ""),
    ([to(1)], {"keepers": (999,)}, "assigned to Ann", "assigned"),
    ([to(1)], {"keepers": (102,), "had": {2}}, "assigned to Ann", "assigned"),
    ([to(1)], {"keepers": (102,), "excluded": {2}}, "assigned to Ann", "assigned"),
    ([to(6)], {"keepers": (102, 101)}, "kept to Bob", ""),
    ([to(6)], {"keepers": (102, 101), "had": {2}}, "kept to Ann", ""),
    ([to(6)], {"keepers": (999, 101)}, "kept to Ann", ""),
    # who had the lead does not get it again
    ([to(1), to(6, id=2)], {"had": {1}}, "assigned to Bob", "nobody_eligible, assigned"),
    ([to(1), to(6, id=2)], {"excluded": {1}}, "assigned to Bob", "nobody_eligible, assigned"),
    ([], {"pool": 1, "had": {1}}, "nobody_eligible because no_rule", "catch_all nobody_eligible"),
]


@pytest.mark.parametrize(("entries", "values", "expected", "tried"), OUTCOMES)
def test_outcome(entries, values, expected, tried):
    sets = {key: frozenset(values[key]) for key in ("had", "excluded") if key in values}
    others = {key: value for key, value in values.items() if key not in ("pool", "team", *sets)}
    rule_set = rules(*entries, catch_all_pool_id=values.get("pool"), catch_all_team_id=values.get("team"))
    snapshot = world(rule_set, *POOLS, people=(ANN, BOB), **others, **sets)
    decision = route(facts(country="DE"), replace(snapshot, owners={101: ANN, 102: BOB, 999: None}))
    assert _told(decision) == expected
    assert ", ".join(f"{a.via} {a.result}".removeprefix("target ") for a in decision.attempts) == tried


def _told(decision):
    winner = f" to {decision.winner.rep.name}" if decision.winner else ""
    reason = "" if decision.reason in ("", decision.outcome) else f" because {decision.reason}"
    return f"{decision.outcome}{winner}{reason}"


@pytest.mark.parametrize(
    ("entry", "values", "what", "id"),
    [
        (to(42), {}, "pool", 42),
        (kind("rep", rep_id=42), {}, "rep", 42),
        (kind("account_owner"), {"account_owner": 42}, "owner", 42),
        (kind("previous_owner"), {"previous_owner": 43}, "owner", 43),
        (to(2, "fallback", 44), {}, "pool", 44),
        (to(1), {"keepers": (45,)}, "owner", 45),
    ],
)
def test_what_a_decision_needs_and_the_snapshot_lacks_is_asked_for(entry, values, what, id):
    with pytest.raises(Missing) as missing:
        route(facts(), world(rules(entry), *POOLS, **values))
    assert (missing.value.kind, missing.value.id) == (what, id)


def test_an_inactive_owner_of_a_duplicate_does_not_keep_it():
    gone = rep(9, active=False)
    decision = route(facts(), world(rules(to(1)), *POOLS, people=(gone,), keepers=(gone.user_id,)))
    assert decision.outcome == "assigned"


@pytest.mark.parametrize("state", [{"away": True}, {"capacity": 1, "open_leads": 1}])
def test_the_owner_of_a_duplicate_keeps_it_even_when_away_or_full(state):
    busy = rep(9, **state)
    decision = route(facts(), world(rules(to(1)), *POOLS, people=(busy,), keepers=(busy.user_id,)))
    assert (decision.outcome, decision.postings) == ("kept", {})


@pytest.mark.parametrize(
    ("first", "result"),
    [
        (rule(active=False, pool_id=6), "inactive"),
        (rule(window=Window(valid_until=NOW), pool_id=6), "inactive"),
        (rule(window=Window(weekdays=frozenset({7})), pool_id=6), "inactive"),
        (rule(1, broken_condition("gone", "is", "x", "There is no field."), pool_id=6), "error"),
        (rule(1, when("employees", "is_not", 5), pool_id=6), "error"),
        (rule(1, when("country", "is", "FR"), pool_id=6), "passed"),
    ],
)
def test_a_rule_that_does_not_apply_is_in_the_trace_and_the_next_one_runs(first, result):
    decision = route(facts(country="DE", employees="many"), world(rules(first, NEXT), *POOLS))
    assert [look.result for look in decision.looks] == [result, "matched"]
    assert decision.winner.rep.name == "Ann"


def test_rules_behind_the_one_that_placed_the_lead_are_not_looked_at():
    decision = route(facts(), world(rules(to(1), to(6, id=2)), *POOLS))
    assert [look.rule.id for look in decision.looks] == [1]


@pytest.mark.parametrize(
    ("demand", "lead", "winner"),
    [
        ({"skills": frozenset({"voip"})}, {}, "Bob"),
        ({"skill_field": "product"}, {"product": "VoIP"}, "Bob"),
        ({"skill_field": "product"}, {"product": "  "}, "Ann"),
        ({"skill_field": "product", "skills": frozenset({"crm"})}, {"product": "VoIP"}, "Cem"),
        ({"match_language": True}, {"language": "fr"}, "Bob"),
        ({"match_language": True}, {}, "Ann"),
        ({"match_territory": True}, {"country": "DE"}, "Cem"),
        ({"match_territory": True}, {"country": "FR"}, "nobody_eligible"),
    ],
)
def test_a_rule_asks_for_skill_language_or_territory(demand, lead, winner):
    people = pool(
        member(rep(1, "Ann")),
        member(rep(2, "Bob", skills=frozenset({"voip"}), languages=frozenset({"fr"}))),
        member(rep(3, "Cem", skills=frozenset({"voip", "crm"}), territories=frozenset({1}))),
    )
    snapshot = world(rules(rule(**demand)), people, territories=NORTH)
    assert deal(snapshot, facts(**lead)) == [winner]


def test_demands_hold_for_the_fallback_but_not_for_the_catch_all():
    entry = replace(to(1, "fallback", 6), skills=frozenset({"voip"}))
    decision = route(facts(), world(rules(entry, catch_all_pool_id=1), *POOLS))
    assert [attempt.result for attempt in decision.attempts] == ["nobody_eligible", "nobody_eligible", "assigned"]


@pytest.mark.parametrize(
    ("people", "method", "outcome"),
    [
        ([ANN, BOB], "claim", "offered"),
        ([rep(4, away=True)], "claim", "nobody_available"),
        ([ANN], "pull", "queued"),
        ([rep(4, away=True)], "pull", "queued"),
    ],
)
def test_claim_offers_to_those_who_can_and_pull_waits_even_when_nobody_is_there(people, method, outcome):
    decision = route(facts(), world(None, pool(*map(member, people), method=method)))
    assert (decision.outcome, decision.winner, decision.postings) == (outcome, None, {})


# --- Standing in ---


def covered(*people, **lead):
    """The decision for a lead of the first person's account; each person is (name, id of the cover or None, more)."""
    reps = []
    for number, (name, cover, more) in enumerate(people, 1):
        leave = Leave(NOW + timedelta(days=1), "", cover) if cover is not None else None
        reps.append(rep(number, name, leave=leave, **more))
    owned = rule(1, target="account_owner")
    return route(facts(), world(rules(owned, catch_all_team_id=9), people=tuple(reps), account_owner=101, **lead))


OUT = {"away": True}
COVERS = [
    ([("Ann", 2, {}), ("Ben", None, {})], "Ben"),
    ([("Ann", 2, {}), ("Ben", 3, {}), ("Cem", None, {})], "Cem"),
    ([("Ann", 2, {}), ("Ben", 3, {}), ("Cem", 4, {}), ("Dan", None, {})], "Dan"),
    ([("Ann", 2, {}), ("Ben", 3, {}), ("Cem", 4, {}), ("Dan", 5, {}), ("Eve", None, {})], None),
    ([("Ann", 2, {}), ("Ben", 1, {})], None),
    ([("Ann", 2, {}), ("Ben", None, OUT)], None),
    ([("Ann", 2, {}), ("Ben", None, {"capacity": 0})], None),
    ([("Ann", 2, {}), ("Ben", None, {"off_hours": True})], None),
    ([("Ann", None, OUT), ("Ben", None, {})], None),
]


@pytest.mark.parametrize(("people", "taker"), COVERS)
def test_while_an_owner_is_on_leave_the_first_who_stands_in_and_can_gets_the_lead(people, taker):
    decision = covered(*people)
    assert (decision.winner.rep.name if decision.winner else None) == taker
    if taker is None:
        assert decision.attempts[0].screening.refused[0][0].rep.name == "Ann"


def test_who_stands_in_is_told_with_for_whom():
    decision = covered(("Ann", 2, {}), ("Ben", None, {}))
    assert decision.final.note == "stands in for Ann"
    assert sentence(decision) == "Assigned to Ben: rule “Rule 1”, the account's owner, stands in for Ann."


def test_who_stands_in_and_gave_the_lead_up_does_not_get_it_again():
    assert covered(("Ann", 2, {}), ("Ben", None, {}), had=frozenset({2})).winner is None
