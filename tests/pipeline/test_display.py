from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.display import BADGES, age, cut, due_of, initials, money

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=13), "13 d ago"),
        (timedelta(days=14), "2 wk ago"),
        (timedelta(days=800), "2 y ago"),
    ],
)
def test_age_is_told_in_the_largest_fitting_unit(passed, words):
    assert age(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(seconds=20), "less than a minute left"),
        (timedelta(minutes=5, seconds=50), "5 min left"),
        (timedelta(hours=1, minutes=51), "1 h 51 min left"),
        (timedelta(hours=23), "23 h left"),
        (timedelta(days=1, hours=16), "1 d left"),
        (-timedelta(hours=2, minutes=7), "2 h 7 min late"),
    ],
)
def test_what_is_due_is_told_to_the_minute_within_a_day_as_the_clocks_of_a_page_do(left, words):
    assert due_of(NOW + left, NOW).left == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [(None, ""), (Decimal("12500.00"), "12,500 EUR"), (Decimal("0.5"), "0.50 EUR"), (Decimal(0), "0 EUR")],
)
def test_money_shows_cents_only_where_there_are_any(amount, words):
    assert money(amount, "EUR") == words


@pytest.mark.parametrize(("name", "letters"), [("Ada King Lovelace", "AL"), ("ada", "A"), ("", "")])
def test_initials_are_the_first_and_the_last(name, letters):
    assert initials(name) == letters


def test_a_sentence_is_cut_between_words_and_loses_nothing():
    assert cut("one two three", 50) == ("one two three", "")
    assert cut("one two three", 9) == ("one two", "three")
    assert cut("x" * 20, 9) == ("x" * 9, "x" * 11)


def test_every_status_has_a_badge():
    from pipeline.models import Lead

    states = set(Lead.RoutingState.values) | {"accepted", "contacted", "won", "lost"}
    assert set(BADGES) == states
