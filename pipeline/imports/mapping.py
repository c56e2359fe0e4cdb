"""Which column of a file is which field of a lead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from leadcrm.lib.mapping import (
    MappingError,
    check_keys,
    closest,
    corrections_at,
    parse_toml,
    table_at,
    text_table,
    texts_at,
)
from leadcrm.lib.text import clean, match_key
from pipeline.intake import READERS
from pipeline.models import AttributeDefinition, Consent

ATTRIBUTE: Final = "attributes."
_CONSENTS: Final = tuple(f"{word}.{channel}" for word in ("consent", "refusal") for channel in Consent.Channel.values)
# What a column may become beside the fields of a lead and the source's attributes. An empty target: not used.
SPECIAL: Final = ("external_id", "name", "created_at", *_CONSENTS, "")
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("external id", "lead id", "prospect id", "record id", "id"),
    "name": ("name", "full name", "contact", "contact name"),
    "first_name": ("first name", "firstname", "given name", "forename"),
    "last_name": ("last name", "lastname", "surname", "family name"),
    "email": ("email", "e mail", "email address", "mail", "work email"),
    "phone": ("phone", "phone number", "telephone", "mobile", "tel"),
    "company": ("company", "company name", "organization", "organisation", "account"),
    "job_title": ("job title", "title", "position", "role"),
    "website": ("website", "web site", "url", "homepage"),
    "country": ("country", "country code"),
    "region": ("region", "state", "province"),
    "postal_code": ("postal code", "zip", "zip code", "postcode"),
    "employees": ("employees", "number of employees", "company size", "headcount"),
    "value": ("value", "amount", "deal value", "budget"),
    "message": ("message", "comment", "comments", "notes", "question"),
    "created_at": ("created at", "created", "created time", "submitted at", "date"),
}


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """What somebody said about the file. ``columns``: targets by column; ``values``: corrections by target."""

    columns: Mapping[str, str] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def cell(self, target: str, text: str) -> str:
        """A cell's text as it counts: corrected, and blank where it says nothing."""
        key = match_key(text)
        corrected = self.values.get(target, {}).get(key, text)
        return "" if key in self.blank and clean(text) else corrected


def read_mapping(entries: Sequence[str]) -> ImportMapping:
    """The mapping from what the command was given: ``Column=field`` entries and names of TOML files, later ones win.

    Raises:
        MappingError: an entry that is neither, or a file that cannot be used.
    """
    columns: dict[str, str] = {}
    blank: set[str] = set()
    values: dict[str, Mapping[str, str]] = {}
    for entry in entries:
        column, separator, target = entry.rpartition("=")
        if separator:
            columns[column.strip()] = target.strip()
        else:
            found = parse_mapping(_text_of(Path(entry)))
            columns |= found.columns
            blank |= found.blank
            values |= found.values
    return ImportMapping(columns, frozenset(blank), values)


def parse_mapping(text: str) -> ImportMapping:
    """Read the text of a mapping file: ``blank``, [columns] and [values.FIELD].

    Raises:
        MappingError: not TOML, or an unknown entry.
    """
    data = parse_toml(text)
    check_keys(data, ("blank", "columns", "values"))
    columns = text_table(table_at(data, "columns"), "columns")
    corrected = table_at(data, "values")
    return ImportMapping(
        columns=columns,
        blank=frozenset(match_key(word) for word in texts_at(data, "blank")),
        values=corrections_at(data, "values", corrected) if corrected else {},
    )


def resolve(
    mapping: ImportMapping, columns: Sequence[str], attributes: Iterable[AttributeDefinition]
) -> dict[str, str]:
    """The target of each column that is used: as the mapping says, else by the usual names.

    Raises:
        MappingError: a column that the file does not have, a target that does not exist, or one given twice.
    """
    definitions = list(attributes)
    allowed = {*READERS, *SPECIAL, *(ATTRIBUTE + definition.key for definition in definitions)}
    for column, target in mapping.columns.items():
        _check(column, target, columns, allowed)
    _check_corrections(mapping, allowed)
    targets = {column: target for column, target in mapping.columns.items() if target}
    free = [column for column in columns if column not in mapping.columns]
    for target, usual in _usual_names(definitions).items():
        found = next((column for column in free if match_key(column) in usual), None)
        if found is not None and target not in targets.values():
            targets[found] = target
            free.remove(found)
    _check_twice(targets)
    return {column: targets[column] for column in columns if column in targets}


def _usual_names(definitions: Iterable[AttributeDefinition]) -> dict[str, set[str]]:
    usual = {name: {match_key(name), *_USUAL.get(name, ())} for name in (*_USUAL, *READERS)}
    for definition in definitions:
        usual[ATTRIBUTE + definition.key] = {match_key(definition.key), match_key(definition.label)}
    return usual


def _check(column: str, target: str, columns: Sequence[str], allowed: set[str]) -> None:
    if column not in columns:
        raise MappingError(f"The file has no column {column}. {_hint(column, columns)}")
    if target.startswith(ATTRIBUTE) and target not in allowed:
        raise MappingError(f"{column}={target}: the source has no such attribute. Add it to the source first.")
    if target not in allowed:
        raise MappingError(f"{column}={target}: there is no such field. {_hint(target, allowed - {''})}")


def _check_corrections(mapping: ImportMapping, allowed: set[str]) -> None:
    for target in mapping.values:
        if target not in allowed:
            raise MappingError(f"values.{target}: there is no such field. {_hint(target, allowed - {''})}")


def _check_twice(targets: Mapping[str, str]) -> None:
    first: dict[str, str] = {}
    for column, target in targets.items():
        if first.setdefault(target, column) != column:
            raise MappingError(f"{first[target]} and {column} are both {target}. Choose one of them.")


def _hint(word: str, known: Iterable[str]) -> str:
    near = closest(word, known)
    return f"Did you mean {near}?" if near else f"Use one of: {', '.join(sorted(known))}."


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise MappingError(f"{path} is no mapping file that can be read, nor an entry such as Column=field.") from None
