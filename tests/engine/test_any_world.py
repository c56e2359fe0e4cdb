"""What holds for every decision, in worlds drawn at random."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from distribution.engine.ledger import UNIT
from distribution.engine.people import Pool, Relax
from distribution.engine.routing import route
from tests.engine.worlds import facts, member, pool, rep, rule, rules, when, world


@st.composite
def worlds(draw):
    """A world of a few rules, pools and people in any state."""
    states = st.fixed_dictionaries({
        "active": st.booleans(), "away": st.booleans(), "capacity": st.sampled_from([None, 0, 2]),
        "open_leads": st.integers(0, 3), "skills": st.sets(st.sampled_from(["x", "y"])).map(frozenset),
    })  # fmt: skip
    people = [rep(number, **draw(states)) for number in range(1, 6)]
    places = st.builds(
        member, st.sampled_from(people), weight=st.integers(0, 3), tier=st.integers(1, 2), paused=st.booleans(),
        credit=st.integers(-2 * UNIT, 2 * UNIT), total=st.integers(0, 3),
    )  # fmt: skip
    methods = ["round_robin", "weighted", "priority_tiers", "least_loaded", "equal_totals", "claim", "pull"]
    pools = [
        pool(
            *draw(
                st.lists(places, max_size=4, unique_by=lambda m: m.id).map(lambda ms: sorted(ms, key=lambda m: m.id))
            ),
            id=number,
            method=draw(st.sampled_from(methods)),
            relax=draw(st.sampled_from([(), (Relax("skill"),)])),
        )
        for number in (1, 2, 3)
    ]
    entries = [
        rule(
            number,
            *draw(st.sampled_from([(), (when("country", "is", "DE"),), (when("product", "not_blank"),)])),
            pool_id=draw(st.integers(1, 3)),
            unavailable=draw(st.sampled_from(["next", "hold", "fallback"])),
            fallback_pool_id=draw(st.integers(1, 3)),
            skill_field=draw(st.sampled_from(["", "product"])),
        )
        for number in range(1, draw(st.integers(1, 4)))
    ]
    rule_set = rules(*entries, catch_all_pool_id=draw(st.sampled_from([None, 1, 2])))
    lead = facts(country=draw(st.sampled_from(["DE", "FR"])), product=draw(st.sampled_from(["", "x", "y"])))
    had = draw(st.sets(st.integers(1, 5)).map(frozenset))
    return lead, world(rule_set, *pools, people=tuple(people), had=had)


@given(worlds())
def test_a_winner_is_always_someone_who_could_take_the_lead(drawn):
    lead, snapshot = drawn
    decision = route(lead, snapshot)
    if decision.winner is None:
        return
    person = decision.winner.rep
    assert person.active
    assert not person.away
    assert not decision.winner.paused
    assert person.capacity is None or person.open_leads < person.capacity
    assert person.id not in snapshot.had


@given(worlds())
def test_the_same_world_gives_the_same_decision_and_a_decision_changes_nothing(drawn):
    lead, snapshot = drawn
    first = route(lead, snapshot)
    assert [route(lead, snapshot) for _ in range(3)] == [first] * 3


@given(worlds())
def test_every_posting_sums_to_zero_and_only_a_winner_posts(drawn):
    lead, snapshot = drawn
    decision = route(lead, snapshot)
    assert sum(decision.postings.values()) == 0
    assert decision.winner is not None or not decision.postings


@given(worlds())
def test_the_order_in_which_pools_were_loaded_plays_no_part(drawn):
    lead, snapshot = drawn
    turned: dict[int, Pool] = dict(reversed(snapshot.pools.items()))
    assert route(lead, replace(snapshot, pools=turned)) == route(lead, snapshot)
