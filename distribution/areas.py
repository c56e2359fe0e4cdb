"""Reads one line of a territory, from a form or a file: every fault named, everything in its one written form."""

import re
from collections.abc import Mapping
from typing import Any, Final

from leadcrm.lib.places import country_code, region_code
from leadcrm.lib.postal import postal_code
from leadcrm.lib.text import Unreadable, clean, quoted

PARTS: Final = (
    "account",
    "country",
    "region",
    "postal_from",
    "postal_to",
    "industry",
    "employees_from",
    "employees_to",
)
NOTHING_SAID: Final = "Say at least one thing: a country, a postal code, an industry, a size or an account."
_BEGINNING = re.compile(r"[A-Z0-9]{1,9}\*")


def read_area(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The parts of an area as they are stored, and what is wrong, by field.

    Args:
        raw: parts by name as people write them; ``account`` and the numbers are read already, None when blank.
    """
    area: dict[str, Any] = {name: raw.get(name) or None for name in ("account",)}
    area |= {name: raw.get(name) for name in ("employees_from", "employees_to")}
    area["industry"] = clean(raw.get("industry") or "")
    errors: dict[str, str] = {}
    _read_place(raw, area, errors)
    _read_postal(raw, area, errors)
    low, high = area["employees_from"], area["employees_to"]
    if low is not None and high is not None and low > high:
        errors["employees_to"] = f"Must be at least {low}, the first number."
    if not errors and all(area[name] in (None, "") for name in PARTS):
        errors["country"] = NOTHING_SAID
    return area, errors


def _read_place(raw: Mapping[str, Any], area: dict[str, Any], errors: dict[str, str]) -> None:
    area["country"] = area["region"] = ""
    try:
        area["country"] = country_code(raw.get("country") or "")
    except Unreadable as fault:
        errors["country"] = str(fault)
        return
    try:
        area["region"] = region_code(area["country"], raw.get("region") or "")
    except Unreadable as fault:
        errors["region"] = str(fault)
    area["country"] = area["country"] or area["region"][:2]


def _read_postal(raw: Mapping[str, Any], area: dict[str, Any], errors: dict[str, str]) -> None:
    first, last = raw.get("postal_from") or "", raw.get("postal_to") or ""
    area["postal_from"] = area["postal_to"] = ""
    if "country" in errors or not (first or last):
        return
    if not area["country"]:
        errors["country"] = "Postal codes need a country."
    elif not first:
        errors["postal_from"] = "A range needs its first code."
    elif first.strip().endswith("*"):
        _read_beginning(first, last, area, errors)
    else:
        _read_range(first, last, area, errors)


def _read_beginning(first: str, last: str, area: dict[str, Any], errors: dict[str, str]) -> None:
    beginning = re.sub(r"[\s-]", "", clean(first)).upper()
    if not _BEGINNING.fullmatch(beginning):
        errors["postal_from"] = f"{quoted(first)} is not the beginning of postal codes. It should look like 80*."
    elif last:
        errors["postal_to"] = "The beginning of codes stands alone: leave this empty, or write a range of whole codes."
    else:
        area["postal_from"] = beginning


def _read_range(first: str, last: str, area: dict[str, Any], errors: dict[str, str]) -> None:
    for name, text in (("postal_from", first), ("postal_to", last)):
        try:
            area[name] = postal_code(text, area["country"])
        except Unreadable as fault:
            errors[name] = str(fault)
    low, high = area["postal_from"], area["postal_to"]
    if errors or not high:
        return
    if len(low) != len(high):
        errors["postal_to"] = f"Both ends of a range must be of one length: {low} and {high} are not."
    elif low > high:
        errors["postal_to"] = f"Must not come before {low}, the first code."
