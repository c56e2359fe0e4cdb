"""Columns that Django does not know."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from leadcrm.lib.jsontext import dumps


class JSONTextField(models.JSONField):
    """JSON that is kept as the text it was written as, and read as data. PostgreSQL stores it in a sixth of the time of
    its own type for JSON, which it takes apart; in return it cannot be searched by key."""

    def get_internal_type(self) -> str:
        return "TextField"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return dumps(value).decode()
