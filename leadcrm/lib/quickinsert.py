"""Models whose rows are made one by one, all the time."""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from leadcrm.lib.bulk import insert_many
from leadcrm.lib.statements import is_postgresql


class QuickInsert(models.Model):
    """A model that is inserted, signals and all, by a statement that is worked out once per process. Django builds one
    for each row, which takes longer than writing it."""

    class Meta:
        abstract = True

    def _do_insert(
        self, manager: Any, using: str, fields: Sequence[Any], returning_fields: Sequence[Any], raw: bool
    ) -> Any:
        # SQLite is told each value by name, which costs more than Django's way.
        if raw or using != DEFAULT_DB_ALIAS or not is_postgresql():
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        row = {field.attname: field.pre_save(self, add=True) for field in fields}
        if any(hasattr(value, "resolve_expression") for value in row.values()):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        return [insert_many(type(self), [row])]
