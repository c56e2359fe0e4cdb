import re
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.money import CURRENCIES, Money, currency_code, parse_money
from leadcrm.lib.text import Unreadable


@pytest.mark.parametrize(
    ("raw", "amount", "currency"),
    [
        ("1.234,56 €", "1234.56", "EUR"),
        ("1,234.56", "1234.56", ""),
        ("1 234,56 zł", "1234.56", "PLN"),
        ("CHF 1'234.50", "1234.50", "CHF"),
        ("CHF 1’234.50", "1234.50", "CHF"),
        ("$1,234,567", "1234567", ""),
        ("US$ 99.90", "99.90", "USD"),
        ("₹12,34,567.89", "1234567.89", "INR"),
        ("Rs. 500", "500", "INR"),
        ("500eur", "500", "EUR"),
        ("-5", "-5", ""),
        ("€ -5", "-5", "EUR"),
        ("−5,5 €", "-5.5", "EUR"),
        ("0", "0", ""),
        ("-0", "0", ""),
        ("0.125", "0.125", ""),
        (",5", "0.5", ""),
        ("1234.567", "1234.567", ""),
        ("1 234,567", "1234.567", ""),
        ("1.234.567", "1234567", ""),
        ("１２３，５０", "123.50", ""),
        ("١٢٣", "123", ""),
        ("¥1,000,000", "1000000", ""),
        ("999,000 €", "999000", "EUR"),
        ("EUR 12.500", "12500", "EUR"),
        ("12.000 JPY", "12000", "JPY"),
    ],
)
def test_amounts_are_read_as_people_write_them(raw, amount, currency):
    assert parse_money(raw) == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    "raw",
    [
        "", "abc", "$5k", "5e3", "1.2.3", "1,23,4", "12.34.567", "1,234.567,89", "1.234,567.8", "--5", "5-", "NaN",
        "inf", "EUR 5 USD", "5 beers", "(100)", "1 2", "1" * 50, "0x10", "1,2345,678", "10 - 20",
    ],
)  # fmt: skip
def test_what_is_not_one_regular_amount_is_refused(raw):
    with pytest.raises(Unreadable, match=r"Write|currency"):
        parse_money(raw)


@pytest.mark.parametrize("raw", ["1.234", "1,234", "12.500 KWD", "BHD 1,234", "$12.500"])
def test_an_amount_that_can_be_read_in_two_ways_is_refused(raw):
    with pytest.raises(Unreadable, match="two ways"):
        parse_money(raw)


@pytest.mark.parametrize(("raw", "decimals"), [("12,500", "12.5"), ("12.000", "12.0"), ("1,234", "1.2340")])
def test_the_hint_says_how_either_is_written_and_is_read_so(raw, decimals):
    with pytest.raises(Unreadable, match=rf"Write {raw[:-4]}{raw[-3:]} for .* or {re.escape(decimals)} for"):
        parse_money(raw)
    assert parse_money(decimals).amount == Decimal(decimals)


def test_knowing_the_currency_settles_it_but_for_one_of_three_decimals():
    assert parse_money("12,500", currency="EUR").amount == parse_money("12.500", currency="EUR").amount == 12500
    with pytest.raises(Unreadable, match="two ways"):
        parse_money("12,500", currency="KWD")
    with pytest.raises(Unreadable, match="two ways"):
        parse_money("12,500 KWD", currency="EUR")


def test_knowing_the_decimal_mark_of_the_sender_settles_it():
    assert parse_money("1.234", ",").amount == 1234
    assert parse_money("1.234", ".").amount == Decimal("1.234")
    assert parse_money("1,234", ".").amount == 1234


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_every_amount_reads_back_in_each_way_of_writing_it(amount):
    english = f"{amount:,}"
    german = english.translate(str.maketrans(",.", ".,"))
    for written in (str(amount), english, german, f"{german} €", english.replace(",", " ")):
        assert parse_money(written).amount == amount


@given(st.text(max_size=50))
def test_rubbish_is_an_amount_or_a_clear_refusal(text):
    with suppress(Unreadable):
        assert parse_money(text).amount.is_finite()


@pytest.mark.parametrize(("raw", "code"), [("eur", "EUR"), (" € ", "EUR"), ("US$", "USD"), ("zł", "PLN"), ("", "")])
def test_currencies_are_known_by_code_and_by_their_own_sign(raw, code):
    assert currency_code(raw) == code


@pytest.mark.parametrize("raw", ["$", "XXQ", "dollars", "¥"])
def test_a_sign_that_several_currencies_share_is_no_currency(raw):
    with pytest.raises(Unreadable, match="ISO 4217"):
        currency_code(raw)


def test_currency_codes_are_three_capitals():
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)


@pytest.mark.parametrize("raw", ["12k", "12 K", "1.5 Mio", "2m"])
def test_an_amount_that_was_cut_short_is_called_an_amount_and_no_currency(raw):
    with pytest.raises(Unreadable, match="is not an amount. Write it in full"):
        parse_money(raw)
