from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.engine.ledger import UNIT, postings, shares, turns

WEIGHTS = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("weights", "split"),
    [
        ([], []),
        ([5], [UNIT]),
        ([0], [UNIT]),
        ([1, 1], [UNIT // 2, UNIT // 2]),
        ([1, 1, 1], [333_333_334, 333_333_333, 333_333_333]),
        ([1, 2], [333_333_333, 666_666_667]),
        ([0, 0, 0, 0], [UNIT // 4] * 4),
        ([0, 3, 0], [0, UNIT, 0]),
        ([1, 2**31 - 1], [0, UNIT]),
    ],
)
def test_one_lead_is_split_by_weight(weights, split):
    assert shares(weights) == split


@given(WEIGHTS)
def test_shares_sum_to_exactly_one_lead_and_stray_less_than_a_billionth_of_it(weights):
    split, total = shares(weights), sum(weights) or len(weights)
    exact = [Fraction(UNIT * (weight if any(weights) else 1), total) for weight in weights]
    assert sum(split) == UNIT
    assert all(abs(share - wanted) < 1 for share, wanted in zip(split, exact, strict=True))


@given(st.data(), WEIGHTS)
def test_a_posting_sums_to_zero_whoever_wins(data, weights):
    credits = data.draw(st.lists(st.integers(-3 * UNIT, 3 * UNIT), min_size=len(weights), max_size=len(weights)))
    stands = turns(weights, credits)
    winner = data.draw(st.integers(0, len(weights) - 1))
    assert sum(postings(stands, winner)) == 0


@pytest.mark.parametrize(
    ("weights", "credits", "ready"),
    [
        ([1], [0], [True]),
        ([1], [-5 * UNIT], [True]),
        ([1, 1], [0, 0], [True, True]),
        ([1, 1], [-1, 1], [False, True]),
        # 1/(2k-2) is a quarter for three.
        ([1, 1, 2], [0, -1, 0], [True, False, True]),
        ([1, 1, 2], [-UNIT, -UNIT, -UNIT], [False, False, False]),
        ([0, 1, 1], [UNIT, 0, 0], [False, True, True]),
    ],
)
def test_who_is_owed_enough_to_be_served(weights, credits, ready):
    assert [turn.ready for turn in turns(weights, credits)] == ready


@given(st.data(), st.lists(st.integers(1, 10**9), min_size=2, max_size=60))
def test_the_deadline_is_the_last_lead_that_may_go_to_another_before_the_limit_is_passed(data, weights):
    credits = data.draw(st.lists(st.integers(-UNIT, UNIT), min_size=len(weights), max_size=len(weights)))
    sharing = sum(1 for share in shares(weights) if share)
    limit = UNIT * (1 - Fraction(1, max(2 * sharing - 2, 1)))
    for turn in turns(weights, credits):
        if turn.ready and sharing > 1:
            assert turn.credited + (turn.deadline + 1) * turn.share > limit
            assert turn.deadline == 0 or turn.credited + turn.deadline * turn.share <= limit
