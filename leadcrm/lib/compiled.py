"""A query that is built and compiled to SQL once per process, for the few that run for every lead.

Building a query with sub-selects costs Django several times what running it costs the database.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from django.db import connection
from django.db.models import QuerySet

T = TypeVar("T")

# Stands for the argument while the query is compiled; no id is ever as large.
_ARGUMENT: Final = 2**62 + 4711


class CompiledQuery(Generic[T]):
    """A ``values_list`` query with one whole number as its argument.

    Args:
        build: makes the query for an argument; called once per database vendor, and must use the argument as it is.
    """

    def __init__(self, build: Callable[[int], QuerySet[Any, T]]) -> None:
        self._build = build
        self._by_vendor: dict[str, _Statement] = {}

    def rows(self, argument: int = 0) -> list[T]:
        """Run the query; rows as ``values_list`` gives them."""
        statement = self._by_vendor.get(connection.vendor)
        if statement is None:
            statement = self._by_vendor[connection.vendor] = _Statement(self._build(_ARGUMENT))
        return statement.rows(argument)


class _Statement:
    def __init__(self, query: QuerySet[Any, Any]) -> None:
        self._compiler = query.query.get_compiler(connection=connection)
        self._sql, self._params = self._compiler.as_sql()

    @cached_property
    def _converters(self) -> dict[int, Any]:
        columns = [column for column, _, _ in self._compiler.select]
        converters: dict[int, Any] = self._compiler.get_converters(columns)
        return converters

    def rows(self, argument: int) -> list[Any]:
        params = [argument if param == _ARGUMENT else param for param in self._params]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            found = cursor.fetchall()
        if not self._converters:
            return list(found)
        return [tuple(row) for row in self._compiler.apply_converters(found, self._converters)]
