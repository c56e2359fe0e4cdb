"""Turn the rows of a file into leads, or into the reasons why they are none."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from leadcrm.lib.csvfile import Problem, Row
from leadcrm.lib.text import clean, quoted
from pipeline.imports.mapping import ATTRIBUTE, ImportMapping
from pipeline.intake import ConsentInput, FieldError, InvalidLead
from pipeline.models import Lead, LeadSource
from pipeline.naming import split_name
from pipeline.services.leads import build_lead

_YES: Final = frozenset({"yes", "y", "true", "1", "x"})
_NO: Final = frozenset({"no", "n", "false", "0", ""})


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row: the lead it makes, or none; and what is wrong with it."""

    row: Row
    lead: Lead | None = None
    consents: tuple[ConsentInput, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Input:
    """One row as the intake wants it."""

    fields: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    consents: list[ConsentInput] = field(default_factory=list)
    external_id: str = ""
    created_at: datetime | None = None
    errors: list[FieldError] = field(default_factory=list)


class LeadReader:
    """Reads the rows of one file for one source.

    Args:
        targets: what each column is, as ``mapping.resolve`` says.
        drop_bad: take a row without its bad values instead of refusing it.
    """

    def __init__(
        self, source: LeadSource, mapping: ImportMapping, targets: Mapping[str, str], *, drop_bad: bool
    ) -> None:
        self.source, self.mapping, self.targets, self.drop_bad = source, mapping, targets, drop_bad
        self.columns = {target: column for column, target in targets.items()}
        self.rows_by_id: dict[str, int] = {}

    def read(self, row: Row) -> ReadRow:
        """The lead of a row, stored nowhere yet."""
        if not row.is_readable:
            return ReadRow(row, problems=row.problems)
        given = self._input(row)
        first = self.rows_by_id.setdefault(given.external_id, row.number)
        if first != row.number:
            message = f"Row {first} has the same id." if "external_id" in self.columns else f"The same as row {first}."
            return self._refused(row, [FieldError("external_id", "repeated", message)])
        return self._build(row, given)

    def _input(self, row: Row) -> _Input:
        given = _Input()
        for column, target in self.targets.items():
            text = self.mapping.cell(target, row.cells.get(column, ""))
            if clean(text):
                _put(given, target, text)
        given.external_id = given.external_id or f"row-{_digest(row.cells)}"
        return given

    def _build(self, row: Row, given: _Input) -> ReadRow:
        if given.errors and not self.drop_bad:
            return self._refused(row, given.errors + _faults(self.source, given))
        try:
            lead, consents = _built(self.source, given)
            errors = given.errors
        except InvalidLead as invalid:
            errors = given.errors + invalid.errors
            if not self.drop_bad or not _drop(given, errors):
                return self._refused(row, errors)
            return self._dropped(row, given, errors)
        return ReadRow(row, lead, tuple(consents), (*row.problems, *self._problems(row, errors, refused=False)))

    def _dropped(self, row: Row, given: _Input, errors: list[FieldError]) -> ReadRow:
        """Once more without the bad values; what is missing then, such as a required field, still refuses the row."""
        try:
            lead, consents = _built(self.source, given)
        except InvalidLead as invalid:
            return self._refused(row, invalid.errors)
        return ReadRow(row, lead, tuple(consents), (*row.problems, *self._problems(row, errors, refused=False)))

    def _refused(self, row: Row, errors: list[FieldError]) -> ReadRow:
        return ReadRow(row, problems=(*row.problems, *self._problems(row, errors, refused=True)))

    def _problems(self, row: Row, errors: list[FieldError], *, refused: bool) -> Iterator[Problem]:
        for error in errors:
            column = self.columns.get(error.field) or self.columns.get("name", "") * error.field.endswith("_name")
            message = error.detail if column else f"{error.field}: {error.detail}"
            yield Problem(row.number, column, message, is_error=refused)


def _put(given: _Input, target: str, text: str) -> None:
    word, _, channel = target.partition(".")
    if target == "external_id":
        given.external_id = clean(text)
    elif target == "name":
        first, last = split_name(text)
        given.fields |= {"first_name": first, "last_name": last}
    elif target == "created_at":
        given.created_at = _moment(text, given)
    elif target.startswith(ATTRIBUTE):
        given.attributes[channel] = text
    elif word in ("consent", "refusal"):
        _put_consent(given, target, text)
    else:
        given.fields[target] = text


def _put_consent(given: _Input, target: str, text: str) -> None:
    """``consent.email``: yes grants it; ``refusal.email``: yes refuses it; no says nothing either way."""
    word, _, channel = target.partition(".")
    answer = clean(text).lower()
    if answer in _YES:
        given.consents.append(ConsentInput(channel, granted=word == "consent", origin="file import"))
    elif answer not in _NO:
        given.errors.append(FieldError(target, "invalid", f"{quoted(text)} is neither yes nor no."))


def _moment(text: str, given: _Input) -> datetime | None:
    """A moment in ISO 8601; without a time zone it is UTC."""
    try:
        read = parse_datetime(text) or datetime.fromisoformat(text)
        moment = (read if read.tzinfo else timezone.make_aware(read)).astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        detail = f"{quoted(text)} is not a date such as 2026-01-31 or 2026-01-31 14:30."
        given.errors.append(FieldError("created_at", "invalid", detail))
        return None
    if moment > timezone.now():
        given.errors.append(FieldError("created_at", "invalid", f"{quoted(text)} is in the future."))
        return None
    return moment


def _built(source: LeadSource, given: _Input) -> tuple[Lead, list[ConsentInput]]:
    lead, consents = build_lead(source, given.fields, given.consents, given.external_id, given.attributes)
    lead.created_at = given.created_at or lead.created_at
    return lead, consents


def _faults(source: LeadSource, given: _Input) -> list[FieldError]:
    """What else is wrong, so that a row is corrected in one go."""
    try:
        _built(source, given)
    except InvalidLead as invalid:
        return invalid.errors
    return []


def _drop(given: _Input, errors: list[FieldError]) -> bool:
    """Take the bad values out; False when one of them cannot be left out."""
    for error in errors:
        group = given.attributes if error.field.startswith(ATTRIBUTE) else given.fields
        group.pop(error.field.removeprefix(ATTRIBUTE), None)
    return all(error.code != "required" and error.field != "external_id" for error in errors)


def _digest(cells: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:32]
