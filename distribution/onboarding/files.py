"""Where the files come from: a directory, or what somebody uploaded."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from distribution.onboarding.mapping import FILE_NAME, OnboardMapping, parse_mapping
from distribution.onboarding.plan import Problem
from distribution.onboarding.sheets import Table
from leadcrm.lib.csvfile import read_csv
from leadcrm.lib.mapping import MappingError
from leadcrm.lib.text import Unreadable

_SUFFIXES: Final = (".csv", ".tsv", ".txt")
MOST_BYTES: Final = 200 * 1024 * 1024
MOST_FILES: Final = 50

Files = dict[str, bytes]


def read_directory(folder: Path) -> Files:
    """The CSV files of a directory, and its mapping, by name.

    Raises:
        MappingError: there is no such directory.
    """
    if not folder.is_dir():
        raise MappingError(f"{folder} is not a directory.")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and _is_ours(path.name))
    return {path.name: path.read_bytes() for path in paths}


def read_uploads(uploads: Iterable[tuple[str, bytes]]) -> Files:
    """Uploaded files by name, those inside a zip included.

    Raises:
        MappingError: a zip that cannot be read, or that holds too much.
    """
    files: Files = {}
    for name, content in uploads:
        if name.lower().endswith(".zip"):
            files |= _unzipped(name, content)
        elif _is_ours(name):
            files[name] = content
        else:
            raise MappingError(f"{name} is not a CSV file. Upload CSV files, a zip of them, or {FILE_NAME}.")
    return files


def mapping_of(files: Files) -> OnboardMapping:
    """The mapping among the files, or the defaults.

    Raises:
        MappingError: it cannot be used.
    """
    try:
        return parse_mapping(files.get(FILE_NAME, b"").decode())
    except UnicodeDecodeError:
        raise MappingError(f"{FILE_NAME} is not UTF-8 text.") from None


def tables_of(files: Files) -> list[Table]:
    """The CSV files as tables.

    Raises:
        MappingError: a file that is no CSV file.
    """
    return [_table(name, io.BytesIO(content)) for name, content in files.items() if name != FILE_NAME]


def _is_ours(name: str) -> bool:
    return name == FILE_NAME or (name.lower().endswith(_SUFFIXES) and not name.startswith("."))


def _unzipped(name: str, content: bytes) -> Files:
    """Only plain names count: nothing is ever written where a zip says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if _is_ours(PurePosixPath(entry.filename).name)]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise MappingError(
                    f"{name} is too large: at most {MOST_FILES} files of {MOST_BYTES >> 20} MB together."
                )
            return {PurePosixPath(entry.filename).name: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        raise MappingError(f"{name} is not a zip file that can be read.") from None


def _table(name: str, stream: BinaryIO) -> Table:
    try:
        read = read_csv(stream)
    except Unreadable as error:
        raise MappingError(f"{name}: {error}") from None
    rows: list[tuple[int, Sequence[str]]] = []
    problems = []
    for row in read.rows:
        problems += [
            Problem(name, found.row, found.column, found.message, "Correct the file", refused=found.is_error)
            for found in row.problems
        ]
        if row.is_readable:
            rows.append((row.number, [row.cells.get(column, "") for column in read.columns]))
    return Table(name, read.columns, rows, problems)
