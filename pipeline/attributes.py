"""The answers to a source's own questions: read and checked against their definitions, every fault named."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from leadcrm.lib.text import clean, match_key
from pipeline.intake import LONGEST_ATTRIBUTE, LONGEST_WORD, Fault, FieldError, at_most, is_blank, number_of, text_of
from pipeline.models import AttributeDefinition

MOST_ATTRIBUTES: Final = 200
_YES_NO = {**dict.fromkeys(("true", "yes", "y", "1"), True), **dict.fromkeys(("false", "no", "n", "0"), False)}


def read_attributes(
    sent: Mapping[str, Any], definitions: Iterable[AttributeDefinition]
) -> tuple[dict[str, Any], list[FieldError]]:
    """The source's own questions, checked against their definitions; blank answers are left out."""
    known = {definition.key: definition for definition in definitions}
    if len(sent) > MOST_ATTRIBUTES:
        return {}, [FieldError("attributes", "too_long", f"At most {MOST_ATTRIBUTES}; these are {len(sent)}.")]
    values, errors = {}, []
    for key, value in sent.items():
        try:
            if key not in known:
                raise Fault("unknown", "This source has no such attribute.")
            if not is_blank(value):
                values[key] = _ATTRIBUTE_READERS[known[key].type](value, known[key])
        except Fault as fault:
            errors.append(FieldError(f"attributes.{clean(key[:LONGEST_WORD])}", fault.code, str(fault)))
    return values, errors


def _attribute_text(value: Any, definition: AttributeDefinition) -> str:
    return at_most(clean(text_of(value)), LONGEST_ATTRIBUTE)


def _attribute_number(value: Any, definition: AttributeDefinition) -> int | float:
    number = number_of(value)
    return int(number) if number == int(number) else float(number)


def _attribute_boolean(value: Any, definition: AttributeDefinition) -> bool:
    written = clean(text_of(value)).lower() if isinstance(value, str) else ""
    answer = value if isinstance(value, bool) else _YES_NO.get(written)
    if answer is None:
        raise Fault("invalid", "Send true or false.")
    return answer


def _attribute_date(value: Any, definition: AttributeDefinition) -> str:
    if isinstance(value, date):
        return value.isoformat()
    text = clean(text_of(value))
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Fault("invalid", "Send a date such as 2026-01-31.") from None


def _attribute_choice(value: Any, definition: AttributeDefinition) -> str:
    by_key = {match_key(str(choice)): str(choice) for choice in definition.choices}
    chosen = by_key.get(match_key(text_of(value)))
    if chosen is None:
        raise Fault("invalid", f"Send one of: {', '.join(by_key.values())}.")
    return chosen


_ATTRIBUTE_READERS: Final[Mapping[str, Callable[[Any, AttributeDefinition], Any]]] = {
    AttributeDefinition.Type.TEXT: _attribute_text,
    AttributeDefinition.Type.NUMBER: _attribute_number,
    AttributeDefinition.Type.BOOLEAN: _attribute_boolean,
    AttributeDefinition.Type.DATE: _attribute_date,
    AttributeDefinition.Type.CHOICE: _attribute_choice,
}
