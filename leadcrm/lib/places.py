"""Countries, regions and time zones by the names people type. The facts stand in ``tables/``."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as phone_zones

from leadcrm.lib.text import Unreadable, clean, match_key, quoted

_TABLES = Path(__file__).with_name("tables")
_GERMAN_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
# One clock for the whole country by law or habit, though the table lists a remote zone besides.
_NATIONAL_ZONE = {"CN": "Asia/Shanghai", "NZ": "Pacific/Auckland", "UA": "Europe/Kyiv"}
# Two zones count as one when they agree at these moments: winter and summer, far enough back to see a reform.
_CLOCK_SAMPLES = tuple(datetime(year, month, 15, tzinfo=UTC) for year in (2025, 2026) for month in (1, 4, 7, 10))


class Country(NamedTuple):
    code: str
    alpha_3: str
    name: str


class Region(NamedTuple):
    """A state, province, Land, canton or nation. ``time_zones`` is empty where it shares the country's."""

    code: str
    name: str
    time_zones: tuple[str, ...]


def read_table(name: str) -> Iterator[dict[str, str]]:
    """The rows of one of our tables of facts."""
    with (_TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


@cache
def countries() -> Mapping[str, Country]:
    """Every country of ISO 3166-1, and Kosovo, by its two-letter code."""
    return {row["code"]: Country(row["code"], row["alpha_3"], row["name"]) for row in read_table("countries")}


@cache
def regions(country: str) -> Mapping[str, Region]:
    """The regions we know of a country by ISO 3166-2 code; empty when we have no table for it."""
    return {
        row["code"]: Region(row["code"], row["name"], tuple(row["time_zones"].split()))
        for row in read_table("regions")
        if row["code"].startswith(f"{country}-")
    }


def country_code(raw: str) -> str:
    """The ISO 3166-1 code for a code or a name: ``USA``, ``deutschland`` and ``Philipines`` are known.

    Raises:
        Unreadable: when it is no country; the message offers the closest one.
    """
    key = _compact(raw)
    if not key:
        return ""
    code = _country_keys().get(key)
    if code is None:
        hint = _closest(key, _country_keys(), {code: country.name for code, country in countries().items()})
        raise Unreadable(f"{quoted(raw)} is not a country.{hint} Use a name or an ISO 3166 code such as DE.")
    return code


def region_code(country: str, raw: str) -> str:
    """The ISO 3166-2 code for a region's code or name: ``("US", "calif.")`` is US-CA.

    Args:
        country: ISO 3166-1 code, or "" when ``raw`` carries it itself, as US-CA does.

    Raises:
        Unreadable: when the country has no such region, or we know its regions only by code.
    """
    text = clean(raw).upper()
    prefix, _, suffix = text.partition("-")
    is_code = len(prefix) == 2 and suffix.isascii() and suffix.isalnum() and len(suffix) <= 3
    if is_code and prefix in countries() and country in ("", prefix):
        return _known_region(text, prefix)
    key = _compact(raw)
    if not key:
        return ""
    return _region_by_name(country, key, raw)


def time_zone_of(country: str = "", region: str = "", phone: str = "") -> str:
    """The IANA name of a lead's time zone, or "" when :func:`time_zones_of` leaves more than one clock."""
    return _only_clock(time_zones_of(country, region, phone))


def time_zones_of(country: str = "", region: str = "", phone: str = "") -> tuple[str, ...]:
    """Every time zone a lead may be in by what we know of it; none when that is nothing.

    The region says most, then the country; a phone number only narrows these down, since people keep their number when
    they move. Alone it decides when its country is the only thing known.

    Args:
        country, region: ISO 3166-1 and ISO 3166-2 codes.
        phone: E.164.
    """
    country = country or region[:2]
    from_phone = _phone_zones(phone) if phone else ()
    if not country:
        return from_phone
    known = regions(country).get(region)
    zones = (known.time_zones if known else ()) or _country_zones(country)
    clocks = {_clock(zone) for zone in from_phone}
    return tuple(zone for zone in zones if _clock(zone) in clocks) or zones


@cache
def world_zones() -> tuple[str, ...]:
    """One time zone for each clock that people live by."""
    by_clock = {_clock(zone): zone for country in countries() for zone in _country_zones(country)}
    return tuple(by_clock.values())


def _compact(text: str) -> str:
    """``U.S.A.``, ``U S A`` and ``usa`` are one."""
    return match_key(text.replace("&", " and ")).replace(" ", "")


def _spellings(row: dict[str, str]) -> Iterator[str]:
    for name in (row["name"], *row["aliases"].split("|")):
        yield _compact(name)
        yield _compact(name.translate(_GERMAN_UMLAUTS))


@cache
def _country_keys() -> Mapping[str, str]:
    rows = list(read_table("countries"))
    names = {key: row["code"] for row in rows for key in _spellings(row) if key}
    codes = {row[kind].lower(): row["code"] for row in rows for kind in ("alpha_3", "code")}
    return names | codes


@cache
def _region_keys(country: str) -> Mapping[str, str]:
    rows = [row for row in read_table("regions") if row["code"].startswith(f"{country}-")]
    names = {key: row["code"] for row in rows for key in _spellings(row) if key}
    codes = {row["code"].partition("-")[2].lower(): row["code"] for row in rows}
    return names | codes


def _known_region(code: str, country: str) -> str:
    """The code itself where we have no table to check it against."""
    return _region_by_name(country, _compact(code[3:]), code) if regions(country) else code


def _region_by_name(country: str, key: str, raw: str) -> str:
    if not regions(country):
        where = countries()[country].name if country in countries() else "an unknown country"
        raise Unreadable(f"{quoted(raw)}: regions of {where} are read by code only. Use ISO 3166-2, such as FR-IDF.")
    code = _region_keys(country).get(key)
    if code is None:
        hint = _closest(key, _region_keys(country), {code: region.name for code, region in regions(country).items()})
        name, example = countries()[country].name, next(iter(regions(country)))
        raise Unreadable(f"{quoted(raw)} is not a region of {name}.{hint} Use a name or a code such as {example}.")
    return code


def _closest(key: str, keys: Mapping[str, str], names: Mapping[str, str]) -> str:
    found = get_close_matches(key[:60], keys, n=1, cutoff=0.8)
    return f" Did you mean {names[keys[found[0]]]}?" if found else ""


@cache
def _country_zones(country: str) -> tuple[str, ...]:
    if country in _NATIONAL_ZONE:
        return (_NATIONAL_ZONE[country],)
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return tuple(row[2] for row in rows if row[0] == country)


def _phone_zones(phone: str) -> tuple[str, ...]:
    try:
        zones = phone_zones.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in zones if zone != phone_zones.UNKNOWN_TIMEZONE)


@cache
def _clock(zone: str) -> tuple[object, ...]:
    return tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in _CLOCK_SAMPLES)


def _only_clock(zones: Iterable[str]) -> str:
    """The first zone when all of them always show the same time."""
    names = tuple(zones)
    return names[0] if len({_clock(zone) for zone in names}) == 1 else ""
