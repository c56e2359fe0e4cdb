"""How the files are to be read: what ``onboard.toml`` says, with defaults for everything it does not say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from zoneinfo import available_timezones

from distribution.onboarding.fields import KINDS, VOCABULARIES
from leadcrm.lib.mapping import (
    MappingError,
    check_keys,
    corrections_at,
    parse_toml,
    table_at,
    text_table,
    texts_at,
)
from leadcrm.lib.money import CURRENCIES
from leadcrm.lib.text import match_key
from pipeline.models import Stage

FILE_NAME: Final = "onboard.toml"
_STAGE_KINDS: Final = frozenset(Stage.Kind.values)


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
    data = parse_toml(text)
    check_keys(data, {"blank", "values", "offices", "stages", *KINDS})
    options = table_at(data, "opportunities") | _renamed(table_at(data, "accounts"), "revenue_unit")
    return OnboardMapping(
        parts={kind: _part(kind, table_at(data, kind)) for kind in KINDS if kind in data},
        blank=frozenset(match_key(word) for word in texts_at(data, "blank")),
        values=corrections_at(data, "values", VOCABULARIES),
        offices=_choices(data, "offices", available_timezones(), "an IANA time zone such as Europe/Berlin"),
        stages=_choices(data, "stages", _STAGE_KINDS, "open, won or lost"),
        **_options(options),
    )


def _part(kind: str, table: dict[str, Any]) -> Part:
    check_keys(table, {"file", "columns", *_OPTIONS.get(kind, {})}, f"{kind}.")
    columns = text_table(table_at(table, "columns"), f"{kind}.columns")
    check_keys(columns, {entry.name for entry in KINDS[kind].fields}, f"{kind}.columns.")
    if not isinstance(table.get("file", ""), str):
        raise MappingError(f"{kind}.file must be the name of a file in quotes.")
    return Part(table.get("file", ""), columns)


def _choices(data: Mapping[str, Any], key: str, allowed: Iterable[str], sentence: str) -> dict[str, str]:
    table = text_table(table_at(data, key), key)
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
