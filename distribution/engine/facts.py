"""What rules may ask about a lead: the catalogue of typed fields, and the facts of one lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from distribution.engine.text import fold

ATTRIBUTE_PREFIX: Final = "attr."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the catalogue. ``type`` decides which operators apply and how values compare. ``lowest`` and
    ``highest``: what a number can be; None for no bound."""

    key: str
    label: str
    type: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    lowest: int | None = None
    highest: int | None = None


LEAD_FIELDS: Final[tuple[Field, ...]] = (
    Field("source", "Source", "choice"),
    Field("pipeline", "Pipeline", "choice"),
    Field("product", "Product"),
    Field("country", "Country", "choice"),
    Field("region", "Region", "choice"),
    Field("postal_code", "Postal code"),
    Field("city", "City"),
    Field("territory", "Territory", "territory"),
    Field("language", "Language", "choice"),
    Field("time_zone", "Time zone"),
    Field("company", "Company"),
    Field("industry", "Industry"),
    Field("employees", "Employees", "number", lowest=0, highest=2_147_483_647),
    Field("value", "Value in base currency", "number", lowest=0),
    Field("currency", "Currency", "choice"),
    Field("score", "Score", "number", lowest=0, highest=100),
    Field("priority", "Priority", "number", lowest=-1000, highest=1000),
    Field("first_name", "First name"),
    Field("last_name", "Last name"),
    Field("email", "E-mail"),
    Field("email_domain", "E-mail domain"),
    Field("phone", "Phone"),
    Field("job_title", "Job title"),
    Field("website", "Website"),
    Field("message", "Message"),
    Field("tags", "Tags", "list"),
    Field("account", "Account"),
    Field("account_owned", "Account has an owner", "boolean"),
    Field("duplicate", "Same person came in before", "boolean"),
    Field("utm_source", "Campaign source"),
    Field("utm_medium", "Campaign medium"),
    Field("utm_campaign", "Campaign name"),
    Field("utm_term", "Campaign term"),
    Field("utm_content", "Campaign content"),
)

Catalogue = Mapping[str, Field]


def catalogue(attributes: tuple[Field, ...] = ()) -> dict[str, Field]:
    """All fields by key: those of every lead, then the installation's own attributes."""
    return {entry.key: entry for entry in (*LEAD_FIELDS, *attributes)}


Value = str | int | bool | Decimal | date | tuple[str, ...] | None


def is_blank(value: object) -> bool:
    """Nothing there: no value, an empty text or an empty list. Zero and false are values."""
    return not value and not isinstance(value, (int, Decimal))


def plain(value: object) -> Any:
    """A fact as JSON knows it: numbers as they are, Decimal and dates as texts, tuples and sets as lists."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def comparable(value: Value) -> Value:
    """A value in the form in which conditions compare it: texts folded, everything else as it is."""
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, tuple):
        return tuple(fold(item) for item in value)
    return value


@dataclass(slots=True)
class LeadFacts:
    """The facts of one lead, by field key. Missing means blank.

    ``account_id`` is for named accounts of territories. The folded forms are computed once, when first asked for.
    """

    values: Mapping[str, Value]
    account_id: int | None = None
    _comparable: dict[str, Value] = field(default_factory=dict, repr=False, compare=False)

    def compared(self, key: str) -> Value:
        try:
            return self._comparable[key]
        except KeyError:
            result = self._comparable[key] = comparable(self.values.get(key))
            return result

    def text(self, key: str) -> str:
        """The folded text of a field; empty when blank or not a text."""
        value = self.compared(key)
        return value if isinstance(value, str) else ""
