"""Whose turn it is, over many leads."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from distribution.engine.people import Cap
from distribution.engine.routing import route
from tests.engine.worlds import NOW, apply, deal, facts, member, pool, rep, rule, rules, world

ANN, BOB, CEM = rep(1, "Ann"), rep(2, "Bob"), rep(3, "Cem")


def three(**values):
    return pool(member(ANN), member(BOB), member(CEM), **values)


def test_three_reps_take_seven_leads_in_turn_and_closing_them_meanwhile_moves_nothing():
    snapshot, names = world(None, three(method="round_robin")), []
    for number in range(7):
        decision = route(facts(), snapshot)
        names.append(decision.winner.rep.name)
        snapshot = apply(snapshot, decision, NOW + timedelta(minutes=number))
        closed = tuple(replace(m, open_leads=0, rep=replace(m.rep, open_leads=0)) for m in snapshot.pools[1].members)
        snapshot = replace(snapshot, pools={1: replace(snapshot.pools[1], members=closed)})
    assert names == ["Ann", "Bob", "Cem", "Ann", "Bob", "Cem", "Ann"]


def test_thirty_single_leads_are_ten_for_each_of_three():
    assert Counter(deal(world(None, three()), *[facts()] * 30)) == {"Ann": 10, "Bob": 10, "Cem": 10}


@pytest.mark.parametrize("gone", ["Ann", "Bob", "Cem"])
def test_when_the_last_one_leaves_the_following_one_is_next_and_nobody_is_skipped(gone):
    snapshot = world(None, three())
    order, left = ["Ann", "Bob", "Cem"], []
    for _ in range(order.index(gone) + 1):
        snapshot = apply(snapshot, route(facts(), snapshot), snapshot.now + timedelta(seconds=1))
    left = [replace(m, rep=replace(m.rep, active=m.rep.name != gone)) for m in snapshot.pools[1].members]
    snapshot = replace(snapshot, pools={1: replace(snapshot.pools[1], members=tuple(left))})
    following = order[(order.index(gone) + 1) % 3]
    names = deal(snapshot, *[facts()] * 4)
    assert names[0] == following
    assert sorted(names[:2]) == sorted({"Ann", "Bob", "Cem"} - {gone})


def test_a_rep_who_joins_between_the_others_causes_neither_two_turns_in_a_row_nor_a_skip():
    snapshot = world(None, pool(member(ANN), member(CEM), member(rep(9, "Zoe"))))
    for _ in range(4):
        snapshot = apply(snapshot, route(facts(), snapshot), snapshot.now + timedelta(seconds=1))
    ann, *later = snapshot.pools[1].members
    snapshot = replace(snapshot, pools={1: replace(snapshot.pools[1], members=(ann, member(BOB), *later))})
    names = deal(snapshot, *[facts()] * 40)
    assert all(one != other for one, other in pairwise(names))
    assert all(count in (9, 10, 11) for count in Counter(names).values())
    assert Counter(names[:8]) == {"Ann": 2, "Bob": 2, "Cem": 2, "Zoe": 2}


def test_weights_one_to_two_hold_in_six_leads_and_in_every_window_of_three():
    names = deal(world(None, pool(member(ANN), member(BOB, weight=2))), *[facts()] * 30)
    assert Counter(names[:6]) == {"Ann": 2, "Bob": 4}
    assert all(Counter(names[i : i + 3]) == {"Ann": 1, "Bob": 2} for i in range(28))


def test_the_highest_weight_is_served_first_and_ties_go_to_the_longest_wait():
    waiting = [NOW - timedelta(days=1), NOW - timedelta(days=9), NOW - timedelta(days=5)]
    people = [
        member(person, weight=weight, last_assigned_at=last)
        for person, weight, last in zip((ANN, BOB, CEM), (100, 200, 100), waiting, strict=True)
    ]
    assert deal(world(None, pool(*people)), *[facts()] * 2) == ["Bob", "Cem"]


def test_weight_zero_gets_nothing_by_weight_and_all_zero_counts_as_equal():
    none, all_zero = pool(member(ANN, weight=0), member(BOB)), pool(member(ANN, weight=0), member(BOB, weight=0))
    assert set(deal(world(None, none), *[facts()] * 10)) == {"Bob"}
    assert Counter(deal(world(None, all_zero), *[facts()] * 10)) == {"Ann": 5, "Bob": 5}
    assert route(facts(), world(None, all_zero)).final.ranking.note == "all weights are 0: counted as equal"


def test_weight_zero_stays_out_also_when_whoever_has_a_weight_is_away():
    people = pool(member(ANN, weight=0), member(rep(2, "Bob", away=True)))
    assert deal(world(None, people), facts()) == ["nobody_available"]


def test_tiers_fall_back_to_the_next_and_return_to_the_first():
    first, second = rep(1, "First"), rep(2, "Second")
    away = pool(member(replace(first, away=True)), member(second, tier=2), method="priority_tiers")
    back = pool(member(first), member(second, tier=2), method="priority_tiers")
    assert deal(world(None, away), *[facts()] * 2) == ["Second", "Second"]
    assert deal(world(None, back), *[facts()] * 2) == ["First", "First"]


@pytest.mark.parametrize("weight", [0, 1, 7])
def test_a_single_rep_gets_the_lead_and_owes_nothing(weight):
    decision = route(facts(), world(None, pool(member(ANN, weight=weight))))
    assert (decision.winner.rep.name, decision.postings) == ("Ann", {11: 0})


def test_someone_who_joins_is_not_flooded():
    snapshot = world(None, three())
    for _ in range(50):
        snapshot = apply(snapshot, route(facts(), snapshot), snapshot.now + timedelta(seconds=1))
    joined = replace(snapshot.pools[1], members=(*snapshot.pools[1].members, member(rep(9, "New"))))
    names = deal(replace(snapshot, pools={1: joined}), *[facts()] * 20)
    assert Counter(names) == {"Ann": 5, "Bob": 5, "Cem": 5, "New": 5}


def test_a_specialist_gets_the_share_of_the_special_leads_that_the_weight_says():
    x, y = frozenset({"x"}), frozenset({"y"})
    people = pool(
        member(rep(1, "General", skills=x)),
        member(rep(2, "Both", skills=x | y)),
        member(rep(3, "Special", skills=y), weight=2),
    )
    leads = [facts(product="x" if number % 3 else "y") for number in range(600)]
    names = deal(world(rules(rule(skill_field="product")), people), *leads)
    special = Counter(name for name, lead in zip(names, leads, strict=True) if lead.values["product"] == "y")
    assert special["Special"] == pytest.approx(200 * 2 / 3, abs=1)
    assert Counter(names) == {"General": 200, "Both": pytest.approx(267, abs=1), "Special": special["Special"]}


def test_whoever_cannot_take_a_lead_neither_gains_nor_loses_credit():
    capped = member(rep(1, caps=(Cap("hour", 3, 3),)), credit=5)
    decision = route(facts(), world(None, pool(capped, member(2), member(3))))
    assert set(decision.postings) == {12, 13}


def test_an_unlimited_rep_without_leads_is_the_least_loaded():
    people = pool(member(rep(1, open_leads=1)), member(rep(2, open_leads=0)), method="least_loaded")
    assert deal(world(None, people), facts()) == ["Rep 2"]


def test_equally_loaded_reps_take_turns():
    names = deal(world(None, three(method="least_loaded")), *[facts()] * 6)
    assert names == ["Ann", "Bob", "Cem", "Ann", "Bob", "Cem"]
