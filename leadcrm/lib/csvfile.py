"""CSV files as spreadsheets and other systems export them: read row by row, every fault named by row and column."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from leadcrm.lib.text import Unreadable, clean, clean_lines, quoted, unstorable, without_csv_guard

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DELIMITERS = ",;\t|"
_CHUNK = 1 << 16
_SAMPLE_ROWS = 30
_MOST_COLUMNS = 1000


class Problem(NamedTuple):
    """What is wrong with one row, as a person finds it in a spreadsheet: row from 1, the column's name or ""."""

    row: int
    column: str
    message: str
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet shows it, its cells by column name, and what is wrong with its shape.

    Repairs are warnings. With an error among the problems the cells may stand in the wrong columns.
    """

    number: int
    cells: dict[str, str]
    problems: tuple[Problem, ...] = ()

    @property
    def is_readable(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """An opened file: its columns in order, how it is written, and its rows, to be read once."""

    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    rows: Iterator[Row]


def read_csv(stream: BinaryIO) -> CsvTable:
    """Opens a CSV file of unknown encoding (UTF-8, UTF-16 with a mark, else Windows-1252) and delimiter.

    Only the header is read at once; the rows come as they are asked for, in constant memory. Empty rows are left out
    but counted. The apostrophe of our own exports is taken off again.

    Args:
        stream: seekable; the caller closes it, after the last row.

    Raises:
        Unreadable: when it is empty or no CSV, or its header has blank or repeated names.
    """
    encoding = _encoding(stream)
    delimiter = _delimiter(stream, encoding)
    records = _records(stream, encoding, delimiter)
    columns = _columns(records, delimiter)
    return CsvTable(columns, encoding, delimiter, _rows(records, columns, delimiter))


class _Record(NamedTuple):
    """The cells of one row as the csv module gives them, or why it could not."""

    number: int
    cells: list[str]
    fault: str = ""


def _encoding(stream: BinaryIO) -> str:
    """Reads the whole stream once, in pieces, so that a late byte decides as well as an early one."""
    stream.seek(0)
    head = stream.read(_CHUNK)
    if not head.strip():
        raise Unreadable("The file is empty. It should start with a row of column names.")
    if head.startswith(_SPREADSHEETS):
        raise Unreadable("The file is a spreadsheet, not CSV. Save it as CSV (UTF-8) and try again.")
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    return "utf-8" if _is_utf_8(stream) else "cp1252"


def _is_utf_8(stream: BinaryIO) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := stream.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    stream.seek(0)
    reader = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    try:
        for line in reader:  # noqa: UP028 - "yield from" closes the stream of the caller with this generator
            yield line
    finally:
        with suppress(ValueError):  # the caller may have closed the stream already
            reader.detach()


def _delimiter(stream: BinaryIO, encoding: str) -> str:
    """The delimiter Excel names in a first line ``sep=;``, else the one that cuts the first rows most evenly."""
    lines = [line for _, line in zip(range(_SAMPLE_ROWS), _lines(stream, encoding), strict=False)]
    if _names_delimiter(lines[0]):
        return lines[0].strip()[4]
    return max(_DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _names_delimiter(line: str) -> bool:
    return len(line.strip("\r\n")) == 5 and line.startswith("sep=")


def _evenness(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    """How many rows have as many cells as the header, and how many that is; one single column is no sign."""
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return (0.0, 0)
    if not widths or widths[0] == 1:
        return (0.0, 0)
    return (widths.count(widths[0]) / len(widths), widths[0])


def _records(stream: BinaryIO, encoding: str, delimiter: str) -> Iterator[_Record]:
    reader = csv.reader(_lines(stream, encoding), delimiter=delimiter, strict=True)
    for number in range(1, 1 << 62):
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(number, [], _fault(str(error)))
            if "unexpected end" in str(error) or "field larger" in str(error):
                return  # the rest of the file went into this cell
        else:
            if number > 1 or not _names_delimiter(delimiter.join(cells)):
                yield _Record(number, cells)


def _fault(error: str) -> str:
    if "expected after" in error:
        return 'A quote stands inside a quoted cell. It should be written twice: "".'
    return "A quoted cell is never closed, or is larger than 128 kB. The rows from here on cannot be read."


def _columns(records: Iterator[_Record], delimiter: str) -> tuple[str, ...]:
    header = next((record for record in records if record.fault or any(record.cells)), None)
    if header is None or header.fault:
        raise Unreadable(f"The header cannot be read. {header.fault if header else 'The file has no rows.'}")
    names = [clean(cell) for cell in _unwrapped(header.cells, delimiter)]
    while names and not names[-1]:
        names.pop()
    if len(names) > _MOST_COLUMNS:
        raise Unreadable(f"The header has {len(names)} columns. It should have at most {_MOST_COLUMNS}.")
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name:
            raise Unreadable(f"Row {header.number}: column {position} has no name. Give it one or delete the column.")
        if name.casefold() in seen:
            raise Unreadable(f"Row {header.number}: two columns are called {quoted(name)}. Rename or delete one.")
        seen.add(name.casefold())
    return tuple(names)


def _unwrapped(cells: list[str], delimiter: str) -> list[str]:
    """The cells of a row that was put into quotes as a whole and so arrived as one cell."""
    if len(cells) != 1 or delimiter not in cells[0]:
        return cells
    try:
        return next(csv.reader([cells[0]], delimiter=delimiter, strict=True))
    except csv.Error:
        return cells


def _rows(records: Iterator[_Record], columns: tuple[str, ...], delimiter: str) -> Iterator[Row]:
    for record in records:
        if record.fault:
            yield Row(record.number, {}, (Problem(record.number, "", record.fault),))
        elif any(cell.strip() for cell in record.cells):
            yield _row(record, columns, delimiter)


def _row(record: _Record, columns: tuple[str, ...], delimiter: str) -> Row:
    cells, problems = record.cells, []
    if len(columns) > 1 and len(_unwrapped(cells, delimiter)) == len(columns):
        cells = _unwrapped(cells, delimiter)
        if cells is not record.cells:
            repaired = "The whole row was in one pair of quotes; it was read without them."
            problems.append(Problem(record.number, "", repaired, is_error=False))
    problems += _misfits(record.number, cells, columns)
    problems += _unstorable(record.number, cells, columns)
    values = (clean_lines(without_csv_guard(cell)) for cell in cells)
    return Row(record.number, dict(zip(columns, values, strict=False)), tuple(problems))


def _misfits(number: int, cells: Sequence[str], columns: Sequence[str]) -> Iterator[Problem]:
    """A row too short, named by its first missing column, or with something beyond the last column."""
    if len(cells) < len(columns):
        message = f"The row has {len(cells)} of {len(columns)} cells; this one and those after it are missing."
        yield Problem(number, columns[len(cells)], message)
    for position, cell in enumerate(cells[len(columns) :], start=len(columns) + 1):
        if cell.strip():
            message = (
                f"Cell {position} ({quoted(cell)}) stands beyond the last of {len(columns)} columns. Is a text with a"
            )
            yield Problem(number, "", f"{message} delimiter missing its quotes?")
            return


def _unstorable(number: int, cells: Sequence[str], columns: Sequence[str]) -> Iterator[Problem]:
    """The cells with something that no text has: cleaned in silence, they would be other than what was meant."""
    for column, cell in zip(columns, cells, strict=False):
        if wrong := unstorable(cell):
            yield Problem(number, column, wrong)
