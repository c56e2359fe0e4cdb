"""Recognise the files and their columns, and give each cell by the field it stands for."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from distribution.onboarding.fields import KINDS, Kind
from distribution.onboarding.mapping import OnboardMapping
from distribution.onboarding.plan import Problem
from leadcrm.lib.mapping import MappingError, closest
from leadcrm.lib.text import clean, match_key, quoted

_MOST_COLUMNS_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class Table:
    """A file as read: its headings, and its rows with the number a spreadsheet shows."""

    file: str
    headings: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row by field: cleaned, corrected, and blank where the cell says nothing."""

    number: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(slots=True)
class Sheet:
    """One file whose kind and columns are known. Problems are collected while its rows are read, all of each row;
    ``refused``: the numbers of rows that cannot be used."""

    kind: Kind
    file: str
    columns: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)

    def takes(self, row: Row) -> bool:
        """Whether nothing was found, so far, for which the row cannot be used."""
        return row.number not in self.refused

    def refuse(self, row: Row, name: str, wrong: str, right: str) -> None:
        """The row cannot be used."""
        self._add(row, name, wrong, right, refused=True)

    def note(self, row: Row, name: str, wrong: str, right: str, detail: str = "") -> None:
        """The row is used, without this value or as ``right`` says."""
        self._add(row, name, wrong, right, detail, refused=False)

    def unknown(
        self, row: Row, name: str, value: str, thing: str, known: Iterable[str], *, refused: bool = True
    ) -> None:
        """Report a name that should be one of ``known``, with the closest one and how to correct it in the mapping.

        Args:
            thing: what it is not, with its article, such as "a product".
        """
        vocabulary = self.kind.field(name).vocabulary
        near = closest(value, known)
        hint = f"Did you mean {near}? " if near else ""
        entry = f"{json.dumps(value, ensure_ascii=False)} = {json.dumps(near or '…', ensure_ascii=False)}"
        right = f"{hint}Correct the file, or add {entry} under [values.{vocabulary}]"
        self._add(row, name, f"{quoted(value)} is not {thing}", right, refused=refused)

    def _add(self, row: Row, name: str, wrong: str, right: str, detail: str = "", *, refused: bool) -> None:
        column = self.columns.get(name, name)
        if refused:
            self.refused.add(row.number)
        self.problems.append(Problem(self.file, row.number, column, wrong, right, refused, detail))

    def describe(self) -> str:
        named = ", ".join(f"{name} = {column}" for name, column in self.columns.items())
        return f"{self.kind.name}: {self.file}, {len(self.rows)} rows ({named})"


def recognise(tables: Sequence[Table], mapping: OnboardMapping) -> tuple[dict[str, Sheet], list[str]]:
    """The sheet of each kind that was given, and what to tell about the files and columns.

    Raises:
        MappingError: a file or column that the mapping names is not there, two files look alike, or none is known.
    """
    chosen = {name: table for name, kind in KINDS.items() if (table := _table_for(kind, tables, mapping))}
    if not chosen:
        names = ", ".join(table.file for table in tables) or "none"
        raise MappingError(f"No file of a team, accounts, products or opportunities was recognised (files: {names}).")
    sheets = {name: _sheet(KINDS[name], table, mapping) for name, table in chosen.items()}
    told = [sheet.describe() for sheet in sheets.values()]
    unused = {table.file: _unused(table, sheets[name]) for name, table in chosen.items()}
    told += [f"{file}: columns not used: {columns}" for file, columns in unused.items() if columns]
    told += [f"{table.file}: not used" for table in tables if table not in chosen.values()]
    return sheets, told


def _table_for(kind: Kind, tables: Sequence[Table], mapping: OnboardMapping) -> Table | None:
    wanted = mapping.part(kind.name).file
    if wanted:
        return _named(kind, tables, wanted)
    taken = {mapping.part(name).file for name in KINDS}
    found = [table for table in tables if table.file not in taken and _looks_like(table) == kind.name]
    if len(found) > 1:
        names = " and ".join(table.file for table in found)
        raise MappingError(f'{names} both look like {kind.name}. Say which one under [{kind.name}], as file = "…".')
    return found[0] if found else None


def _named(kind: Kind, tables: Sequence[Table], wanted: str) -> Table:
    table = next((table for table in tables if table.file == wanted), None)
    if table is None:
        names = ", ".join(table.file for table in tables)
        raise MappingError(f"{kind.name}.file: there is no {wanted}. The files are: {names}.")
    return table


def _looks_like(table: Table) -> str:
    """The kind whose words stand in the file's name and whose needed columns it has."""
    words = set(match_key(table.file.rpartition(".")[0]).split())
    fitting = (kind for kind in KINDS.values() if words & kind.words and _has_needed(kind, table))
    return next((kind.name for kind in fitting), "")


def _has_needed(kind: Kind, table: Table) -> bool:
    keys = {match_key(heading) for heading in table.headings}
    return all(not entry.needed or keys & set(entry.usual) for entry in kind.fields)


def _sheet(kind: Kind, table: Table, mapping: OnboardMapping) -> Sheet:
    columns = _columns(kind, table, mapping)
    missing = [entry.name for entry in kind.fields if entry.needed and entry.name not in columns]
    if missing:
        raise MappingError(
            f"{table.file}: no column for {missing[0]} was recognised. Name it under [{kind.name}.columns]; "
            f"the columns are: {_some(table.headings)}."
        )
    sheet = Sheet(kind, table.file, columns, problems=list(table.problems))
    places = {name: list(table.headings).index(column) for name, column in columns.items()}
    sheet.rows = [Row(number, _values(kind, cells, places, mapping)) for number, cells in table.rows]
    return sheet


def _columns(kind: Kind, table: Table, mapping: OnboardMapping) -> dict[str, str]:
    """The column of each field: as the mapping says, else the first one with a usual name that is still free."""
    named = dict(mapping.part(kind.name).columns)
    for name, column in named.items():
        if column not in table.headings:
            raise MappingError(
                f"{kind.name}.columns.{name}: {table.file} has no column {column}. "
                f"The columns are: {_some(table.headings)}."
            )
    for entry in kind.fields:
        free = {match_key(heading): heading for heading in table.headings if heading not in named.values()}
        usual = next((free[key] for key in entry.usual if key in free), None)
        if entry.name not in named and usual is not None:
            named[entry.name] = usual
    return {entry.name: named[entry.name] for entry in kind.fields if entry.name in named}


def _values(kind: Kind, cells: Sequence[str], places: dict[str, int], mapping: OnboardMapping) -> dict[str, str]:
    found = {}
    for name, place in places.items():
        value = clean(cells[place]) if place < len(cells) else ""
        if value and match_key(value) not in mapping.blank:
            found[name] = mapping.corrected(kind.field(name).vocabulary, value)
    return found


def _unused(table: Table, sheet: Sheet) -> str:
    return _some([heading for heading in table.headings if heading not in sheet.columns.values()])


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_COLUMNS_NAMED])
    more = len(names) - _MOST_COLUMNS_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
