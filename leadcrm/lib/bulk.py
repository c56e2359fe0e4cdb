"""Conditional updates of many rows, each with values of its own, in one statement."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models


def update_each(
    model: type[models.Model],
    rows: Sequence[Mapping[str, Any]],
    *,
    match: Sequence[str],
    add: Sequence[str] = (),
    keep: Sequence[str] = (),
    also: str = "",
    where: str = "",
) -> set[Any]:
    """Update rows with values of their own.

    Args:
        rows: for each row the values by attribute name (``owner_id``), all with the same names.
        match: the names that find the row; the others are set. The row is left alone when one of them differs.
        add: names whose value is added to the column.
        keep: names whose column stays as it is where the value is None.
        also: further assignments as SQL, such as ``version = t.version + 1``; no values from outside.
        where: a further condition as SQL over the table ``t``.

    Returns:
        The primary keys of the rows that were changed.
    """
    if not rows:
        return set()
    fields = {name: _field(model, name) for name in rows[0]}
    values = {name: f'v."{name}"' for name in fields}
    for name in add:
        values[name] = f't."{fields[name].column}" + {values[name]}'
    for name in keep:
        values[name] = f'COALESCE({values[name]}, t."{fields[name].column}")'
    sets = [f'"{fields[name].column}" = {values[name]}' for name in fields if name not in match]
    conditions = [f't."{fields[name].column}" = {values[name]}' for name in match]
    statement = (
        f'UPDATE "{model._meta.db_table}" AS t SET {", ".join([*sets, *filter(None, [also])])} '  # noqa: S608
        f"FROM {_table_of(fields)} AS v{_columns_of(fields)} "
        f"WHERE {' AND '.join([*conditions, *filter(None, [where])])} "
        f'RETURNING {_target()}"{model._meta.pk.column}"'
    )
    # One parameter for all values: thousands of them would take longer to put into the statement than to write.
    database = connections[DEFAULT_DB_ALIAS]  # the proxy looks the connection up at every use
    prepared = [{name: fields[name].get_db_prep_save(row[name], database) for name in fields} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(prepared, default=str)])
        return {pk for (pk,) in cursor.fetchall()}


def _target() -> str:
    """How RETURNING names the table that is updated: SQLite knows no other there, and not its alias."""
    return "t." if connection.vendor == "postgresql" else ""


def _table_of(fields: "Mapping[str, models.Field[Any, Any]]") -> str:
    """The rows as a table, from a parameter that is a JSON list of objects."""
    if connection.vendor == "postgresql":
        return "json_to_recordset(%s)"
    columns = ", ".join(f"json_extract(value, '$.{name}') AS \"{name}\"" for name in fields)
    return f"(SELECT {columns} FROM json_each(%s))"  # noqa: S608 - names of fields, nothing from outside


def _columns_of(fields: "Mapping[str, models.Field[Any, Any]]") -> str:
    if connection.vendor != "postgresql":
        return ""
    return "(" + ", ".join(f'"{name}" {field.db_type(connection)}' for name, field in fields.items()) + ")"


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    found = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
    if not isinstance(found, models.Field):
        raise TypeError(f"{name} is not a column")
    return found


def insert_many(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model; the quickest way the database has. Primary keys are not filled in."""
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    database = connections[DEFAULT_DB_ALIAS]
    # COPY takes texts as they are; a multi-row INSERT would quote every one of them twice.
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(field.pre_save(row, True), database) for field in fields])
