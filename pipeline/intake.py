"""From what a source sends to the values of a lead: read, normalised and validated, every fault named."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import available_timezones

from django.conf import settings

from leadcrm.lib.languages import language_code
from leadcrm.lib.money import currency_code, parse_money
from leadcrm.lib.places import country_code, region_code, time_zone_of
from leadcrm.lib.postal import postal_code, region_of_postal
from leadcrm.lib.text import Unreadable, clean, clean_lines, quoted, unstorable
from pipeline.models import ExchangeRate, Lead, LeadSource
from pipeline.normalise import normalise_website, parse_email, parse_phone

LONGEST_MESSAGE: Final = 20_000
# Longer than any one line can be; refused before anything looks at it closely.
LONGEST_LINE: Final = 1_000
LONGEST_EXTERNAL_ID: Final = 200
MOST_TAGS: Final = 50
LONGEST_WORD: Final = 100
LONGEST_ATTRIBUTE: Final = 500
LARGEST_INTEGER: Final = 2_147_483_647
LARGEST_VALUE: Final = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of the input: the field, a stable word for its kind, and a sentence that says what would be right."""

    field: str
    code: str
    detail: str


class InvalidLead(Exception):
    """The input cannot become a lead; nothing was stored."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.field}: {error.detail}" for error in errors))
        self.errors = list(errors)


class Fault(ValueError):
    """A value that cannot be used, with the code of its FieldError."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class ConsentInput:
    """What a lead agreed to (or refused, ``granted=False``); ``at`` is the moment, None for now."""

    channel: str
    granted: bool
    wording: str = ""
    at: datetime | None = None
    origin: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class LeadInput:
    """One lead as a source sends it, not yet looked at: see ``services.leads.create_lead`` for the parts."""

    fields: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consents: Sequence[ConsentInput] = ()
    external_id: str = ""


@dataclass(slots=True)
class Reading:
    """One input while it is read: what is known of it so far, and what is wrong."""

    source: LeadSource
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    def refuse(self, name: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(name, code, detail))


Reader = Callable[[Any, Reading], Any]


# --- Readers: one value each -------------------------------------------------------------------


def text_of(value: Any, longest: int = LONGEST_LINE) -> str:
    """A text, or a number where a text is expected, as spreadsheets write postal codes."""
    if isinstance(value, str):
        return at_most(value, longest)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise Fault("wrong_type", "Send a text.")


def at_most(text: str, longest: int) -> str:
    if len(text) > longest:
        raise Fault("too_long", f"At most {longest} characters; these are {len(text)}.")
    if wrong := unstorable(text):
        raise Fault("invalid", wrong)
    return text


def _line(name: str) -> Reader:
    longest = getattr(Lead._meta.get_field(name), "max_length", None) or LONGEST_ATTRIBUTE
    return lambda value, reading: at_most(clean(text_of(value)), longest)


def _message(value: Any, reading: Reading) -> str:
    return clean_lines(text_of(value, LONGEST_MESSAGE))


def _email(value: Any, reading: Reading) -> str:
    return at_most(parse_email(text_of(value)).address, 254)


def _phone(value: Any, reading: Reading) -> str:
    home = reading.values.get("country") or reading.source.default_country
    phone = parse_phone(text_of(value), home)
    if not reading.values.get("country") and phone.country:
        reading.values["country"] = phone.country
    return phone.e164


def _website(value: Any, reading: Reading) -> str:
    return normalise_website(text_of(value))


def _country(value: Any, reading: Reading) -> str:
    return country_code(text_of(value))


def _region(value: Any, reading: Reading) -> str:
    code = region_code(reading.values.get("country", ""), text_of(value))
    if not reading.values.get("country"):
        reading.values["country"] = code[:2]
    return code


def _postal_code(value: Any, reading: Reading) -> str:
    return postal_code(text_of(value), reading.values.get("country", ""))


def _language(value: Any, reading: Reading) -> str:
    return language_code(text_of(value))


def _time_zone(value: Any, reading: Reading) -> str:
    name = clean(text_of(value))
    if name not in available_timezones():
        raise Fault("invalid", f"{quoted(name)} is not a time zone. Use an IANA name such as Europe/Berlin.")
    return name


def _whole_number(smallest: int, largest: int) -> Reader:
    def read(value: Any, reading: Reading) -> int:
        number = number_of(value)
        if number != int(number) or not smallest <= number <= largest:
            raise Fault("invalid", f"Send a whole number from {smallest} to {largest}.")
        return int(number)

    return read


def number_of(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise Fault("wrong_type", "Send a number.")
    text = at_most(str(value).strip(), LONGEST_WORD)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Fault("invalid", f"{quoted(text)} is not a number. Write it as 1234.5.") from None
    if not number.is_finite() or abs(number) > 10**15:
        raise Fault("invalid", "Send a number of at most 15 digits before the point.")
    return number


def _value(value: Any, reading: Reading) -> Decimal:
    known = reading.values.get("currency", "")
    amount, currency = parse_money(text_of(value), currency=known) if isinstance(value, str) else (number_of(value), "")
    if not 0 <= amount < LARGEST_VALUE:
        raise Fault("invalid", f"Send an amount from 0 to less than {LARGEST_VALUE:,}.")
    if currency and reading.values.get("currency", currency) != currency:
        raise Fault("invalid", f"The amount is in {currency}, the field currency says {reading.values['currency']}.")
    if currency:
        reading.values["currency"] = currency
    return amount.quantize(Decimal("0.01"))


def _currency(value: Any, reading: Reading) -> str:
    return currency_code(text_of(value))


def _tags(value: Any, reading: Reading) -> list[str]:
    words = re.split("[,;]", text_of(value)) if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise Fault("wrong_type", "Send a list of texts.")
    if len(words) > MOST_TAGS:
        raise Fault("too_long", f"At most {MOST_TAGS} tags; these are {len(words)}.")
    short = (clean(at_most(word, LONGEST_WORD)) for word in words)
    return list(dict.fromkeys(word for word in short if word))


# In this order: a phone number and a region are read with the country known, a value with its currency.
READERS: Final[Mapping[str, Reader]] = {
    **{name: _line(name) for name in ("first_name", "last_name", "company", "job_title")},
    "email": _email,
    "website": _website,
    "country": _country,
    "region": _region,
    "phone": _phone,
    "postal_code": _postal_code,
    "city": _line("city"),
    "language": _language,
    "time_zone": _time_zone,
    "industry": _line("industry"),
    "employees": _whole_number(0, LARGEST_INTEGER),
    "currency": _currency,
    "value": _value,
    "product": _line("product"),
    "message": _message,
    "score": _whole_number(0, 100),
    "priority": _whole_number(-1000, 1000),
    "tags": _tags,
    **{name: _line(name) for name in ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")},
}
_BLANK: Final[Mapping[str, Any]] = {"employees": None, "value": None, "score": None, "priority": 0, "tags": []}


def blank_of(name: str) -> Any:
    """What a field without a value holds."""
    return list(_BLANK[name]) if name == "tags" else _BLANK.get(name, "")


# --- The whole input ---------------------------------------------------------------------------


def read_fields(fields: Mapping[str, Any], source: LeadSource) -> tuple[dict[str, Any], list[FieldError]]:
    """Normalises the lead fields that were sent, fills in what follows from them, and lists every fault.

    Blank means not sent. Fields at fault are missing from the values.
    """
    reading = Reading(source)
    for name in fields.keys() - READERS.keys():
        reading.refuse(clean(name[:LONGEST_WORD]), "unknown", "There is no such field.")
    for name, reader in READERS.items():
        if not is_blank(fields.get(name)):
            _read_one(name, reader, fields[name], reading)
    _infer(reading.values, source)
    return reading.values, reading.errors


def is_blank(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not clean(value) and not unstorable(value))


def _read_one(name: str, reader: Reader, value: Any, reading: Reading) -> None:
    try:
        reading.values[name] = reader(value, reading)
    except Fault as fault:
        reading.refuse(name, fault.code, str(fault))
    except Unreadable as fault:
        reading.refuse(name, "invalid", str(fault))


def _infer(values: dict[str, Any], source: LeadSource) -> None:
    country = values.get("country", "")
    if country and "region" not in values and (region := region_of_postal(country, values.get("postal_code", ""))):
        values["region"] = region
    if "time_zone" not in values:
        values["time_zone"] = time_zone_of(country, values.get("region", ""), values.get("phone", ""))
    if "value" in values:
        values.setdefault("currency", source.default_currency or settings.BASE_CURRENCY)


RateOf = Callable[[str], Decimal | None]


def todays_rate(currency: str) -> Decimal | None:
    """What one unit of a currency is worth in the base currency; None when nobody said."""
    return ExchangeRate.objects.filter(currency=currency).values_list("rate", flat=True).first()


def in_base_currency(values: Mapping[str, Any], rate_of: RateOf = todays_rate) -> Decimal | None:
    """The value in the base currency; None without a value or a rate, and when it would be too large to store."""
    amount, currency = values.get("value"), values.get("currency")
    if amount is None or currency == settings.BASE_CURRENCY:
        return amount
    rate = rate_of(str(currency))
    worth = None if rate is None else (amount * rate).quantize(Decimal("0.01"))
    return worth if worth is None or worth < LARGEST_VALUE else None


def missing_fields(values: Mapping[str, Any], attributes: Mapping[str, Any], source: LeadSource) -> list[FieldError]:
    """The fields this source must send and did not."""
    return [
        FieldError(name, "required", "This source must send this field.")
        for name in source.required_fields
        if is_blank(values.get(name)) and is_blank(attributes.get(name.removeprefix("attributes.")))
    ]


def check_external_id(external_id: str) -> str:
    """The id itself, unchanged: the source must find it as it sent it. Raises a Fault when it cannot be kept so."""
    if not at_most(external_id, LONGEST_EXTERNAL_ID).isprintable():
        raise Fault("invalid", "Use printable characters only.")
    return external_id
