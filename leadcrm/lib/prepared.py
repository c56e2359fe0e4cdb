"""Queries whose SQL is worked out once per process.

Building a query set and compiling it costs ten times what the database needs to answer by key. Where one request after
the other asks the same, that is most of its time::

    _STAGE = Prepared(lambda: Stage.objects.filter(pipeline=Param("pipeline")).values("id", "name"))
    _STAGE.rows(pipeline=7)
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Converter = tuple[list[Callable[..., Any]], Any]


class Param(Expression):
    """A place in a prepared query that each execution fills. The value is passed as it is: numbers, texts, booleans."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class _Compiled(NamedTuple):
    sql: str
    params: tuple[Any, ...]
    names: tuple[str, ...]
    converters: dict[int, Converter]


class Prepared:
    """A query of :meth:`QuerySet.values` with places to fill, ready to be run many times.

    Args:
        build: makes the query set; called once per kind of database.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, **values: Any) -> list[dict[str, Any]]:
        """The rows for these values, one for each :class:`Param` by its name."""
        query = self._compiled.get(connection.vendor) or self._compile()
        params = [values[param.name] if isinstance(param, Param) else param for param in query.params]
        with connection.cursor() as cursor:
            cursor.execute(query.sql, params)
            found = cursor.fetchall()
        return [dict(zip(query.names, _converted(row, query.converters), strict=True)) for row in found]

    def first(self, **values: Any) -> dict[str, Any] | None:
        """The first of the rows."""
        return next(iter(self.rows(**values)), None)

    def _compile(self) -> _Compiled:
        query = self._build().query
        compiler = query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        names = (*query.values_select, *query.annotation_select)
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._compiled[connection.vendor] = compiled = _Compiled(sql, tuple(params), names, converters)
        return compiled


def _converted(row: Sequence[Any], converters: dict[int, Converter]) -> Sequence[Any]:
    """The row with what the database returns turned into what the fields hold, as the ORM does."""
    if not converters:
        return row
    values = list(row)
    for index, (functions, expression) in converters.items():
        for function in functions:
            values[index] = function(values[index], expression, connection)
    return values
