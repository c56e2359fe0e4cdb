"""Triggers, which keep in the database itself what must hold whoever writes (docs/adr/0002)."""

from collections.abc import Callable, Iterator

from django.db import connections

Statements = Callable[[], Iterator[str]]


def set_up(using: str, table: str, *, postgresql: Statements, sqlite: Statements, column: str = "") -> None:
    """Run on a database what its kind needs; after every migration, so it must be safe to repeat.

    Nothing is done before ``table`` is there, with ``column`` where one is named: only another app, or a part of this
    one, was migrated so far. Databases of other kinds have no triggers.
    """
    connection = connections[using]
    statements = {"postgresql": postgresql, "sqlite": sqlite}.get(connection.vendor)
    known = connection.introspection
    with connection.cursor() as cursor:
        if statements is None or table not in known.table_names(cursor):
            return
        if column and all(there.name != column for there in known.get_table_description(cursor, table)):
            return
        for statement in statements():
            cursor.execute(statement)
