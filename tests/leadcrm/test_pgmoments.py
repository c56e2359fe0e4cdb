"""Moments that PostgreSQL answers with, read as Django reads them."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection

pytestmark = pytest.mark.django_db


def asked(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}::timestamptz")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26 09:30:00+00", datetime(2026, 11, 26, 9, 30, tzinfo=UTC)),
        ("2026-11-26 09:30:00.25+02", datetime(2026, 11, 26, 7, 30, 0, 250_000, tzinfo=UTC)),
        ("0001-01-01 00:00:00.000001+00", datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(text, moment):
    read = asked(f"'{text}'")
    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_what_python_cannot_hold_is_an_error_of_the_database(text):
    with pytest.raises(DataError):
        asked(f"'{text}'")


def test_the_quick_reader_is_in_use():
    connection.ensure_connection()
    loader = connection.connection.adapters.get_loader(connection.connection.adapters.types["timestamptz"].oid, 0)
    assert loader.__name__ == "MomentLoader"
