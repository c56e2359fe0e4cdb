"""Writes rows, one or thousands, in one statement each: the values travel as JSON, which the database reads as a table.

Quoting thousands of values into a statement would take longer than writing them.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from leadcrm.lib.jsontext import dumps

Rows = Sequence[Mapping[str, Any]]
_EXTRA_TYPE: Final = "integer"


class Change(NamedTuple):
    """A statement with its rows, not run yet. It answers with the primary keys of the rows that it wrote."""

    sql: str
    rows: Rows
    fields: "Mapping[str, models.Field[Any, Any]]"


_NOTHING: Final = Change("", (), {})


def write(*changes: Change) -> list[list[Any]]:
    """Make changes that do not depend on each other, at once where the database allows it.

    Returns:
        For each change the primary keys of the rows that it wrote; inserted ones in the order of the rows.
    """
    asked = [change for change in changes if change.rows]
    together = connection.vendor == "postgresql" and len(asked) > 1
    answers = iter(_run_together(asked) if together else [_run(change) for change in asked])
    return [next(answers) if change.rows else [] for change in changes]


def insertion(model: type[models.Model], rows: Rows) -> Change:
    """New rows, each with the same values by attribute name (``owner_id``). What is not named is null."""
    if not rows:
        return _NOTHING
    names = tuple(rows[0])
    return Change(_insert_sql(connection.vendor, model, names), rows, _fields(model, names))


def update(
    model: type[models.Model],
    rows: Rows,
    *,
    match: Sequence[str],
    add: Sequence[str] = (),
    keep: Sequence[str] = (),
    given: Sequence[str] = (),
    also: str = "",
    where: str = "",
) -> Change:
    """Rows with new values, each its own.

    Args:
        rows: for each row the values by attribute name (``owner_id``), all with the same names.
        match: the names that find the row; the others are set. The row is left alone when one of them differs.
        add: names whose value is added to the column.
        keep: names whose column stays as it is where the value is None.
        given: names of whole numbers that are no columns, for ``where``.
        also: further assignments as SQL, such as ``version = t.version + 1``; no values from outside.
        where: a further condition as SQL over the table ``t`` and the values ``v``.
    """
    if not rows:
        return _NOTHING
    names = tuple(rows[0])
    shape = (tuple(match), tuple(add), tuple(keep), tuple(given), also, where)
    return Change(_update_sql(connection.vendor, model, names, *shape), rows, _fields(model, names))


def insert_many(model: type[models.Model], rows: Rows) -> list[Any]:
    """Make an :func:`insertion`. Returns the new primary keys in the order of the rows."""
    return write(insertion(model, rows))[0]


def update_each(model: type[models.Model], rows: Rows, **shape: Any) -> set[Any]:
    """Make an :func:`update`. Returns the primary keys of the rows that were changed."""
    return set(write(update(model, rows, **shape))[0])


def _run(change: Change) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(change.sql, [_document(change)])
        return [pk for (pk,) in cursor.fetchall()]


def _run_together(changes: Sequence[Change]) -> list[list[Any]]:
    parts = ", ".join(f"c{place} AS ({change.sql})" for place, change in enumerate(changes))
    answers = ", ".join(f"ARRAY(TABLE c{place})" for place in range(len(changes)))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {parts} SELECT {answers}", [_document(change) for change in changes])
        return list(cursor.fetchone())


def _document(change: Change) -> str:
    return dumps(change.rows if connection.vendor == "postgresql" else list(_adapted(change))).decode()


def _adapted(change: Change) -> Iterable[dict[str, Any]]:
    """Rows as SQLite stores their values. JSON stays as it is: taken out of the document it is text."""
    database = connections[DEFAULT_DB_ALIAS]
    plain = {name for name, field in change.fields.items() if not isinstance(field, models.JSONField)}
    for row in change.rows:
        yield {
            name: change.fields[name].get_db_prep_save(value, database) if name in plain else value
            for name, value in row.items()
        }


@cache
def _insert_sql(vendor: str, model: type[models.Model], names: tuple[str, ...]) -> str:
    fields = _fields(model, names)
    columns = ", ".join(f'"{field.column}"' for field in fields.values())
    values = ", ".join(f'v."{name}"' for name in names)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values} FROM {_source(vendor, fields)} '  # noqa: S608
        f'RETURNING "{model._meta.pk.column}"'
    )


@cache
def _update_sql(
    vendor: str,
    model: type[models.Model],
    names: tuple[str, ...],
    match: tuple[str, ...],
    add: tuple[str, ...],
    keep: tuple[str, ...],
    given: tuple[str, ...],
    also: str,
    where: str,
) -> str:
    fields = _fields(model, [name for name in names if name not in given])
    values = {name: f'v."{name}"' for name in fields}
    values |= {name: f't."{fields[name].column}" + {values[name]}' for name in add}
    values |= {name: f'COALESCE({values[name]}, t."{fields[name].column}")' for name in keep}
    sets = [f'"{fields[name].column}" = {values[name]}' for name in fields if name not in match]
    conditions = [f't."{fields[name].column}" = {values[name]}' for name in match]
    # SQLite knows no other table in RETURNING, and not its alias.
    target = "t." if vendor == "postgresql" else ""
    return (
        f'UPDATE "{model._meta.db_table}" AS t SET {", ".join([*sets, *filter(None, [also])])} '  # noqa: S608
        f"FROM {_source(vendor, fields, given)} "
        f"WHERE {' AND '.join([*conditions, *filter(None, [where])])} "
        f'RETURNING {target}"{model._meta.pk.column}"'
    )


def _source(vendor: str, fields: "Mapping[str, models.Field[Any, Any]]", given: Sequence[str] = ()) -> str:
    """The rows as a table ``v``, from a parameter that is a JSON list of objects."""
    if vendor == "postgresql":
        columns = [f'"{name}" {field.db_type(connection)}' for name, field in fields.items()]
        columns += [f'"{name}" {_EXTRA_TYPE}' for name in given]
        return f"json_to_recordset(%s) AS v({', '.join(columns)})"
    taken = ", ".join(f"json_extract(value, '$.{name}') AS \"{name}\"" for name in (*fields, *given))
    return f"(SELECT {taken} FROM json_each(%s)) AS v"  # noqa: S608 - names of fields, nothing from outside


@cache
def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any] | None":
    return next((field for field in model._meta.concrete_fields if field.attname == name), None)


def _fields(model: type[models.Model], names: Iterable[str]) -> "dict[str, models.Field[Any, Any]]":
    """Columns by attribute name. A name that is no column is left out."""
    found = {name: _field(model, name) for name in names}
    return {name: field for name, field in found.items() if field is not None}
