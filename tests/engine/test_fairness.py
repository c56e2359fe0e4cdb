"""Fair to within one lead: proofs for constant sets, measurements for mixed traffic."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distribution.bench.fairness import START, largest_credit, measure, play, seats_of, summary
from distribution.bench.traffic import DAY, draw_history
from distribution.engine.ledger import UNIT, shares
from distribution.engine.methods import METHODS, weighted
from distribution.engine.people import Cap
from distribution.engine.routing import route
from tests.engine.worlds import facts, member, pool, rep, rule, rules, world

WEIGHTS = st.lists(
    st.one_of(st.integers(0, 5), st.sampled_from([10, 50, 1000, 10**6, 2**31 - 1])), min_size=1, max_size=12
)


def credits_over_time(rank, places, steps):
    """The credits after each of many leads that everyone could take."""
    members = list(places)
    for step in range(steps):
        ranking = rank(members)
        winner = ranking.order[0].id
        at = START + timedelta(minutes=step)
        members = [
            replace(
                place,
                credit=place.credit + ranking.postings.get(place.id, 0),
                last_assigned_at=at if place.id == winner else place.last_assigned_at,
            )
            for place in members
        ]
        yield [place.credit for place in members]


def bound(weights):
    """The limit of every credit in billionths of a lead, times its divisor 2k-2, to stay with whole numbers."""
    spread = max(2 * sum(1 for share in shares(weights) if share) - 2, 1)
    return UNIT * (spread - 1), spread


@pytest.mark.parametrize("method", ["weighted", "round_robin", "priority_tiers"])
@settings(max_examples=60)
@given(weights=WEIGHTS)
def test_while_the_same_people_are_eligible_nobody_strays_a_lead_from_the_ideal(method, weights):
    counted = [min(weight, 1) for weight in weights] if method == "round_robin" else weights
    limit, spread = bound(counted)
    places = [member(number, weight=weight) for number, weight in enumerate(weights, 1)]
    for credits in credits_over_time(METHODS[method].rank, places, 400):
        assert sum(credits) == 0
        assert max(map(abs, credits)) * spread <= limit


def test_over_many_thousand_leads_nothing_adds_up(thorough):
    weights = [1, 1, 2, 3, 5, 8, 13, 1000, 1, 77]
    limit, spread = bound(weights)
    places = [member(number, weight=weight) for number, weight in enumerate(weights, 1)]
    for credits in credits_over_time(weighted, places, 200_000 if thorough else 4000):
        assert max(map(abs, credits)) * spread <= limit


def test_taking_simply_the_largest_credit_would_break_the_promise():
    """The control: the same measurement finds the simpler rule out."""
    weights = [1, 1, 10, 10, 1, 1, 1, 50, 50, 10]
    places = [member(number, weight=weight) for number, weight in enumerate(weights, 1)]
    limit, spread = bound(weights)
    worst = max(max(map(abs, credits)) for credits in credits_over_time(largest_credit, places, 2000))
    assert worst * spread > limit
    assert worst > UNIT


def test_mixed_traffic_keeps_everyone_close_and_brings_no_burst_after_an_absence(thorough):
    histories = 1000 if thorough else 30
    figures = list(summary([measure(draw_history(seed)) for seed in range(1, histories + 1)]))
    promised = {figure.label: figure.value >= figure.limit for figure in figures if figure.limit}
    assert len(promised) == 3
    assert all(promised.values()), "\n".join(map(str, figures))


def test_a_history_is_the_same_every_time():
    assert draw_history(7) == draw_history(7)
    assert measure(draw_history(7)) == measure(draw_history(7))
    assert draw_history(7) != draw_history(8)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_simulation_decides_as_live_routing_does(seed):
    """The same people at the same moment, with the real filters: the same winner and the same postings."""
    history = draw_history(seed)
    shadow = seats_of(history)
    by_product = rules(rule(skill_field="product"))
    for step in islice(play(history, seats_of(history)), 400):
        people = pool(*(_member(seat, step.moment) for seat in shadow))
        decision = route(facts(product=step.call.product), world(by_product, people))
        assert decision.winner is not None
        assert decision.winner.rep.id == step.winner.id
        assert {member_id - 10: change for member_id, change in decision.postings.items()} == step.change
        _follow(shadow, step)


def _member(seat, moment):
    person, limit = seat.person, seat.person.per_day
    return member(
        rep(
            seat.id,
            skills=person.skills,
            away=not seat.here[moment],
            capacity=person.capacity,
            open_leads=seat.open_leads(moment),
            caps=() if limit is None else (Cap("day", limit, seat.per_day[moment // DAY]),),
        ),
        weight=seat.weight,
        credit=seat.credit,
        last_assigned_at=seat.last_assigned_at,
    )


def _follow(seats, step):
    for seat in seats:
        seat.credit += step.change.get(seat.id, 0)
        if seat.id == step.winner.id:
            seat.take(step.call, step.moment)
