"""From JSON to the input of a lead: unknown fields and wrong JSON types are told here, wrong values by ``intake``."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from leadcrm.lib.mapping import closest
from leadcrm.lib.text import clean
from pipeline.intake import READERS, ConsentInput, Fault, FieldError, LeadInput, check_external_id

# What a rule decides is not for partners to claim.
FIELDS: Final = tuple(name for name in READERS if name != "priority")
PARTS: Final = ("external_id", "attributes", "consents")
CONSENT_PARTS: Final = ("channel", "granted", "wording", "at", "origin", "ip")
MOST_UNKNOWN: Final = 20
_LONGEST_NAME: Final = 100
_PLAIN_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
# What other systems call our fields.
_ALIASES: Final = {
    "zip": "postal_code",
    "zipcode": "postal_code",
    "postcode": "postal_code",
    "mail": "email",
    "mobile": "phone",
    "telephone": "phone",
    "name": "first_name and last_name",
    "fullname": "first_name and last_name",
    "surname": "last_name",
    "organisation": "company",
    "organization": "company",
    "title": "job_title",
    "url": "website",
    "state": "region",
    "province": "region",
    "locale": "language",
    "timezone": "time_zone",
    "amount": "value",
    "comment": "message",
    "notes": "message",
    "id": "external_id",
    "custom": "attributes",
}

Errors = list[FieldError]
_EARLIEST_CONSENT: Final = 2000  # a year; before it there is no consent, but there are broken clocks


def read_input(data: Any) -> tuple[LeadInput, Errors]:
    """One lead from its JSON, and what is wrong with its shape. Parts at fault are left out of the input."""
    if not isinstance(data, dict):
        return LeadInput({}), [FieldError("", "wrong_type", "Send a JSON object.")]
    errors = _unknown(data, (*FIELDS, *PARTS))
    fields = {name: value for name in FIELDS if (value := _checked(data, name, _field_type(name), errors)) is not None}
    sent = LeadInput(
        fields=fields,
        attributes=_checked(data, "attributes", _object, errors) or {},
        consents=_consents(_checked(data, "consents", _list, errors) or [], errors),
        external_id=_checked(data, "external_id", _external_id, errors) or "",
    )
    if not errors and not (any(fields.values()) or sent.attributes or sent.external_id):
        errors = [FieldError("", "required", "Send at least one field.")]
    return sent, errors


def _unknown(data: Mapping[str, Any], known: tuple[str, ...], path: str = "") -> Errors:
    names = [name for name in data if name not in known][:MOST_UNKNOWN]
    return [FieldError(path + clean(name[:_LONGEST_NAME]), "unknown", _hint(name, known)) for name in names]


def _hint(name: str, known: tuple[str, ...]) -> str:
    alias = _ALIASES.get(re.sub("[^a-z]", "", name[:_LONGEST_NAME].lower()))
    near = alias if alias and alias.split()[0] in known else closest(name[:_LONGEST_NAME], known)
    return f"There is no such field. Did you mean {near}?" if near else "There is no such field."


def _checked(data: Mapping[str, Any], name: str, read: Callable[[Any], Any], errors: Errors, path: str = "") -> Any:
    value = data.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except Fault as fault:
        errors.append(FieldError(path + name, fault.code, str(fault)))
        return None


# --- JSON types --------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Fault("wrong_type", "Send a text, in quotes.")
    return value


def _external_id(value: Any) -> str:
    return check_external_id(_text(value))


def _whole(value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault("wrong_type", "Send a whole number, without quotes.")
    return value


def _amount(value: Any) -> int | Decimal:
    if isinstance(value, str) and _PLAIN_DECIMAL.fullmatch(value):
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Fault("wrong_type", 'Send a number such as 1234.5, or the same as a text: "1234.50".')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault("wrong_type", "Send true or false.")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Fault("wrong_type", "Send a list.")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault("wrong_type", "Send an object.")
    return value


def _moment(value: Any) -> datetime:
    try:
        moment = parse_datetime(_text(value)[:_LONGEST_NAME])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Fault("invalid", "Send a moment with its time zone, such as 2026-01-31T09:30:00Z.")
    if moment.year < _EARLIEST_CONSENT or moment.replace(tzinfo=None) > _tomorrow():
        raise Fault("invalid", "Send the moment when it was given; this one cannot be.")
    return moment.astimezone(UTC)  # databases know fewer offsets than ISO 8601 lets one write


def _tomorrow() -> datetime:
    return timezone.now().replace(tzinfo=None) + timedelta(days=1)


_TYPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "employees": _whole,
    "score": _whole,
    "value": _amount,
    "tags": _list,
}


def _field_type(name: str) -> Callable[[Any], Any]:
    return _TYPES.get(name, _text)


# --- Consents ----------------------------------------------------------------------------------


def _consents(items: list[Any], errors: Errors) -> list[ConsentInput]:
    return [_consent(item, f"consents.{index}", errors) for index, item in enumerate(items[: MOST_UNKNOWN + 1])]


def _consent(item: Any, path: str, errors: Errors) -> ConsentInput:
    if not isinstance(item, dict):
        errors.append(FieldError(path, "wrong_type", "Send an object."))
        return ConsentInput("", False)
    inside = f"{path}."
    errors += _unknown(item, CONSENT_PARTS, inside)
    errors += [
        FieldError(inside + name, "required", "Send this part of the consent.")
        for name in ("channel", "granted")
        if item.get(name) is None
    ]
    return ConsentInput(
        channel=_checked(item, "channel", _text, errors, inside) or "",
        granted=bool(_checked(item, "granted", _flag, errors, inside)),
        wording=_checked(item, "wording", _text, errors, inside) or "",
        at=_checked(item, "at", _moment, errors, inside),
        origin=_checked(item, "origin", _text, errors, inside) or "",
        ip=_checked(item, "ip", _text, errors, inside) or "",
    )
