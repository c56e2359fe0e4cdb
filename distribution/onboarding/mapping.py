"""How the files are to be read: what ``onboard.toml`` says, with defaults for everything it does not say."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import available_timezones

from distribution.onboarding.fields import KINDS, VOCABULARIES
from leadcrm.lib.money import CURRENCIES
from leadcrm.lib.text import match_key
from pipeline.models import Stage

FILE_NAME: Final = "onboard.toml"
_STAGE_KINDS: Final = frozenset(Stage.Kind.values)


class MappingError(ValueError):
    """The mapping file cannot be used. Its text says which entry, what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of file: its name and the columns by field. Empty: to be recognised by the usual names."""

    file: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OnboardMapping:
    """``values`` holds corrections by vocabulary, ``offices`` time zones, ``stages`` open, won or lost.

    ``blank``: cells that mean nothing. ``date_format``: as strptime has it; empty: ISO 8601.
    ``revenue_unit``: what one unit in the file is worth, such as 1000000.
    """

    parts: Mapping[str, Part] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    offices: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    pipeline: str = "Opportunities"
    source: str = "Opportunity history"
    currency: str = ""
    date_format: str = ""
    revenue_unit: Decimal = Decimal(1)

    def part(self, kind: str) -> Part:
        return self.parts.get(kind, Part())

    def corrected(self, vocabulary: str, value: str) -> str:
        return self.values.get(vocabulary, {}).get(match_key(value), value)


def parse_mapping(text: str) -> OnboardMapping:
    """Read the text of a mapping file.

    Raises:
        MappingError: not TOML, an unknown entry, or a value that does not fit its entry.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping is not TOML: {error}.") from None
    _check_keys(data, {"blank", "values", "offices", "stages", *KINDS}, "")
    options = _table(data, "opportunities") | _renamed(_table(data, "accounts"), "revenue_unit")
    return OnboardMapping(
        parts={kind: _part(kind, _table(data, kind)) for kind in KINDS if kind in data},
        blank=frozenset(match_key(word) for word in _texts(data, "blank")),
        values=_values(_table(data, "values")),
        offices=_choices(data, "offices", available_timezones(), "an IANA time zone such as Europe/Berlin"),
        stages=_choices(data, "stages", _STAGE_KINDS, "open, won or lost"),
        **_options(options),
    )


def closest(word: str, known: Iterable[str]) -> str:
    """The entry of ``known`` that is most like ``word`` apart from case and punctuation, or nothing."""
    by_key = {match_key(entry).replace(" ", ""): entry for entry in known}
    found = get_close_matches(match_key(word).replace(" ", ""), by_key, n=1, cutoff=0.75)
    return by_key[found[0]] if found else ""


def _check_keys(table: Mapping[str, Any], allowed: set[str], where: str) -> None:
    for key in table:
        if key not in allowed:
            near = closest(key, allowed)
            hint = f"Did you mean {near}?" if near else f"Use one of: {', '.join(sorted(allowed))}."
            raise MappingError(f"{where}{key} is not an entry of the mapping. {hint}")


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise MappingError(f"{key} must be a table, written as [{key}].")
    return table


def _texts(data: Mapping[str, Any], key: str) -> list[str]:
    words = data.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise MappingError(f'{key} must be a list of texts, such as ["Select", "n/a"].')
    return words


def _text_table(table: Mapping[str, Any], where: str) -> dict[str, str]:
    for key, value in table.items():
        if not isinstance(value, str):
            raise MappingError(f"{where}.{key} must be a text in quotes.")
    return dict(table)


def _part(kind: str, table: dict[str, Any]) -> Part:
    _check_keys(table, {"file", "columns", *_OPTIONS.get(kind, {})}, f"{kind}.")
    columns = _text_table(_table(table, "columns"), f"{kind}.columns")
    _check_keys(columns, {entry.name for entry in KINDS[kind].fields}, f"{kind}.columns.")
    if not isinstance(table.get("file", ""), str):
        raise MappingError(f"{kind}.file must be the name of a file in quotes.")
    return Part(table.get("file", ""), columns)


def _values(table: dict[str, Any]) -> dict[str, dict[str, str]]:
    _check_keys(table, set(VOCABULARIES), "values.")
    return {
        name: {match_key(wrong): right for wrong, right in _text_table(_table(table, name), f"values.{name}").items()}
        for name in table
    }


def _choices(data: Mapping[str, Any], key: str, allowed: Iterable[str], sentence: str) -> dict[str, str]:
    table = _text_table(_table(data, key), key)
    for name, value in table.items():
        if value not in allowed:
            raise MappingError(f"{key}.{name}: {value!r} is not {sentence}.")
    return {match_key(name): value for name, value in table.items()}


def _renamed(table: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: table[name] for name in names if name in table}


def _currency(value: Any) -> str:
    if value not in CURRENCIES:
        raise MappingError(f"opportunities.currency: {value!r} is not an ISO 4217 code such as EUR.")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise MappingError(f"{value!r} must be a text in quotes.")
    return value.strip()


def _unit(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise MappingError(f"accounts.revenue_unit: {value!r} is not a whole number such as 1000000.")
    return Decimal(value)


_OPTIONS: Final[dict[str, dict[str, Callable[[Any], Any]]]] = {
    "accounts": {"revenue_unit": _unit},
    "opportunities": {"pipeline": _text, "source": _text, "currency": _currency, "date_format": _text},
}


def _options(table: Mapping[str, Any]) -> dict[str, Any]:
    readers = _OPTIONS["accounts"] | _OPTIONS["opportunities"]
    return {name: read(table[name]) for name, read in readers.items() if name in table}
