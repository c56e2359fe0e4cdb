"""The catalogue of fields with every choice filled in: what rule forms, checks and sentences go by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Final

from distribution.compiling import lead_catalogue
from distribution.engine.facts import Catalogue, Field
from distribution.models import Skill, Territory
from leadcrm.lib.languages import LANGUAGES
from leadcrm.lib.money import CURRENCIES
from leadcrm.lib.places import countries, read_table

Choices = tuple[tuple[str, str], ...]
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Who it is": (
        "company", "account", "account_owned", "job_title", "first_name", "last_name", "email", "email_domain", "phone",
        "website", "duplicate",
    ),
    "Where it is": ("country", "region", "postal_code", "city", "territory", "language", "time_zone"),
    "What it wants": ("product", "industry", "employees", "value", "currency", "score", "priority", "tags", "message"),
    "Where it came from": ("source", "pipeline", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleFields:
    """What a condition may name.

    ``catalogue``: fields whose choices are all there are. ``suggestions``: values offered for fields that take others
    too. ``territories``: names by id, of those in use; archived ones are in ``archived_territories``.
    """

    catalogue: Catalogue
    suggestions: Mapping[str, Choices]
    territories: Mapping[int, str]
    archived_territories: Mapping[int, str]

    def options(self, key: str) -> Choices:
        """What to offer for a field: its choices, else suggestions."""
        return self.catalogue[key].choices or self.suggestions.get(key, ())

    def territory_name(self, pk: object) -> str:
        """The name of a territory, archived or not; its number when it is gone."""
        known = isinstance(pk, int) and (self.territories.get(pk) or self.archived_territories.get(pk))
        return known or str(pk)

    def choice_name(self, key: str, value: object) -> str:
        """The name of a choice; the value itself where there is none."""
        entry = self.catalogue.get(key)
        names = dict(entry.choices) if entry and isinstance(value, str) else {}
        return names.get(str(value), str(value))


def rule_fields() -> RuleFields:
    """The catalogue of now, with choices of countries, languages, currencies, sources and pipelines."""
    territories = list(Territory.objects.values_list("id", "name", "archived_at"))
    return RuleFields(
        catalogue=with_choices(lead_catalogue()),
        suggestions={"product": _skills(Skill.Kind.PRODUCT), "industry": _skills(Skill.Kind.INDUSTRY)}
        | {"region": _regions()},
        territories={pk: name for pk, name, archived in territories if archived is None},
        archived_territories={pk: name for pk, name, archived in territories if archived is not None},
    )


def by_section(fields: Catalogue) -> dict[str, list[Field]]:
    """The fields in the sections in which people look for them; the installation's own come last."""
    sections = {title: [fields[key] for key in keys if key in fields] for title, keys in SECTIONS.items()}
    sorted_in = {entry.key for entries in sections.values() for entry in entries}
    rest = [entry for key, entry in fields.items() if key not in sorted_in]
    return sections | ({"Your own questions": rest} if rest else {})


def with_choices(fields: Catalogue) -> dict[str, Field]:
    """The catalogue with the choices that are the same everywhere: countries, languages and currencies."""
    fixed: dict[str, Choices] = {
        "country": tuple(sorted(((code, land.name) for code, land in countries().items()), key=itemgetter(1))),
        "language": tuple(LANGUAGES.items()),
        "currency": tuple((code, code) for code in sorted(CURRENCIES)),
    }
    return {key: replace(entry, choices=fixed.get(key, entry.choices)) for key, entry in fields.items()}


def _skills(kind: str) -> Choices:
    return tuple((name, name) for name in Skill.objects.filter(kind=kind).values_list("name", flat=True))


@cache
def _regions() -> Choices:
    return tuple((row["code"], f"{row['name']} ({row['code']})") for row in read_table("regions"))
