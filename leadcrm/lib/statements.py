"""Runs statements whose text is the same every time, so that PostgreSQL plans each of them once per connection.

Django writes the values into the text, which makes it another statement every time, and planning one that joins several
tables takes longer than answering it by key. Here values travel beside the text, and psycopg prepares what comes again
(``prepare_threshold`` in the settings).
"""

from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper

_ServerBindingCursor: Any = base.ServerBindingCursor


@cache
def is_postgresql() -> bool:
    """Which database this process works on. To ask the connection each time goes through the locals of the thread."""
    return connection.vendor == "postgresql"


def repeated() -> CursorWrapper:
    """A cursor, to be used in ``with``, for statements whose text never changes. The type of each value must follow
    from where it stands in the statement, or from a cast."""
    database = connections[DEFAULT_DB_ALIAS]
    return _binding_cursor(database) if is_postgresql() else database.cursor()


def _binding_cursor(database: Any) -> CursorWrapper:
    """What ``connection.cursor()`` does, with another class of cursor."""
    database.close_if_health_check_failed()
    database.ensure_connection()
    wrapped: CursorWrapper = database._prepare_cursor(_BindingCursor(database.connection))
    return wrapped


class _BindingCursor(_ServerBindingCursor):
    def _convert_query(self, query: Any, params: Any = None) -> Any:
        """Keeps the text where Django's log of queries looks for it; psycopg does only for what it does not prepare."""
        self._query = super()._convert_query(query, params)
        return self._query
