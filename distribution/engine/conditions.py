"""Conditions: ``field operator value``, compiled once, evaluated over the facts of a lead.

To add an operator, register one small function with its key, label, the field types it serves and the shape of its
argument. Keys are stored in rules: never rename one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as computed
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from distribution.engine.facts import Catalogue, Field, LeadFacts, comparable, is_blank
from distribution.engine.jsontext import json_text
from distribution.engine.patterns import MAX_INPUT, UnsafePattern, compile_pattern
from distribution.engine.registry import Registry

Test = Callable[[Any], bool]
TEXT: Final = ("text", "choice")
ORDERED: Final = ("number", "date")
# What a fact of each field type is made of. Exactly these: true is not a number, nor a moment a date.
PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "text": (str,),
    "choice": (str,),
    "number": (int, Decimal),
    "date": (date,),
    "boolean": (bool,),
    "list": (tuple,),
    "territory": (frozenset,),
}


class ConditionError(ValueError):
    """A condition that cannot be built. ``part`` names what is wrong: field, operator or value."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


@dataclass(frozen=True, slots=True)
class Operator:
    """``argument`` is the shape of the condition's value: one, many, pair, pattern, territories or none.

    ``build`` takes the prepared argument and returns the test of a non-blank value. Blank values never reach it.
    """

    key: str
    label: str
    types: tuple[str, ...]
    argument: str
    build: Callable[[Any], Test]


OPERATORS: Registry[Operator] = Registry("operator")


def operator(
    key: str, label: str, types: tuple[str, ...], argument: str
) -> Callable[[Callable[[Any], Test]], Callable[[Any], Test]]:
    def register(build: Callable[[Any], Test]) -> Callable[[Any], Test]:
        OPERATORS.add(key, Operator(key, label, types, argument, build))
        return build

    return register


@operator("is", "is", (*TEXT, *ORDERED, "boolean"), "one")
def _is(wanted: Any) -> Test:
    return lambda value: bool(value == wanted)


@operator("is_not", "is not", (*TEXT, *ORDERED, "boolean"), "one")
def _is_not(unwanted: Any) -> Test:
    return lambda value: bool(value != unwanted)


@operator("any_of", "is any of", (*TEXT, "number"), "many")
def _any_of(wanted: frozenset[Any]) -> Test:
    return lambda value: value in wanted


@operator("none_of", "is none of", (*TEXT, "number"), "many")
def _none_of(unwanted: frozenset[Any]) -> Test:
    return lambda value: value not in unwanted


@operator("contains", "contains", ("text",), "one")
def _contains(part: str) -> Test:
    return lambda value: part in value


@operator("starts_with", "starts with", ("text",), "one")
def _starts_with(beginning: str) -> Test:
    return lambda value: bool(value.startswith(beginning))


@operator("matches", "matches pattern", ("text",), "pattern")
def _matches(pattern: str) -> Test:
    found = compile_pattern(pattern).search
    return lambda value: found(value, 0, MAX_INPUT) is not None


@operator("lt", "is less than", ORDERED, "one")
def _lt(limit: Any) -> Test:
    return lambda value: bool(value < limit)


@operator("lte", "is at most", ORDERED, "one")
def _lte(limit: Any) -> Test:
    return lambda value: bool(value <= limit)


@operator("gt", "is more than", ORDERED, "one")
def _gt(limit: Any) -> Test:
    return lambda value: bool(value > limit)


@operator("gte", "is at least", ORDERED, "one")
def _gte(limit: Any) -> Test:
    return lambda value: bool(value >= limit)


@operator("between", "is between", ORDERED, "pair")
def _between(bounds: tuple[Any, Any]) -> Test:
    low, high = bounds
    return lambda value: bool(low <= value <= high)


@operator("has", "includes", ("list",), "one")
def _has(wanted: str) -> Test:
    return lambda value: wanted in value


@operator("has_any", "includes any of", ("list",), "many")
def _has_any(wanted: frozenset[str]) -> Test:
    return lambda value: not wanted.isdisjoint(value)


@operator("has_none", "includes none of", ("list",), "many")
def _has_none(unwanted: frozenset[str]) -> Test:
    return unwanted.isdisjoint


@operator("in_territory", "is in territory", ("territory",), "territories")
def _in_territory(wanted: frozenset[int]) -> Test:
    return lambda value: not wanted.isdisjoint(value)


@operator("blank", "is blank", (*TEXT, *ORDERED, "boolean", "list", "territory"), "none")
def _blank(_: None) -> Test:
    return lambda value: False


@operator("not_blank", "is not blank", (*TEXT, *ORDERED, "boolean", "list", "territory"), "none")
def _not_blank(_: None) -> Test:
    return lambda value: True


def operator_choices() -> list[tuple[str, str]]:
    return OPERATORS.choices(lambda entry: entry.label)


def operators_for(field_type: str) -> list[Operator]:
    return [entry for entry in OPERATORS.values() if field_type in entry.types]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. ``error`` is set, and nothing ever matches, when it could not be built."""

    field: str
    operator: str
    value: Any
    test: Test
    types: tuple[type, ...] = ()
    on_blank: bool = False
    error: str = ""
    # What traces show of it.
    text: str = computed(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shown = f'"operator":{json_text(self.operator)},"value":{json_text(self.value)}'
        object.__setattr__(self, "text", shown)


def build_condition(catalogue: Catalogue, field: str, operator: str, value: Any) -> Condition:
    """Compile a condition.

    Raises:
        ConditionError: unknown field or operator, an operator that does not fit the field, or a bad value.
    """
    if field not in catalogue:
        raise ConditionError("field", f"There is no field {field!r}.")
    entry = catalogue[field]
    if operator not in OPERATORS:
        raise ConditionError("operator", f"There is no operator {operator!r}.")
    chosen = OPERATORS[operator]
    if entry.type not in chosen.types:
        fitting = ", ".join(o.label for o in operators_for(entry.type))
        raise ConditionError("operator", f"“{chosen.label}” does not fit {entry.label}; use one of: {fitting}.")
    try:
        test = chosen.build(_argument(entry, chosen.argument, value))
    except UnsafePattern as error:
        raise ConditionError("value", f"{error}.") from None
    return Condition(field, operator, value, test, PYTHON_TYPES[entry.type], on_blank=operator == "blank")


def broken_condition(field: str, operator: str, value: Any, error: str) -> Condition:
    """What a stored condition that cannot be built becomes: it never matches, and the trace says why."""
    return Condition(field, operator, value, lambda _: False, error=error)


def _argument(entry: Field, shape: str, value: Any) -> Any:
    if shape == "none":
        return None
    if shape == "pattern":
        if not isinstance(value, str) or not value:
            raise ConditionError("value", "Give a pattern.")
        return value
    if shape == "one":
        return read_value(entry, value)
    if not isinstance(value, (list, tuple)) or not value:
        raise ConditionError("value", "Give at least one value." if shape != "pair" else "Give two values.")
    if shape == "territories":
        return frozenset(_territory(item) for item in value)
    items = [read_value(entry, item) for item in value]
    if shape == "many":
        return frozenset(items)
    if len(items) != 2 or items[0] > items[1]:
        raise ConditionError("value", "Give two values, the lower one first.")
    return tuple(items)


def _territory(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConditionError("value", f"{value!r} is not a territory's number.")
    return value


def read_value(entry: Field, value: Any) -> Any:
    """A condition's value in the form in which facts of this field compare.

    Raises:
        ConditionError: the value is blank or not of the field's type.
    """
    reader = _READERS.get(entry.type, _read_text)
    result = None if is_blank(value) else reader(value)
    if is_blank(result):
        raise ConditionError("value", "Give a value; to ask for an empty field use “is blank”.")
    if entry.choices and entry.type == "choice":
        allowed = {comparable(key) for key, _ in entry.choices}
        if result not in allowed:
            raise ConditionError("value", f"{value!r} is not one of the choices of {entry.label}.")
    return result


def _read_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ConditionError("value", f"{value!r} is not a text.")
    return comparable(value)


def _read_number(value: Any) -> Decimal:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise ConditionError("value", f"{value!r} is not a number.") from None
    if not number.is_finite():
        raise ConditionError("value", f"{value!r} is not a number.")
    return number


def _read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConditionError("value", f"{value!r} is neither true nor false.")
    return value


def _read_date(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ConditionError("value", f"{value!r} is not a date such as 2026-01-31.") from None


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "number": _read_number,
    "boolean": _read_boolean,
    "date": _read_date,
}


def holds(condition: Condition, facts: LeadFacts, territories: Callable[[], frozenset[int]]) -> bool:
    """Whether a condition holds.

    Raises:
        TypeError: the fact is not of the field's type; neither the condition nor its opposite holds then.
    """
    value = territories() if condition.field == "territory" else facts.compared(condition.field)
    if not value and is_blank(value):
        return condition.on_blank
    if type(value) not in condition.types:
        raise TypeError(f"the lead's value is a {type(value).__name__}")
    return condition.test(value)
