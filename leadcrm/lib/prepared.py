"""Queries whose SQL is worked out once per process, and planned once per connection.

Building a query set and compiling it costs ten times what the database needs to answer by key. Where one request after
the other asks the same, that is most of its time::

    _STAGE = Prepared(lambda: Stage.objects.filter(pipeline=Param("pipeline")).values("id", "name"))
    _STAGE.rows(pipeline=7)
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from leadcrm.lib.statements import is_postgresql, repeated

Row = TypeVar("Row")
Statement = tuple[str, tuple[Any, ...]]


class Param(Expression):
    """A place in a prepared query that each execution fills. The value is passed as it is: numbers, texts, booleans.
    Its type must follow from where it stands, such as a column that it is compared with."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Statement:
        return "%s", (self,)

    def fill(self, values: Mapping[str, Any]) -> Any:
        """What the database is given for this place."""
        return values[self.name]


class Each(Param):
    """A place for any number of texts or whole numbers, on the right of ``__in``."""

    def __init__(self, name: str, type: type[str] | type[int]) -> None:
        super().__init__(name)
        self.type = "text" if type is str else "bigint"

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> Statement:
        if is_postgresql():
            return f"(SELECT unnest(%s::{self.type}[]))", (self,)
        return "(SELECT value FROM json_each(%s))", (self,)

    def fill(self, values: Mapping[str, Any]) -> Any:
        return list(values[self.name]) if is_postgresql() else json.dumps(list(values[self.name]))


class Prepared(Generic[Row]):
    """A query with places to fill, ready to be run many times.

    Args:
        parts: each makes a query set of model instances, ``values`` or ``values_list``; called once. Several must have
            the same columns and are asked in one statement, each with its own order and limit. A row that two of them
            find comes twice.
    """

    def __init__(self, *parts: Callable[[], QuerySet[Any, Row]]) -> None:
        self._parts = parts
        self._plan: _Plan | None = None

    def rows(self, **values: Any) -> list[Row]:
        """The rows, as the query set gives them, for these values: one for each :class:`Param` by its name."""
        if self._plan is None:
            self._plan = _Plan([part() for part in self._parts])
        return self._plan.rows(values)

    def first(self, **values: Any) -> Row | None:
        """The first of the rows."""
        return next(iter(self.rows(**values)), None)


class _Plan:
    """The SQL of a query, and what Django needs to make its rows from what the database answers."""

    def __init__(self, parts: Sequence[QuerySet[Any, Any]]) -> None:
        compilers = [part.query.get_compiler(connection=connection) for part in parts]
        self._sql, self._params = _with_constants(*_joined([compiler.as_sql() for compiler in compilers]))
        self._compiler, self._query = compilers[0], parts[0].query
        self._iterable: Any = parts[0]._iterable_class
        select: Any = self._compiler.select
        self._converters = self._compiler.get_converters([column for column, *_ in select[: self._compiler.col_count]])

    def rows(self, values: Mapping[str, Any]) -> list[Any]:
        params = [param.fill(values) if isinstance(param, Param) else param for param in self._params]
        with repeated() as cursor:
            cursor.execute(self._sql, params)
            found = cursor.fetchall()
        return list(self._iterable(self._answered(found))) if found else []

    def _answered(self, found: Iterable[Sequence[Any]]) -> Any:
        """A query set, for Django's own iterables, whose query was run. For one thread and one use."""
        if self._converters:
            found = map(tuple, self._compiler.apply_converters(found, self._converters))
        compiler = SimpleNamespace(
            select=self._compiler.select,
            klass_info=self._compiler.klass_info,
            annotation_col_map=self._compiler.annotation_col_map,
            execute_sql=lambda **_: None,
            results_iter=lambda *_, **__: iter(found),
        )
        query = SimpleNamespace(selected=self._query.selected, get_compiler=lambda *_, **__: compiler)
        return SimpleNamespace(query=query, db=DEFAULT_DB_ALIAS, _known_related_objects={})


def _with_constants(sql: str, params: Sequence[Any]) -> Statement:
    """Writes all but the places into the statement: PostgreSQL must see constants to know that a partial index fits."""
    if not is_postgresql():
        return sql, tuple(params)
    place, ops = "\0", cast(Any, connection.ops)
    written = (place if isinstance(param, Param) else ops.compose_sql("%s", [param]) for param in params)
    text = (sql % tuple(written)).replace("%", "%%").replace(place, "%s")
    return text, tuple(param for param in params if isinstance(param, Param))


def _joined(statements: Sequence[Statement]) -> Statement:
    """Statements in one. Each is a table of its own, because SQLite allows no limit before UNION."""
    if len(statements) == 1:
        return statements[0]
    parts = [f"SELECT * FROM ({sql}) AS part{place}" for place, (sql, _) in enumerate(statements)]  # noqa: S608
    return " UNION ALL ".join(parts), tuple(param for _, params in statements for param in params)
