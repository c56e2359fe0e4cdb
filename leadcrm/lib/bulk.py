"""Writes rows, one or thousands, in one statement each: the values travel as JSON, which the database reads as a table.

Quoting thousands of values into a statement would take longer than writing them. On PostgreSQL what all rows have in
common travels once, and ready texts of one line travel as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from leadcrm.lib.jsontext import dumps
from leadcrm.lib.statements import is_postgresql, repeated

Rows = Sequence[Mapping[str, Any]]
Names = tuple[str, ...]
_EXTRA_TYPE: Final = "integer"
# What is equal as JSON when it is equal in one column.
_PLAIN: Final = (str, int, datetime, type(None))


class Change(NamedTuple):
    """A statement with its values, not run yet. It answers with a column of the rows that it wrote, usually the primary
    key."""

    sql: str
    values: tuple[str, ...]


class _Shape(NamedTuple):
    """How rows travel: the names that each has a value of its own for, those that are lines of text, and those whose
    value all rows share. A ``single`` row travels alone, so that the database does not plan for a hundred: it would
    read a whole table of some thousand rows to find one."""

    own: Names
    lines: Names
    shared: Names
    single: bool = False

    def place(self, name: str) -> str:
        """Where the statement finds a value."""
        return f's."{name}"' if name in self.shared else f'v."{name}"'


_NOTHING: Final = Change("", ())


def write(*changes: Change) -> list[list[Any]]:
    """Make changes that do not depend on each other, at once where the database allows it.

    Returns:
        For each change its answer for the rows that it wrote; for inserted ones in the order of the rows.
    """
    asked = [change for change in changes if change.sql]
    together = is_postgresql() and len(asked) > 1
    answers = iter(_run_together(asked) if together else [_run(change) for change in asked])
    return [next(answers) if change.sql else [] for change in changes]


def insertion(model: type[models.Model], rows: Rows) -> Change:
    """New rows, each with the same values by attribute name (``owner_id``). What is not named is null. A value in
    bytes is a text without line breaks, encoded."""
    if not rows:
        return _NOTHING
    shape = _shape(rows)
    return Change(_insert_sql(model, tuple(rows[0]), shape), _values(model, rows, shape))


def counting(model: type[models.Model], rows: Rows, *, match: Sequence[str], count: str) -> Change:
    """New rows; of one that is there, by the unique ``match``, the ``count`` grows. Answers with the counts."""
    if not rows:
        return _NOTHING
    shape = _shape(rows, apart=(*match, count))
    return Change(_count_sql(model, tuple(rows[0]), shape, tuple(match), count), _values(model, rows, shape))


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
    shape = _shape(rows, apart=(*match, *given))
    options = (tuple(match), tuple(add), tuple(keep), tuple(given), also, where)
    found_by = (str(rows[0][match[0]]),) if shape.single else ()
    return Change(_update_sql(model, tuple(rows[0]), shape, *options), (*_values(model, rows, shape), *found_by))


def insert_many(model: type[models.Model], rows: Rows) -> list[Any]:
    """Make an :func:`insertion`. Returns the new primary keys in the order of the rows."""
    return write(insertion(model, rows))[0]


def update_each(model: type[models.Model], rows: Rows, **shape: Any) -> set[Any]:
    """Make an :func:`update`. Returns the primary keys of the rows that were changed."""
    return set(write(update(model, rows, **shape))[0])


def _run(change: Change) -> list[Any]:
    with repeated() as cursor:
        cursor.execute(change.sql, change.values)
        return [pk for (pk,) in cursor.fetchall()]


def _run_together(changes: Sequence[Change]) -> list[list[Any]]:
    parts = ", ".join(f"c{place} AS ({change.sql})" for place, change in enumerate(changes))
    answers = ", ".join(f"ARRAY(TABLE c{place})" for place in range(len(changes)))
    with repeated() as cursor:
        cursor.execute(f"WITH {parts} SELECT {answers}", [value for change in changes for value in change.values])
        return list(cursor.fetchone())


# --- Values ------------------------------------------------------------------------------------------


def _shape(rows: Rows, apart: Sequence[str] = ()) -> _Shape:
    """How rows travel to the database. The first name, and those ``apart``, never as shared values."""
    first, *others = rows
    names = tuple(first)
    if not is_postgresql():
        return _Shape(names, (), ())
    if not others:
        return _Shape(names, (), (), single=True)
    lines = tuple(name for name in names if isinstance(first[name], bytes))
    candidates = [name for name in names[1:] if name not in apart and isinstance(first[name], _PLAIN)]
    shared = tuple(name for name in candidates if all(row[name] == first[name] for row in others))
    return _Shape(tuple(name for name in names if name not in lines and name not in shared), lines, shared)


def _values(model: type[models.Model], rows: Rows, shape: _Shape) -> tuple[str, ...]:
    """What the parameters of a statement are given, in their order."""
    if not is_postgresql():
        return (dumps(list(_adapted(model, rows))).decode(),)
    if shape.single:
        return (dumps({name: _decoded(value) for name, value in rows[0].items()}).decode(),)
    own = dumps([{name: row[name] for name in shape.own} for row in rows])
    lines = [b"\n".join(row[name] for row in rows) for name in shape.lines]
    shared = [dumps({name: rows[0][name] for name in shape.shared})] if shape.shared else []
    return tuple(text.decode() for text in (own, *lines, *shared))


def _decoded(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _adapted(model: type[models.Model], rows: Rows) -> Iterable[dict[str, Any]]:
    """Rows as SQLite stores their values. Objects and lists stay as they are: taken out of the document they are JSON.
    Other JSON would lose its quotes, and true would be 1."""
    database = connections[DEFAULT_DB_ALIAS]
    fields = _fields(model, rows[0])

    def adapted(name: str, value: Any) -> Any:
        field = fields.get(name)
        if field is None:
            return value
        if not isinstance(field, models.JSONField):
            return field.get_db_prep_save(_decoded(value), database)
        return dumps(value).decode() if isinstance(value, str | bool | int | float) else _decoded(value)

    for row in rows:
        yield {name: adapted(name, value) for name, value in row.items()}


# --- Statements --------------------------------------------------------------------------------------


@cache
def _insert_sql(model: type[models.Model], names: Names, shape: _Shape) -> str:
    return f'{_insert_all_sql(model, names, shape)} RETURNING "{model._meta.pk.column}"'


@cache
def _count_sql(model: type[models.Model], names: Names, shape: _Shape, match: Names, count: str) -> str:
    unique = ", ".join(f'"{name}"' for name in match)
    # Without WHERE, SQLite would take ON for the condition of a join.
    return (
        f"{_insert_all_sql(model, names, shape)} WHERE true ON CONFLICT ({unique}) "
        f'DO UPDATE SET "{count}" = "{model._meta.db_table}"."{count}" + excluded."{count}" RETURNING "{count}"'
    )


def _insert_all_sql(model: type[models.Model], names: Names, shape: _Shape) -> str:
    fields = _fields(model, names)
    columns = ", ".join(f'"{field.column}"' for field in fields.values())
    values = ", ".join(map(shape.place, names))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values} FROM {_source(fields, shape)}'  # noqa: S608


@cache
def _update_sql(
    model: type[models.Model],
    names: Names,
    shape: _Shape,
    match: Names,
    add: Names,
    keep: Names,
    given: Names,
    also: str,
    where: str,
) -> str:
    fields = _fields(model, [name for name in names if name not in given])
    values = {name: shape.place(name) for name in fields}
    values |= {name: f't."{fields[name].column}" + {values[name]}' for name in add}
    values |= {name: f'COALESCE({values[name]}, t."{fields[name].column}")' for name in keep}
    sets = [f'"{fields[name].column}" = {values[name]}' for name in fields if name not in match]
    conditions = [f't."{fields[name].column}" = {values[name]}' for name in match]
    # In a table that grew since the plan was made, the index of this one is the right one still.
    found = f't."{fields[match[0]].column}" = %s::{fields[match[0]].db_type(connection)}' if shape.single else ""
    # SQLite knows no other table in RETURNING, and not its alias.
    target = "t." if is_postgresql() else ""
    return (
        f'UPDATE "{model._meta.db_table}" AS t SET {", ".join([*sets, *filter(None, [also])])} '  # noqa: S608
        f"FROM {_source(fields, shape)} "
        f"WHERE {' AND '.join([*conditions, *filter(None, [where, found])])} "
        f'RETURNING {target}"{model._meta.pk.column}"'
    )


def _source(fields: "Mapping[str, models.Field[Any, Any]]", shape: _Shape) -> str:
    """The rows as a table ``v``, from a parameter that is a JSON list of objects, and from one for each column of
    lines; what they share as a row ``s``, from a last one that is an object."""
    if not is_postgresql():
        taken = ", ".join(f"json_extract(value, '$.{name}') AS \"{name}\"" for name in shape.own)
        return f"(SELECT {taken} FROM json_each(%s)) AS v"  # noqa: S608 - names of fields, nothing from outside
    if shape.single:
        return f"json_to_record(%s) AS v({_columns(fields, shape.own)})"
    rows = [f"json_to_recordset(%s) AS ({_columns(fields, shape.own)})"]
    rows += ["string_to_table(%s, E'\\n')"] * len(shape.lines)
    names = ", ".join(f'"{name}"' for name in (*shape.own, *shape.lines))
    shared = f", json_to_record(%s) AS s({_columns(fields, shape.shared)})" if shape.shared else ""
    return f"ROWS FROM ({', '.join(rows)}) AS v({names}){shared}"


def _columns(fields: "Mapping[str, models.Field[Any, Any]]", names: Names) -> str:
    """Columns with their types; a name that is no column is a whole number."""
    types = {name: fields[name].db_type(connection) if name in fields else _EXTRA_TYPE for name in names}
    return ", ".join(f'"{name}" {type}' for name, type in types.items())


@cache
def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any] | None":
    return next((field for field in model._meta.concrete_fields if field.attname == name), None)


def _fields(model: type[models.Model], names: Iterable[str]) -> "dict[str, models.Field[Any, Any]]":
    """Columns by attribute name. A name that is no column is left out."""
    found = {name: _field(model, name) for name in names}
    return {name: field for name, field in found.items() if field is not None}
