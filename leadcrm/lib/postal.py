"""Postal codes: one written form each, and the region they lie in where that is certain."""

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from typing import NamedTuple

from leadcrm.lib.places import countries, read_table
from leadcrm.lib.text import Unreadable, clean, quoted


class _Form(NamedTuple):
    pattern: re.Pattern[str]
    example: str


def _forms(pattern: str, example: str, codes: str) -> dict[str, _Form]:
    return dict.fromkeys(codes.split(), _Form(re.compile(pattern, re.ASCII), example))


_FORMS: dict[str, _Form] = {
    **_forms(r"\d{4}", "1010", "AT AU BD BE BG CH CY DK GE HU LI LU LV NO NZ PH SI TN ZA"),
    **_forms(r"\d{5}", "10115", "CZ DE DZ EE EG ES FI FR GR HR ID IT KR LT MA MX MY PK PL RS SA SE SK TH TR UA US VN"),
    **_forms(r"\d{6}", "110001", "BY CN CO IN KZ RO RU SG VN"),
    **_forms(r"\d{7}", "1000001", "IL JP"),
    **_forms(r"\d{8}", "01310100", "BR"),
    **_forms(r"\d{4}(\d{3})?", "1000001", "PT"),
    **_forms(r"\d{4}([A-Z]{2})?", "1012AB", "NL"),
    **_forms(r"([A-CEGHJ-NPR-TVXY]\d[A-Z])(\d[A-Z]\d)?", "K1A0B1", "CA"),
    **_forms(r"(GIR|[A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})?", "SW1A1AA", "GB"),
    **_forms(r"([A-Z]\d[\dW])([A-Z\d]{4})?", "D02AF30", "IE"),
}
_ANY_FORM = _Form(re.compile(r"[A-Z0-9]{2,10}"), "1010")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]+")
_COUNTRY_PREFIX = re.compile(r"[A-Z]{1,3}(?=\d)")

_SCOTTISH = frozenset({"AB", "DD", "DG", "EH", "FK", "G", "HS", "IV", "KA", "KW", "KY", "ML", "PA", "PH", "TD", "ZE"})
_WELSH = frozenset({"CF", "LD", "LL", "NP", "SA"})
# Not in the United Kingdom, or not a place: the islands, forces post and the old Girobank.
_NO_NATION = frozenset({"BF", "GIR", "GY", "IM", "JE", "XX"})
# Districts on the other side of the border from the rest of their area.
_GB_DISTRICTS = {
    "TD15": "GB-ENG",
    **dict.fromkeys(("CH5", "CH6", "CH7", "CH8"), "GB-WLS"),
    **{f"SY{district}": "GB-WLS" for district in range(15, 26)},
}


def postal_code(raw: str, country: str = "") -> str:
    """The one form in which a postal code is stored and matched: capitals, no spaces, no hyphens.

    A ZIP+4 is cut to its ZIP; a ZIP that lost its leading zeros in a spreadsheet gets them back; a country prefix as
    in D-80331 goes. Outward codes (SW1A) and forward sortation areas (K1A) stand alone.

    Args:
        country: ISO 3166-1 code; without it only the letters and digits are checked.

    Raises:
        Unreadable: when the country's codes look different.
    """
    code = _SEPARATORS.sub("", unicodedata.normalize("NFKC", clean(raw))).upper()
    code = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in code)
    if not code:
        return ""
    form = _FORMS.get(country, _ANY_FORM)
    code = _us_zip(code) if country == "US" else code
    for candidate in (code, _COUNTRY_PREFIX.sub("", code)):
        if form.pattern.fullmatch(candidate):
            return candidate
    of_where = f" of {countries()[country].name}" if country in countries() else ""
    raise Unreadable(f"{quoted(raw)} is not a postal code{of_where}. It should look like {form.example}.")


def postal_area(country: str, postal: str) -> str:
    """The first, whole part of a British, Irish or Canadian code, and "" elsewhere.

    Territories compare areas, not beginnings: E1 is a district of London of its own, and E16 is not in it.
    """
    match = _FORMS[country].pattern.fullmatch(postal) if country in ("CA", "GB", "IE") else None
    return match[1] if match else ""


def region_of_postal(country: str, postal: str) -> str:
    """The ISO 3166-2 code of the region a postal code lies in, for US, CA, DE, AU and GB.

    "" for other countries, unassigned and military codes, and codes that lie in two regions.
    """
    if country == "GB":
        return _gb_nation(postal)
    ranges = _ranges(country)
    # The nearest start first: a single code that is the exception in its range starts later than the range.
    for first, last, region in reversed(ranges[: bisect_right(ranges, (postal, "~", ""))]):
        if first <= postal[: len(first)] <= last:
            return region
    return ""


def _us_zip(code: str) -> str:
    """Nine digits are ZIP+4; three and four have lost their zeros."""
    if code.isdigit() and len(code) == 9:
        return code[:5]
    return code.zfill(5) if code.isdigit() and len(code) in (3, 4) else code


def _gb_nation(postal: str) -> str:
    district = postal_area("GB", postal)
    area = district.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").rstrip("0123456789") or district
    if not district or area in _NO_NATION:
        return ""
    if area in _SCOTTISH:
        return _GB_DISTRICTS.get(district, "GB-SCT")
    if area in _WELSH:
        return "GB-WLS"
    return "GB-NIR" if area == "BT" else _GB_DISTRICTS.get(district, "GB-ENG")


@cache
def _ranges(country: str) -> list[tuple[str, str, str]]:
    rows = read_table("postal_regions")
    return sorted((row["first"], row["last"], row["region"]) for row in rows if row["country"] == country)
