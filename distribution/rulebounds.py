"""Finds conditions of one group that no lead can meet together."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from distribution.engine.conditions import ORDERED, read_value
from distribution.engine.facts import Catalogue, Field
from distribution.models import Condition

_LOWER: Final = {"gt": True, "gte": False}
_UPPER: Final = {"lt": True, "lte": False}


@dataclass(slots=True)
class _Range:
    """The values that are left: between ``low`` and ``high``; ``strict`` when one of them is itself left out."""

    low: Any = None
    high: Any = None
    strict_low: bool = False
    strict_high: bool = False

    def raise_low(self, value: Any, *, strict: bool) -> None:
        if self.low is None or (value, strict) > (self.low, self.strict_low):
            self.low, self.strict_low = value, strict

    def lower_high(self, value: Any, *, strict: bool) -> None:
        if self.high is None or (value, not strict) < (self.high, not self.strict_high):
            self.high, self.strict_high = value, strict

    @property
    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high or (self.low == self.high and (self.strict_low or self.strict_high)))


def contradictions(group: Iterable[Condition], catalogue: Catalogue) -> Iterator[str]:
    """The labels of fields of which a group asks what cannot be: two values at once, a range with nothing in it, or a
    value and none. The conditions are such as can be built."""
    by_field: dict[str, list[Condition]] = defaultdict(list)
    for condition in group:
        by_field[condition.field].append(condition)
    for key, conditions in by_field.items():
        entry = catalogue.get(key)
        if entry is not None and (_blank_and_not(conditions) or _too_narrow(entry, conditions)):
            yield entry.label


def _blank_and_not(conditions: Sequence[Condition]) -> bool:
    asks_blank = {condition.operator == "blank" for condition in conditions}
    return asks_blank == {True, False}


def _too_narrow(entry: Field, conditions: Sequence[Condition]) -> bool:
    return not _values_left(entry, conditions) or (entry.type in ORDERED and _range(entry, conditions).empty)


def _values_left(entry: Field, conditions: Sequence[Condition]) -> bool:
    left: frozenset[Any] | None = None
    for condition in conditions:
        if condition.operator in ("is", "any_of"):
            values: Any = condition.value if condition.operator == "any_of" else [condition.value]
            allowed = frozenset(read_value(entry, value) for value in values)
            left = allowed if left is None else left & allowed
    return left is None or bool(left)


def _range(entry: Field, conditions: Sequence[Condition]) -> _Range:
    result = _Range()
    for condition in conditions:
        key = condition.operator
        value: Any = condition.value
        if key in _LOWER:
            result.raise_low(read_value(entry, value), strict=_LOWER[key])
        elif key in _UPPER:
            result.lower_high(read_value(entry, value), strict=_UPPER[key])
        elif key in ("is", "between"):
            low, high = value if key == "between" else (value, value)
            result.raise_low(read_value(entry, low), strict=False)
            result.lower_high(read_value(entry, high), strict=False)
    return result
