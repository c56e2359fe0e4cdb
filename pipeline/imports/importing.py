"""Import a file of leads: read, store in chunks, and tell what became of each row."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, Final, TextIO

from django.contrib.auth.models import User

from leadcrm.lib.csvfile import CsvTable, Problem, read_csv
from leadcrm.lib.mapping import MappingError
from leadcrm.lib.rows import rows_text
from leadcrm.lib.text import Unreadable, csv_safe
from pipeline.imports.mapping import ATTRIBUTE, ImportMapping, resolve
from pipeline.imports.reading import LeadReader, ReadRow
from pipeline.models import AttributeDefinition, Lead, LeadSource
from pipeline.services.arrivals import store_leads

CHUNK: Final = 500
# Before the columns of the row itself, under names that no other file has.
REFUSED_COLUMNS: Final = ("refused: row", "refused: column", "refused: reason")


@dataclass(slots=True)
class ImportResult:
    """What became of a file. ``states``: the imported leads by routing state, after they were routed."""

    targets: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    rows: int = 0
    imported: int = 0
    there: int = 0
    refused: list[ReadRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)


def import_leads(
    stream: BinaryIO,
    source: LeadSource,
    mapping: ImportMapping,
    *,
    dry_run: bool = False,
    drop_bad: bool = False,
    actor: User | None = None,
) -> ImportResult:
    """Store and route the leads of a CSV file. Rows that the source has already are left alone.

    Args:
        stream: seekable, at any position.
        dry_run: read and compare everything, store nothing.
        drop_bad: take a row without its bad values instead of refusing it.

    Raises:
        MappingError: the file or the mapping as a whole cannot be used; nothing was stored.
    """
    source = LeadSource.objects.prefetch_related("attributes").select_related("pipeline").get(pk=source.pk)
    table = _opened(stream)
    targets = resolve(mapping, table.columns, source.attributes.all())
    reader = LeadReader(source, mapping, targets, drop_bad=drop_bad)
    result = ImportResult(targets, [column for column in table.columns if column not in targets])
    rows = (reader.read(row) for row in table.rows)
    while chunk := list(islice(rows, CHUNK)):
        _take(chunk, source, result, dry_run=dry_run, actor=actor)
    return result


def add_attributes(source: LeadSource, mapping: ImportMapping) -> list[AttributeDefinition]:
    """Give the source the attributes that a mapping names and it lacks, as texts where they are new."""
    wanted = {
        target.removeprefix(ATTRIBUTE): c for c, target in mapping.columns.items() if target.startswith(ATTRIBUTE)
    }
    has = set(source.attributes.values_list("key", flat=True))
    added = [_attribute(key, column) for key, column in wanted.items() if key not in has]
    source.attributes.add(*added)
    return added


def result_lines(result: ImportResult, *, dry_run: bool) -> Iterator[str]:
    """What was understood and what was done, equal problems on one line."""
    yield "Columns: " + ", ".join(f"{column} → {target}" for column, target in result.targets.items())
    if result.unused:
        yield f"Not used: {', '.join(result.unused)}"
    yield from problem_lines(result.problems)
    verb = "would be imported" if dry_run else "imported"
    there, refused = f"{result.there} were here already", f"{len(result.refused)} refused"
    yield f"{result.rows} rows: {result.imported} {verb}, {there}, {refused}."
    if result.states:
        yield "Routed: " + ", ".join(f"{count} {state}" for state, count in sorted(result.states.items()))
        left = sum(result.states[state] for state in Lead.UNFINISHED)
        if left:
            yield f"{left} of them have no owner yet; they are tried again by themselves."


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Refusals first; each with the rows where it stands."""
    rows: dict[tuple[bool, str, str], list[int]] = defaultdict(list)
    for problem in problems:
        rows[not problem.is_error, problem.column, problem.message].append(problem.row)
    for (is_note, column, message), numbers in sorted(rows.items(), key=lambda entry: (entry[0][0], entry[1][0])):
        place = rows_text(numbers) + (f", column {column}" if column else "")
        yield f"{'Note' if is_note else 'Refused'}: {place}: {message}"


def write_refused(result: ImportResult, stream: TextIO) -> None:
    """The refused rows as CSV with where and what is wrong, to be corrected and imported again."""
    columns = [column for column in (*result.targets, *result.unused) if column not in REFUSED_COLUMNS]
    writer = csv.writer(stream)
    writer.writerow(map(csv_safe, (*REFUSED_COLUMNS, *columns)))
    for read in result.refused:
        faults = [problem for problem in read.problems if problem.is_error]
        places = "; ".join(dict.fromkeys(problem.column for problem in faults if problem.column))
        reasons = " ".join(problem.message for problem in faults)
        cells = (read.row.cells.get(column, "") for column in columns)
        writer.writerow(map(csv_safe, (str(read.row.number), places, reasons, *cells)))


def _opened(stream: BinaryIO) -> CsvTable:
    try:
        return read_csv(stream)
    except Unreadable as error:
        raise MappingError(str(error)) from None


def _take(
    chunk: Sequence[ReadRow], source: LeadSource, result: ImportResult, *, dry_run: bool, actor: User | None
) -> None:
    good = {read.lead.external_id: read for read in chunk if read.lead is not None}
    leads = [read.lead for read in good.values() if read.lead is not None]
    if dry_run:
        new = len(leads) - Lead.objects.filter(source=source, external_id__in=good).count()
    else:
        stored = store_leads(source, leads, {key: read.consents for key, read in good.items()}, actor=actor)
        states = Lead.objects.filter(pk__in=[lead.pk for lead in stored]).values_list("routing_state", flat=True)
        result.states.update(states)
        new = len(stored)
    result.rows += len(chunk)
    result.imported += new
    result.there += len(leads) - new
    result.refused += [read for read in chunk if read.lead is None]
    result.problems += [problem for read in chunk for problem in read.problems]


def _attribute(key: str, column: str) -> AttributeDefinition:
    found = AttributeDefinition.objects.filter(key=key).first()
    if found is not None:
        return found
    definition = AttributeDefinition(key=key, label=column[:100])
    definition.full_clean()
    definition.save()
    return definition
