import pytest

from distribution.engine.eligibility import FILTERS, UNFIT, eligibility
from distribution.engine.methods import METHODS, Ranking, method, pool_method_choices
from distribution.engine.registry import Registry
from distribution.engine.routing import route
from tests.engine.worlds import facts, member, pool, rules, world


@pytest.fixture
def names():
    registry = Registry("name")
    registry.add("a", 1)
    return registry


def test_a_key_is_registered_once(names):
    with pytest.raises(ValueError, match="name 'a' is registered already"):
        names.add("a", 2)
    assert names["a"] == 1


def test_an_unknown_key_names_those_that_are_known(names):
    with pytest.raises(LookupError, match="unknown name 'b'; known are a"):
        names["b"]


def test_a_removed_key_is_free_again(names):
    names.remove("a")
    assert "a" not in names
    assert names.add("a", 2) == 2


def test_a_new_filter_takes_part_in_decisions():
    @eligibility("too_junior", "Too junior", UNFIT)
    def too_junior(place, demand):
        return "too junior" if place.weight < 5 else ""

    try:
        decision = route(facts(), world(None, pool(member(1), member(2, weight=5))))
    finally:
        FILTERS.remove("too_junior")
    assert [(refused.rep.id, reason.code) for refused, reason in decision.final.screening.refused] == [
        (1, "too_junior")
    ]
    assert decision.winner.rep.id == 2


def test_a_new_method_can_be_chosen_by_a_pool():
    @method("last_first", "Last first", "The highest id.")
    def last_first(candidates):
        return Ranking(sorted(candidates, key=lambda place: -place.id))

    try:
        assert ("last_first", "Last first") in pool_method_choices()
        decision = route(facts(), world(None, pool(member(1), member(2), method="last_first")))
    finally:
        METHODS.remove("last_first")
    assert decision.winner.rep.id == 2


def test_a_pool_with_a_method_that_is_gone_says_which_are_known():
    with pytest.raises(LookupError, match="unknown method 'dice'; known are round_robin"):
        route(facts(), world(rules(catch_all_pool_id=1), pool(member(1), method="dice")))
