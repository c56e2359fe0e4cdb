"""The value of a condition as people write it in one line, and back."""

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any, Final

from distribution.engine.conditions import OPERATORS, ConditionError, build_condition
from distribution.engine.facts import Field
from distribution.engine.text import fold
from distribution.fields import RuleFields

# More digits than any count or sum of money has; beyond, arithmetic gets slow.
MOST_DIGITS: Final = 18
_BOOLEANS: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def parse_value(fields: RuleFields, field: str, operator: str, text: str) -> Any:
    """The value to store for a condition, from its text: several values are separated by commas, a value with a comma
    stands in double quotes, choices and territories are given by key or by name.

    Raises:
        ConditionError: with the part that is wrong (field, operator or value) and a sentence that says what is right.
    """
    value = _read(fields, field, operator, text)
    build_condition(fields.catalogue, field, operator, value)
    entry = fields.catalogue[field]
    if entry.type == "number" and value is not None:
        _check_bounds(entry, value if isinstance(value, list) else [value])
    return value


def format_value(fields: RuleFields, field: str, operator: str, value: Any) -> str:
    """The text that ``parse_value`` reads back to the same value."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return join(_write(fields, field, item) for item in value)
    return _write(fields, field, value)


def split(text: str) -> list[str]:
    """The parts of a line between commas, without blanks and repetitions."""
    rows = csv.reader(StringIO(" ".join(text.splitlines())), skipinitialspace=True)
    parts = (part.strip() for row in rows for part in row)
    return list(dict.fromkeys(part for part in parts if part))


def join(parts: Iterable[str]) -> str:
    return ", ".join('"' + part.replace('"', '""') + '"' if {",", '"'} & {*part} else part for part in parts)


def _read(fields: RuleFields, field: str, operator: str, text: str) -> Any:
    entry = fields.catalogue.get(field)
    shape = OPERATORS[operator].argument if operator in OPERATORS else "none"
    if entry is None or shape == "none":
        return None
    if shape == "pattern":
        return text
    if shape == "one":
        return _item(entry, text.strip())
    if shape == "territories":
        return [_territory(fields.territories, part) for part in split(text)]
    return [_item(entry, part) for part in split(text)]


def _item(entry: Field, text: str) -> Any:
    if entry.type == "number":
        return _number(text)
    if entry.type == "boolean":
        return _BOOLEANS.get(fold(text), text)
    if entry.choices:
        return _choice(entry.choices, text)
    if text and not fold(text):
        raise ConditionError("value", "Give a value with letters or digits.")
    return text


def _number(text: str) -> Any:
    """A whole number as int, another as its plain text; what is no number stays as it is, to be refused."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    if abs(number.adjusted()) > MOST_DIGITS:
        raise ConditionError("value", f"{text[:40]!r} has too many digits.")
    return int(number) if number == number.to_integral_value() else format(number, "f")


def _check_bounds(entry: Field, values: Iterable[Any]) -> None:
    """Refuses numbers that no lead can have. Only what is written anew: rules of old stay as they are."""
    for number in map(Decimal, values):
        too_low = entry.lowest is not None and number < entry.lowest
        if too_low or (entry.highest is not None and number > entry.highest):
            top = (
                f"at least {entry.lowest:,}" if entry.highest is None else f"from {entry.lowest:,} to {entry.highest:,}"
            )
            raise ConditionError("value", f"{entry.label} is {top}; no lead has {number:,f}.")


def _choice(choices: Iterable[tuple[str, str]], text: str) -> str:
    """The key of a choice given by key or, when no key fits, by its name."""
    wanted = fold(text)
    keys = {fold(key): key for key, _ in choices}
    names = {fold(name): key for key, name in choices}
    return keys.get(wanted) or names.get(wanted) or text


def _territory(territories: Mapping[int, str], text: str) -> int:
    by_name = {fold(name): pk for pk, name in territories.items()}
    pk = by_name.get(fold(text)) or (int(text) if text.isascii() and text.isdigit() and len(text) < MOST_DIGITS else 0)
    if pk not in territories:
        raise ConditionError("value", f"There is no territory {text[:60]!r}.")
    return pk


def _write(fields: RuleFields, field: str, item: Any) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    return fields.territory_name(item) if field == "territory" else str(item)
