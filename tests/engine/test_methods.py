from datetime import UTC, datetime

import pytest

from distribution.engine.ledger import UNIT
from distribution.engine.methods import METHODS
from tests.engine.worlds import member, rep

EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def order(key, *candidates):
    return [place.rep.id for place in METHODS[key].rank(candidates).order]


RANKED = [
    # round robin: weights do not count, waiting does
    ("round_robin", [{"weight": 9, "last_assigned_at": LATE}, {"last_assigned_at": EARLY}, {}], [3, 2, 1]),
    ("round_robin", [{}, {}, {}], [1, 2, 3]),
    ("round_robin", [{}, {"credit": UNIT // 3}, {"credit": -UNIT // 3}], [2, 1, 3]),
    # weighted: the highest weight is due first, ties by the longest wait
    ("weighted", [{"weight": 100}, {"weight": 200}, {"weight": 100}], [2, 1, 3]),
    (
        "weighted",
        [{"weight": 100, "last_assigned_at": LATE}, {"weight": 200}, {"weight": 100, "last_assigned_at": EARLY}],
        [2, 3, 1],
    ),
    ("weighted", [{"weight": 0}, {"weight": 0, "credit": 1}], [2, 1]),
    # tiers: the first tier among itself, the others behind
    ("priority_tiers", [{"tier": 2, "weight": 9}, {"tier": 1}, {"tier": 3}, {"tier": 1}], [2, 4, 1, 3]),
    ("priority_tiers", [{"tier": 3}, {"tier": 2}], [2, 1]),
    # equal totals
    ("equal_totals", [{"total": 3}, {"total": 1}, {"total": 2}], [2, 3, 1]),
    ("equal_totals", [{"last_assigned_at": LATE}, {"last_assigned_at": EARLY}, {}], [3, 2, 1]),
    # claim and pull show the longest waiting first
    ("claim", [{"last_assigned_at": LATE}, {"last_assigned_at": EARLY}], [2, 1]),
    ("pull", [{"last_assigned_at": LATE}, {"last_assigned_at": EARLY}], [2, 1]),
]


@pytest.mark.parametrize(("key", "places", "expected"), RANKED)
def test_who_comes_first(key, places, expected):
    assert order(key, *(member(number, **place) for number, place in enumerate(places, 1))) == expected


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        # open leads and capacity of each
        ([(5, 10), (1, 10), (9, 10)], [2, 1, 3]),
        ([(5, 10), (5, 100)], [2, 1]),
        ([(3, None), (0, None)], [2, 1]),
        ([(3, 100), (2, None)], [2, 1]),
        ([(1, 2), (2, 4), (3, 6)], [1, 2, 3]),
    ],
)
def test_least_loaded_compares_shares_of_capacity_and_counts_when_someone_has_none(people, expected):
    candidates = [
        member(rep(number, open_leads=busy, capacity=capacity)) for number, (busy, capacity) in enumerate(people, 1)
    ]
    assert order("least_loaded", *candidates) == expected


def test_equally_loaded_reps_rotate_instead_of_the_lowest_id_getting_all():
    candidates = [member(rep(1), last_assigned_at=LATE), member(rep(2), last_assigned_at=EARLY), member(rep(3))]
    assert order("least_loaded", *candidates) == [3, 2, 1]


@pytest.mark.parametrize(
    ("key", "place", "why"),
    [
        ("least_loaded", member(rep(1, open_leads=2, capacity=8)), "2 open of 8"),
        ("least_loaded", member(rep(1, open_leads=2)), "2 open"),
        ("equal_totals", member(1, total=4), "4 in the period"),
    ],
)
def test_the_figure_behind_the_choice_is_told(key, place, why):
    assert METHODS[key].rank([place]).why == {place.id: why}


def test_later_tiers_are_told_apart_and_not_posted():
    ranking = METHODS["priority_tiers"].rank([member(1), member(2, tier=2)])
    assert (ranking.why, list(ranking.postings)) == ({12: "tier 2"}, [11])


def test_only_methods_that_keep_the_ledger_post():
    posting = {key for key in METHODS if METHODS[key].rank([member(1), member(2)]).postings}
    assert posting == {key for key in METHODS if METHODS[key].posts} == {"round_robin", "weighted", "priority_tiers"}


@pytest.mark.parametrize("key", list(METHODS))
def test_the_candidates_come_back_as_they_were_given(key):
    candidates = [member(3, tier=2), member(1), member(2)]
    before = list(candidates)
    ranking = METHODS[key].rank(candidates)
    assert candidates == before
    assert sorted(place.id for place in ranking.order) == [11, 12, 13]


def test_weights_that_are_all_zero_count_as_equal_and_this_is_noted():
    ranking = METHODS["weighted"].rank([member(1, weight=0), member(2, weight=0)])
    assert ranking.note == "all weights are 0: counted as equal"
    assert ranking.postings == {11: -UNIT // 2, 12: UNIT // 2}


def test_who_has_no_share_goes_last_however_much_is_owed_from_before():
    """Also when nobody else is ready for a turn."""
    owed = member(1, weight=0, credit=5 * UNIT)
    ahead = [member(2, credit=-UNIT), member(3, credit=-UNIT)]
    assert order("weighted", owed, *ahead) == [2, 3, 1]
