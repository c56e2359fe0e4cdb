import json
from decimal import Decimal

import pytest

from distribution.engine.facts import Field, catalogue
from distribution.engine.methods import METHODS
from distribution.engine.outcomes import OUTCOMES
from distribution.engine.people import Relax
from distribution.engine.trace import render_trace
from distribution.explain import Names, explain, mentioned
from tests.distribution.traces import NOW, broken, condition, decide, member, pool, rule, trace_of

EVERYONE = rule(1, "Everyone")


def only_attempt(*members, **more):
    return explain(trace_of({}, (EVERYONE,), pool(*members, **more))).attempts[0]


def only_check(entry, names=None, **facts):
    return explain(trace_of(facts, (rule(1, "Rule", entry),)), names).rules[0].checks[0]


def test_the_winner_and_everyone_passed_over_are_listed_with_their_reasons():
    attempt = only_attempt(
        member(1, "Ada", credit=0.4, open_leads=3, capacity=25),
        member(2, "Ben", credit=-0.4),
        member(3, "Cyd", away=True, away_reason="on leave"),
    )
    assert [(c.rank, c.name, c.won, c.verdict, c.why) for c in attempt.candidates] == [
        ("1", "Ada", True, "Gets it", ""),
        ("2", "Ben", False, "Can take it", ""),
        ("", "Cyd", False, "Away", "on leave"),
    ]
    assert (attempt.title, attempt.place, attempt.method) == ("Rule “Everyone”", "pool “DACH senior”", "Round robin")
    assert attempt.eligible_count == 2


def test_credits_are_shown_in_leads_before_and_after_the_turn():
    ada, ben = only_attempt(member(1, "Ada", credit=0.4), member(2, "Ben", credit=-0.4)).candidates
    assert (ada.share, ada.before, ada.owed, ada.after) == ("50.0%", "+0.40", "+0.90", "-0.10")
    assert (ben.share, ben.before, ben.owed, ben.after) == ("50.0%", "-0.40", "+0.10", "+0.10")


def test_load_is_open_leads_of_the_capacity_or_alone_when_there_is_no_limit():
    ada, ben = only_attempt(member(1, "Ada", open_leads=3, capacity=25), member(2, "Ben", open_leads=7)).candidates
    assert (ada.load, ben.load) == ("3 of 25", "7")


def test_a_tie_says_who_waited_longer():
    attempt = only_attempt(member(1, "Ada", last=NOW), member(2, "Ben"))
    assert attempt.tie == "Ben and Ada stood equal: Ben has waited longer."


def test_a_full_tie_says_who_is_longer_in_the_pool():
    assert (
        only_attempt(member(1, "Ada"), member(2, "Ben")).tie
        == "Ada and Ben stood equal: Ada has been in the pool longer."
    )


def test_figures_that_only_look_equal_are_said_to_differ_a_little():
    trace = trace_of({}, (EVERYONE,), pool(member(1, "Ada"), member(2, "Ben")))
    trace["attempts"][0]["candidates"][0]["owed"] += 5
    assert explain(trace).attempts[0].tie == "Ada was ahead of Ben by less than a hundredth of a lead."


def test_no_tie_is_told_when_the_credits_differ_or_nobody_competes():
    assert only_attempt(member(1, "Ada", credit=0.1), member(2, "Ben", credit=-0.1)).tie == ""
    assert only_attempt(member(1, "Ada")).tie == ""


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_has_a_name_and_where_it_chooses_says_how(method):
    attempt = only_attempt(member(1, "Ada"), member(2, "Ben"), method=method)
    assert attempt.method == METHODS[method].label
    assert bool(attempt.order) == (METHODS[method].ending == "assign")


@pytest.mark.parametrize(
    ("entry", "wanted", "operator"),
    [
        (condition("country", "any_of", ["DE", "AT"]), "DE, AT", "is any of"),
        (condition("value", "between", [1000, "25000.50"]), "1,000 and 25,000.50", "is between"),
        (condition("value", "gte", 5000), "5,000", "is at least"),
        (condition("duplicate", "is", True), "yes", "is"),
        (condition("city", "not_blank"), "", "is not blank"),
        (condition("territory", "in_territory", [4, 5]), "North, territory 5", "is in territory"),
    ],
)
def test_wanted_values_are_written_for_people(entry, wanted, operator):
    line = only_check(entry, Names(territories={4: "North"}))
    assert (line.wanted, line.operator, line.actual, line.holds) == (wanted, operator, "blank", False)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("value", Decimal("12500.00"), "12,500"),
        ("value", Decimal("0.50"), "0.50"),
        ("tags", ("hot", "fair"), "hot, fair"),
        ("account_owned", False, "no"),
        ("employees", 0, "0"),
        ("message", "x" * 300, "x" * 200 + "…"),
    ],
)
def test_facts_are_written_for_people(field, value, shown):
    facts = dict(explain(trace_of({field: value}, ())).facts)
    assert facts[catalogue()[field].label] == shown


def test_own_attributes_have_their_label_and_removed_ones_keep_their_key():
    trace = trace_of({"attr.budget_year": "2027", "attr.gone": "x"}, ())
    names = Names(fields=catalogue((Field("attr.budget_year", "Budget year"),)))
    assert explain(trace, names).facts == (("Budget year", "2027"), ("attr.gone", "x"))


def test_what_has_left_the_registries_keeps_its_key():
    trace = trace_of(
        {}, (rule(1, "Rule", condition("city", "is", "Berlin")), EVERYONE), pool(member(1, "Ada", active=False))
    )
    trace["rules"][0]["checks"][0]["operator"] = "sounds_like"
    trace["attempts"][0] |= {"method": "by_horoscope", "result": "eclipsed", "relaxed": ["sign"]}
    trace["attempts"][0]["candidates"][0]["code"] = "retrograde"
    shown = explain(trace)
    assert shown.rules[0].checks[0].operator == "sounds_like"
    assert (shown.attempts[0].method, shown.attempts[0].label, shown.attempts[0].relaxed) == (
        "by_horoscope",
        "eclipsed",
        "sign",
    )
    assert shown.attempts[0].candidates[0].verdict == "retrograde"


def test_rules_say_what_failed_first_why_they_were_off_and_which_one_decided():
    rules = (
        rule(1, "Big", condition("country", "is", "DE"), condition("value", "gte", 5000)),
        rule(2, "Off", active=False),
        rule(3, "Broken", broken("shoe_size", "is", 42, "There is no field 'shoe_size'.")),
        rule(4, "Nobody", pool_id=2),
        rule(5, "Rest"),
        rule(6, "Never reached"),
    )
    shown = explain(trace_of({"country": "DE", "value": Decimal(10)}, rules, pool(member(1, "Ada")), pool(id=2)))
    assert [(line.number, line.label, line.followed, line.decisive) for line in shown.rules] == [
        (1, "Passed over", "", False),
        (2, "Not in force", "", False),
        (3, "Could not be checked", "", False),
        (4, "Matched", "Empty pool", False),
        (5, "Matched", "Assigned", True),
    ]
    assert shown.rules[0].checks[0].field == "Value in base currency"
    assert shown.rules[1].reason == "switched off"
    assert shown.rules[2].checks[0].error == "There is no field 'shoe_size'."


def test_many_passed_over_rules_in_a_row_are_put_together():
    passed = tuple(rule(i, f"No {i}", condition("city", "is", "Berlin")) for i in range(1, 6))
    shown = explain(trace_of({}, (*passed, rule(9, "Rest")), pool(member(1, "Ada"))))
    assert [(group.folded, group.first, group.last) for group in shown.rule_groups] == [(True, 1, 5), (False, 6, 6)]


def test_folded_rules_stand_between_those_before_and_after():
    rules = [rule(i, f"R{i}", condition("city", "is", "Berlin"), unavailable="next") for i in range(1, 10)]
    rules[1] = rule(2, "R2", target="account_owner", pool_id=None)
    shown = explain(trace_of({}, (*rules, rule(99, "Rest")), pool(member(1, "Ada"))))
    assert [(group.folded, group.first, group.last) for group in shown.rule_groups] == [
        (False, 1, 2),
        (True, 3, 9),
        (False, 10, 10),
    ]


def test_few_passed_over_rules_stay_open():
    passed = tuple(rule(i, f"No {i}", condition("city", "is", "Berlin")) for i in range(1, 4))
    assert not any(group.folded for group in explain(trace_of({}, passed)).rule_groups)


def test_a_fallback_and_the_catch_all_are_named_and_undelivered_attempts_say_how_to_fix_them():
    full = pool(member(1, "Ada", capacity=1, open_leads=1), id=1)
    also_full = pool(member(2, "Ben", active=False), id=2, name="Fallback")
    rules = (rule(1, "First", unavailable="fallback", fallback_pool_id=2),)
    shown = explain(trace_of({}, rules, full, also_full, catch_all_pool_id=2))
    assert [(line.title, line.label) for line in shown.attempts] == [
        ("Rule “First”", "Everyone is full"),
        ("Rule “First”, fallback", "Nobody fits"),
        ("Catch-all", "Nobody fits"),
    ]
    assert shown.attempts[0].fix == OUTCOMES["all_at_capacity"].fix


def test_a_team_queue_is_called_by_the_teams_name():
    trace = trace_of({}, (rule(1, "Queue", target="team_queue", pool_id=None, team_id=7),))
    assert explain(trace, Names(teams={7: "Berlin"})).attempts[0].place == "team “Berlin”"
    assert mentioned(trace) == (set(), {7})


def test_relaxed_demands_are_told():
    relaxed = explain(
        trace_of(
            {"language": "fr"}, (rule(1, "R", match_language=True),), pool(member(1, "Ada"), relax=(Relax("language"),))
        )
    )
    assert relaxed.attempts[0].relaxed == "does not speak the language"


def test_territories_of_conditions_are_found_to_be_named():
    assert mentioned(trace_of({}, (rule(1, "R", condition("territory", "in_territory", [4, 5])),))) == ({4, 5}, set())


def test_a_trace_that_was_stored_reads_the_same():
    decision = decide({"value": Decimal("10.5")}, (EVERYONE,), pool(member(1, "Ada", last=NOW), member(2, "Ben")))
    trace = render_trace(decision)
    assert explain(json.loads(json.dumps(trace))) == explain(trace)
