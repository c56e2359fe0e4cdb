"""Rows of another table beside each row, in one query."""

from typing import Any

from django.db.models import Aggregate, JSONField


class AllOf(Aggregate):
    """What an expression says of each row, as one JSON array in no order; None without rows."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **more)
