"""Keeps the lines that leads and accounts are found by, in the database itself.

Triggers write a line with each new or renamed lead and account, whoever writes it. They are set up after every
migration, because SQLite loses them when a migration rebuilds a table (docs/adr/0002); lines that are missing then, of
rows older than the triggers, are added.
"""

from collections.abc import Iterator
from typing import Any, Final

from leadcrm.lib.triggers import set_up
from pipeline.models import Account, Lead, SearchText

# Each table, the column of its id, and the columns its line is made of, with how they are written.
_SOURCES: Final = (
    (
        Lead._meta.db_table,
        "lead_id",
        {"first_name": "{}", "last_name": "{}", "company": "{}", "email": "{}", "phone": "ltrim({}, '+')"},
    ),
    (Account._meta.db_table, "account_id", {"name": "{}", "domain": "{}"}),
)
_LINES: Final = SearchText._meta.db_table
_WRITE: Final = """
INSERT INTO {lines} ({key}, text) VALUES (NEW.id, {text})
ON CONFLICT ({key}) DO UPDATE SET text = EXCLUDED.text
"""
_POSTGRES: Final = """
CREATE OR REPLACE FUNCTION {table}_searchable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {write}; RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER searchable AFTER INSERT OR UPDATE OF {columns} ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_searchable()
"""
_SQLITE: Final = """
CREATE TRIGGER IF NOT EXISTS {table}_searchable_{event} AFTER {when} ON {table} BEGIN {write}; END
"""
_MISSING: Final = """
INSERT INTO {lines} ({key}, text) SELECT id, {text} FROM {table}
WHERE NOT EXISTS (SELECT 1 FROM {lines} WHERE {lines}.{key} = {table}.id)
"""


def install(using: str, **_: Any) -> None:
    """Set up the triggers on this database and add the lines that are missing. Safe to repeat."""
    set_up(using, _LINES, postgresql=_postgres, sqlite=_sqlite)


def _postgres() -> Iterator[str]:
    for table, key, parts in _SOURCES:
        write = _WRITE.format(lines=_LINES, key=key, text=_postgres_line(parts, "NEW"))
        yield _POSTGRES.format(table=table, columns=", ".join(parts), write=write)
        yield _MISSING.format(lines=_LINES, key=key, table=table, text=_postgres_line(parts, table))


def _postgres_line(parts: dict[str, str], row: str) -> str:
    return f"lower(unaccent(concat_ws(' ', {', '.join(_parts(parts, row))})))"


def _sqlite() -> Iterator[str]:
    for table, key, parts in _SOURCES:
        write = _WRITE.format(lines=_LINES, key=key, text=_sqlite_line(parts, "NEW"))
        for event, when in (("insert", "INSERT"), ("update", f"UPDATE OF {', '.join(parts)}")):
            yield _SQLITE.format(table=table, event=event, when=when, write=write)
        yield _MISSING.format(lines=_LINES, key=key, table=table, text=_sqlite_line(parts, table))


def _sqlite_line(parts: dict[str, str], row: str) -> str:
    # SQLite knows no accents, and capitals only of ASCII: the search asks for both spellings there.
    return "lower(" + " || ' ' || ".join(_parts(parts, row)) + ")"


def _parts(parts: dict[str, str], row: str) -> Iterator[str]:
    return (form.format(f"{row}.{column}") for column, form in parts.items())
