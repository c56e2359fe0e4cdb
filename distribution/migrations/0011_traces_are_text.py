"""Traces become text. There are millions of them in a large installation, and one ALTER TABLE would rewrite them all while
nobody can route a lead: so on PostgreSQL a new column is filled in parts, each locking its own rows only, and takes the
place of the old one in a moment. May be broken off and run again."""

from typing import Any

from django.db import connection, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

import leadcrm.lib.fields

ROWS_AT_ONCE = 2000
_TABLE = "distribution_decisiontrace"


def _run(sql: str, *values: object, type: str = "") -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(t=_TABLE, type=type), values)
        return cursor.fetchall() if cursor.description else []


def retype(type: str) -> None:
    """Give the column another type."""
    if _type_of_data() != type:
        _run("ALTER TABLE {t} ADD COLUMN IF NOT EXISTS anew {type}", type=type)
        last: int | None = 0
        while last is not None:
            last = fill_part(type, last)
        _swap(type)
    _forbid_null()


def _type_of_data() -> str:
    asked = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = '{t}'::regclass AND attname = 'data'"
    return str(_run(asked)[0][0])


def fill_part(type: str, after: int) -> int | None:
    """The next rows by key; returns the last one, None when there was none."""
    sql = (
        "WITH part AS (SELECT decision_id FROM {t} WHERE decision_id > %s ORDER BY decision_id LIMIT %s), "
        "filled AS (UPDATE {t} SET anew = data::{type} WHERE decision_id IN (TABLE part) RETURNING decision_id) "
        "SELECT max(decision_id) FROM filled"
    )
    return _run(sql, after, ROWS_AT_ONCE, type=type)[0][0]


def _swap(type: str) -> None:
    """What was written meanwhile is found by an index of just that, so the table is locked for a moment only."""
    _run("DROP INDEX IF EXISTS trace_to_fill")
    _run("CREATE INDEX CONCURRENTLY trace_to_fill ON {t} (decision_id) WHERE anew IS NULL")
    with transaction.atomic():
        _run("LOCK TABLE {t} IN ACCESS EXCLUSIVE MODE")
        _run("UPDATE {t} SET anew = data::{type} WHERE anew IS NULL", type=type)
        _run("ALTER TABLE {t} DROP COLUMN data")
        _run("ALTER TABLE {t} RENAME COLUMN anew TO data")
        _run("DROP INDEX trace_to_fill")


def _forbid_null() -> None:
    """PostgreSQL believes a constraint that was checked, which locks nobody out, instead of reading the table again."""
    _run("ALTER TABLE {t} DROP CONSTRAINT IF EXISTS trace_has_data")
    _run("ALTER TABLE {t} ADD CONSTRAINT trace_has_data CHECK (data IS NOT NULL) NOT VALID")
    _run("ALTER TABLE {t} VALIDATE CONSTRAINT trace_has_data")
    with transaction.atomic():
        _run("ALTER TABLE {t} ALTER COLUMN data SET NOT NULL")
        _run("ALTER TABLE {t} DROP CONSTRAINT trace_has_data")


class RetypeData(migrations.AlterField):
    """On SQLite, which one process writes at a time anyway, the plain operation in a transaction of its own."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            retype("text")
        else:
            with transaction.atomic():
                super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            retype("jsonb")
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("distribution", "0010_count_leads_that_no_rule_is_for"),
    ]

    operations = [
        RetypeData(
            model_name="decisiontrace",
            name="data",
            field=leadcrm.lib.fields.JSONTextField(),
        ),
    ]
