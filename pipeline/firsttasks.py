"""Keeps on each lead until when its first open task is to be done, in the database itself.

Triggers on the tasks write it, whoever changes a task. They are set up after every migration, because SQLite loses them
when a migration rebuilds a table (docs/adr/0002); leads whose tasks are older than the triggers are put right then. On
SQLite they are taken away before migrations: a table cannot be rebuilt there while a trigger writes into it.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connections

from leadcrm.lib.triggers import set_up
from pipeline.models import Lead, Task

_LEADS: Final = Lead._meta.db_table
_TASKS: Final = Task._meta.db_table
_COLUMN: Final = "next_task_at"
_FIRST: Final = f"(SELECT min(due_at) FROM {_TASKS} WHERE lead_id = {_LEADS}.id AND ended_at IS NULL)"  # noqa: S608
_PUT_RIGHT: Final = f"UPDATE {_LEADS} SET {_COLUMN} = {_FIRST} WHERE {_COLUMN} {{differs}} {_FIRST}"  # noqa: S608
_CHANGES: Final = "lead_id, due_at, ended_at"
# Locked first, and in a statement of its own: who waits here for another who adds a task sees that task then.
_POSTGRES: Final = f"""
CREATE OR REPLACE FUNCTION {_TASKS}_first() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[] := ARRAY[OLD.lead_id, NEW.lead_id];
BEGIN
    PERFORM 1 FROM {_LEADS} WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;
    {_PUT_RIGHT.format(differs="IS DISTINCT FROM")} AND id = ANY(touched);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER first_task AFTER INSERT OR DELETE OR UPDATE OF {_CHANGES} ON {_TASKS}
FOR EACH ROW EXECUTE FUNCTION {_TASKS}_first()
"""
_SQLITE: Final = f"""
CREATE TRIGGER IF NOT EXISTS {_TASKS}_first_{{event}} AFTER {{when}} ON {_TASKS}
BEGIN {_PUT_RIGHT.format(differs="IS NOT")} AND id IN ({{touched}}); END
"""
# On SQLite each event has a trigger of its own: when, and of which rows.
_EVENTS: Final = {
    "insert": ("INSERT", "NEW.lead_id"),
    "update": (f"UPDATE OF {_CHANGES}", "OLD.lead_id, NEW.lead_id"),
    "delete": ("DELETE", "OLD.lead_id"),
}


def install(using: str, **_: Any) -> None:
    """Set up the triggers on this database, and put right the leads that are not. Safe to repeat."""
    set_up(using, _LEADS, postgresql=_postgres, sqlite=_sqlite, column=_COLUMN)


def make_way(using: str, **_: Any) -> None:
    """Before migrations: take the triggers away where they would stand in their way."""
    if connections[using].vendor == "sqlite":
        with connections[using].cursor() as cursor:
            for event in _EVENTS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {_TASKS}_first_{event}")


def _postgres() -> Iterator[str]:
    yield _POSTGRES
    yield _PUT_RIGHT.format(differs="IS DISTINCT FROM")


def _sqlite() -> Iterator[str]:
    for event, (when, touched) in _EVENTS.items():
        yield _SQLITE.format(event=event, when=when, touched=touched)
    yield _PUT_RIGHT.format(differs="IS NOT")
