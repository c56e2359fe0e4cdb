import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.csvfile import CsvTable, Problem, read_csv
from leadcrm.lib.text import Unreadable, clean_lines, csv_safe


def table(content: str | bytes) -> CsvTable:
    return read_csv(io.BytesIO(content.encode() if isinstance(content, str) else content))


def cells(content: str | bytes) -> list[dict[str, str]]:
    return [row.cells for row in table(content).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_usual_way_of_writing_csv_is_read(encoding, delimiter, line_end):
    lines = ['name,city,"note"', "Jörg,Zürich,a", 'Ana,"Genève, VD",b'] if delimiter == "," else [
        delimiter.join(("name", "city", '"note"')), delimiter.join(("Jörg", "Zürich", "a")),
        delimiter.join(("Ana", "Genève, VD", "b")),
    ]  # fmt: skip
    assert cells(line_end.join(lines).encode(encoding)) == [
        {"name": "Jörg", "city": "Zürich", "note": "a"},
        {"name": "Ana", "city": "Genève, VD", "note": "b"},
    ]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    content = 'name,note\nAnna,"two\nlines"\n\n,\nBert,x\n'
    assert [(row.number, row.cells["name"]) for row in table(content).rows] == [(2, "Anna"), (5, "Bert")]


def test_a_late_byte_that_is_no_utf_8_makes_the_file_windows_1252():
    content = b"name\n" + b"Anna\n" * 50_000 + "Jörg\n".encode("cp1252")
    assert table(content).encoding == "cp1252"
    assert cells(content)[-1] == {"name": "Jörg"}


def test_a_row_wrapped_in_quotes_as_a_whole_is_repaired_with_a_warning():
    rows = list(table('id,city,field\n1,Mumbai,Sales\n"2,Mumbai,""Banking, Investment"""\n').rows)
    assert rows[1].cells == {"id": "2", "city": "Mumbai", "field": "Banking, Investment"}
    assert rows[1].is_readable
    assert [(problem.row, problem.is_error) for problem in rows[1].problems] == [(3, False)]
    assert not rows[0].problems


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("1,2", "c", "2 of 3"),
        ("1,2,3,4", "", "beyond"),
        ('1,"a"b,3', "", "twice"),
        ('1,"open,3', "", "never closed"),
    ],
)
def test_a_row_of_another_shape_is_an_error_with_row_and_column(line, column, message):
    rows = list(table(f"a,b,c\n1,2,3\n{line}\n").rows)
    assert [row.is_readable for row in rows] == [True, False]
    (problem,) = rows[1].problems
    assert (problem.row, problem.column) == (3, column)
    assert message in problem.message


def test_rows_after_a_misplaced_quote_are_still_read():
    rows = list(table('a,b\n"x"y,1\n2,3\n').rows)
    assert [row.cells for row in rows if row.is_readable] == [{"a": "2", "b": "3"}]


def test_a_quote_that_is_never_closed_stops_at_a_bound_and_not_at_the_end_of_memory():
    rows = list(table('a,b\n1,"' + "x,y\n" * 200_000).rows)
    assert [row.is_readable for row in rows] == [False]


def test_empty_cells_beyond_the_last_column_do_no_harm():
    assert cells("a,b,,\n1,2,,\n") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"), (b"  \n", "empty"), (b"\xef\xbb\xbf\n", "no rows"), (b"PK\x03\x04rest", "spreadsheet"),
        (b"a,,c\n1,2,3\n", "column 2 has no name"), (b"Name,name\n1,2\n", "two columns"),
        (b'"a,b\n1,2\n', "never closed"),
        (",".join(f"c{i}" for i in range(1001)).encode(), "at most 1000"),
    ],
)  # fmt: skip
def test_a_file_without_a_usable_header_is_refused(content, message):
    with pytest.raises(Unreadable, match=message):
        table(content)


def test_the_delimiter_that_excel_names_is_believed():
    assert cells("sep=;\na,b;c\n1,5;2\n") == [{"a,b": "1,5", "c": "2"}]


def test_control_characters_vanish_and_line_breaks_stay():
    assert cells('a,b\nx\x01y\x07,"1\n2"\n') == [{"a": "xy", "b": "1\n2"}]


def test_a_cell_with_nul_is_told_with_its_row_and_column():
    rows = list(table(b"a,b\n1,2\n3,x\x00y\n").rows)
    wrong = "Contains a character that cannot be stored: NUL."
    assert [row.problems for row in rows] == [(), (Problem(3, "b", wrong),)]


def test_a_large_file_is_read_as_it_is_asked_for():
    stream = io.BytesIO(b"a,b\n" + b"1,2\n" * 1_000_000)
    read = read_csv(stream)
    assert next(read.rows).number == 2
    assert stream.tell() < 1 << 20


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))), max_size=8))
def test_what_is_exported_can_be_imported_again(pairs):
    pairs = [(clean_lines(left), clean_lines(right)) for left, right in pairs]
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("left", "right"))
    writer.writerows((csv_safe(left), csv_safe(right)) for left, right in pairs)
    assert [tuple(row.values()) for row in cells(buffer.getvalue())] == [pair for pair in pairs if any(pair)]


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_clear_refusal(content):
    try:
        rows = list(table(content).rows)
    except Unreadable as refusal:
        assert str(refusal).endswith((".", '".'))  # noqa: PT017
    else:
        assert all(row.problems or row.cells for row in rows)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [
        ("xeducation/leads.csv", 37, 6468),
        ("maven_crm/accounts.csv", 7, 85),
        ("maven_crm/sales_pipeline.csv", 8, 6160),
        ("b2b_salvirt/b2b_sales.csv", 23, 314),
    ],
)
def test_real_exports_are_read_whole_and_without_a_problem(data_dir: Path, name, columns, count):
    with (data_dir / name).open("rb") as stream:
        read = read_csv(stream)
        rows = list(read.rows)
    assert (len(read.columns), len(rows)) == (columns, count)
    assert not any(row.problems for row in rows)
