"""Mapping files: TOML that says how to read somebody's CSV files. Every mistake in one is told with its place."""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from leadcrm.lib.text import match_key


class MappingError(ValueError):
    """A mapping, or a file as a whole, cannot be used. The text says what is wrong and what would be right."""


def parse_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping is not TOML: {error}.") from None


def closest(word: str, known: Iterable[str]) -> str:
    """The entry of ``known`` that is most like ``word`` apart from case and punctuation, or nothing."""
    by_key = {match_key(entry).replace(" ", ""): entry for entry in known}
    found = get_close_matches(match_key(word).replace(" ", ""), by_key, n=1, cutoff=0.75)
    return by_key[found[0]] if found else ""


def check_keys(table: Mapping[str, Any], allowed: Iterable[str], where: str = "") -> None:
    """Refuse keys that mean nothing, offering the closest that does; ``where`` is the path before the key."""
    known = sorted(allowed)
    for key in table:
        if key not in known:
            near = closest(key, known)
            hint = f"Did you mean {near}?" if near else f"Use one of: {', '.join(known)}."
            raise MappingError(f"{where}{key} is not an entry of the mapping. {hint}")


def table_at(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise MappingError(f"{key} must be a table, written as [{key}].")
    return table


def texts_at(data: Mapping[str, Any], key: str) -> list[str]:
    words = data.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise MappingError(f'{key} must be a list of texts, such as ["Select", "n/a"].')
    return words


def text_table(table: Mapping[str, Any], where: str) -> dict[str, str]:
    """A table of texts; ``where`` is its path."""
    for key, value in table.items():
        if not isinstance(value, str):
            raise MappingError(f"{where}.{key} must be a text in quotes.")
    return dict(table)


def corrections_at(data: Mapping[str, Any], key: str, allowed: Iterable[str]) -> dict[str, dict[str, str]]:
    """The tables [key.NAME] of corrections, wrong = right, with the wrong side as match key."""
    table = table_at(data, key)
    check_keys(table, allowed, f"{key}.")
    return {
        name: {match_key(wrong): right for wrong, right in text_table(table_at(table, name), f"{key}.{name}").items()}
        for name in table
    }
