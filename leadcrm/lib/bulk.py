"""Conditional updates of many rows, each with values of its own, in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models


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
    names = list(rows[0])
    fields = {name: _field(model, name) for name in names}
    values = {name: f"CAST(v.column{i} AS {_type(fields[name])})" for i, name in enumerate(names, 1)}
    for name in add:
        values[name] = f't."{fields[name].column}" + {values[name]}'
    for name in keep:
        values[name] = f'COALESCE({values[name]}, t."{fields[name].column}")'
    sets = [f'"{fields[name].column}" = {values[name]}' for name in names if name not in match]
    conditions = [f't."{fields[name].column}" = {values[name]}' for name in match]
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(rows))
    statement = (
        f'UPDATE "{model._meta.db_table}" AS t SET {", ".join([*sets, *filter(None, [also])])} '  # noqa: S608
        f"FROM (VALUES {places}) AS v WHERE {' AND '.join([*conditions, *filter(None, [where])])} "
        f'RETURNING "{model._meta.pk.column}"'
    )
    prepared = [fields[name].get_db_prep_save(row[name], connection) for row in rows for name in names]
    with connection.cursor() as cursor:
        cursor.execute(statement, prepared)
        return {pk for (pk,) in cursor.fetchall()}


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    found = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
    if not isinstance(found, models.Field):
        raise TypeError(f"{name} is not a column")
    return found


def _type(field: "models.Field[Any, Any]") -> str:
    """What to cast a value to. SQLite keeps dates as texts, which a cast to its date types would destroy."""
    kind = field.cast_db_type(connection) or "text"
    return kind if connection.vendor == "postgresql" else {"bigint": "integer", "integer": "integer"}.get(kind, "text")


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
    # COPY takes texts as they are; a multi-row INSERT would quote every one of them twice.
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields])
