"""Reads moments from PostgreSQL as quickly as Python can.

Django's own reader is written in Python and takes 3.3 µs for each instead of 0.26 µs; a lead has some ten of them.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.psycopg_any import BaseTzLoader

_LOADER: Any = BaseTzLoader


class MomentLoader(_LOADER):
    """Moments of a connection that speaks UTC, such as ``2026-11-26 09:30:00.25+00``."""

    # Django looks for it before it uses a connection.
    timezone = UTC

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            # Infinity, or before Christ: Django's own says what is wrong.
            moment: datetime = super().load(data)
            return moment


def read_moments_quickly(connection: BaseDatabaseWrapper, **_kwargs: object) -> None:
    """Receiver of ``connection_created``."""
    if connection.vendor == "postgresql" and connection.timezone == UTC:
        database: Any = connection.connection
        database.adapters.register_loader("timestamptz", MomentLoader)
