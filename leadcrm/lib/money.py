"""Amounts of money as people and spreadsheets write them."""

import re
import unicodedata
from decimal import Decimal
from typing import Literal, NamedTuple

from leadcrm.lib.text import Unreadable, clean, quoted

DecimalMark = Literal[".", ",", ""]

# ISO 4217, currencies in circulation.
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
    COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
    MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV
    WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
# Signs of one currency only.
_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₫": "VND", "₴": "UAH",
    "₦": "NGN", "₱": "PHP", "฿": "THB", "₸": "KZT", "ZŁ": "PLN", "KČ": "CZK", "FT": "HUF", "FR": "CHF", "SFR": "CHF",
    "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
    "R$": "BRL", "MX$": "MXN", "NT$": "TWD", "CN¥": "CNY", "JP¥": "JPY", "EURO": "EUR", "EUROS": "EUR", "RS": "INR",
}  # fmt: skip
# With three decimals; all others have two or none.
_OF_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
# What people write for thousands and millions. No currency code is among them.
_SHORT = frozenset("K T M TSD MIO MN".split())
_SHARED_SIGNS = frozenset({"$", "¥", "KR"})

_WORD = r"[^\d\s.,'+-]*"
_MONEY = re.compile(
    rf"(?P<sign>[-+]?) ?(?P<before>{_WORD})\.? ?(?P<inner>[-+]?) ?(?P<number>[\d.,' ]*\d) ?(?P<after>{_WORD})\.?",
    re.ASCII,
)
# Thousands, or the Indian lakh and crore.
_INTEGER = re.compile(r"\d*|\d{1,3}([.,' ])\d{3}(\1\d{3})*|\d{1,2}(,\d{2})+,\d{3}", re.ASCII)
_TYPOGRAPHIC = str.maketrans({"’": "'", "‘": "'", "´": "'", "−": "-", "–": "-"})
_LONGEST = 40


class Money(NamedTuple):
    """An amount and its ISO 4217 code; "" when the text names no currency, or one that several countries share."""

    amount: Decimal
    currency: str


def currency_code(raw: str) -> str:
    """The ISO 4217 code for a code or an unmistakable sign: ``eur`` and ``€`` are EUR, blank stays blank.

    Raises:
        Unreadable: for anything else, "$" included.
    """
    text = clean(raw).upper().rstrip(".")
    code = text if text in CURRENCIES else _SIGNS.get(text, "")
    if text and not code:
        raise Unreadable(f"{quoted(raw)} is not a currency. Use an ISO 4217 code such as EUR or USD.")
    return code


def parse_money(raw: str, decimal_mark: DecimalMark = "", currency: str = "") -> Money:
    """Reads ``1.234,56 €``, ``USD 1,234.56``, ``CHF 1'234.50`` or ``-5``.

    Args:
        decimal_mark: what the sender uses before the decimals, when known; decides ``1.234`` and ``1,234``.
        currency: ISO 4217 code of the amount when the text names none, or "". Three digits after the only mark are
            thousands in a currency that has fewer decimals.

    Raises:
        Unreadable: when there is no number, more than a number, or a number that can be read in two ways.
    """
    text = unicodedata.normalize("NFKC", clean(raw)).translate(_TYPOGRAPHIC)
    match = _MONEY.fullmatch(_ascii_digits(text)) if len(text) <= _LONGEST else None
    if not match or (match["sign"] and match["inner"]):
        raise _not_an_amount(raw)
    named = _currency(match["before"], match["after"], raw)
    amount = _amount(match["number"], decimal_mark, named or currency, raw)
    negative = "-" in (match["sign"], match["inner"])
    return Money(-amount if negative and amount else amount, named)


def _not_an_amount(raw: str) -> Unreadable:
    return Unreadable(f"{quoted(raw)} is not an amount. Write it in full, such as 1234.50 or 1234.50 EUR.")


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in text)


def _currency(before: str, after: str, raw: str) -> str:
    if before and after:
        raise Unreadable(f"{quoted(raw)} has text on both sides of the amount. Write the currency once, such as 5 EUR.")
    sign = (before or after).upper()
    if sign in _SHORT:
        raise _not_an_amount(raw)
    return "" if sign in _SHARED_SIGNS else currency_code(sign)


def _amount(number: str, decimal_mark: DecimalMark, currency: str, raw: str) -> Decimal:
    mark = decimal_mark or _guessed_mark(number, currency, raw)
    integer, _, fraction = number.rpartition(mark) if mark and mark in number else (number, "", "")
    if (mark and mark in integer) or not _INTEGER.fullmatch(integer) or not (fraction or "0").isdigit():
        raise Unreadable(f"{quoted(raw)} is not a regular number. Write it as 1234.50.")
    digits = "".join(char for char in integer if char.isdigit())
    return Decimal(f"{digits or 0}.{fraction or 0}" if fraction else digits)


def _guessed_mark(number: str, currency: str, raw: str) -> str:
    """What separates the decimals: the last of two kinds, or the only one unless it may as well group thousands."""
    marks = [char for char in number if char in ".,"]
    if len(set(marks)) == 2:
        return marks[-1]
    if len(marks) != 1:
        return ""
    before, after = number.split(marks[0])
    may_group = len(after) == 3 and re.fullmatch("[1-9][0-9]{0,2}", before)
    if may_group and currency and currency not in _OF_THREE_DECIMALS:
        return ""
    if may_group:
        raise Unreadable(
            f"{quoted(raw)} can be read in two ways. Write {before}{after} for the thousands, or "
            f"{before}.{_unmistakable(after)} for the decimals."
        )
    return marks[0]


def _unmistakable(fraction: str) -> str:
    """Three decimals as one, two or four."""
    short = fraction.rstrip("0") or "0"
    return f"{short}0" if len(short) == 3 else short
