"""Changes what is in large tables, for migrations: by the primary key, so many rows at a time.

With ``atomic = False`` on the migration each part is a transaction of its own, so that nobody waits for a row longer
than that takes, and one that is broken off goes on where it was: what ``change`` does must be safe to run twice.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

CHUNK: Final = 2000


def in_chunks(rows: QuerySet[Any], change: Callable[[QuerySet[Any]], object], size: int = CHUNK) -> None:
    """Call ``change`` for parts of the rows, in the order of their integer primary key, until there are no more."""
    last: int | None = 0
    while last is not None:
        part = rows.filter(pk__gt=last).order_by("pk")
        ids = list(part.values_list("pk", flat=True)[:size])
        if ids:
            with transaction.atomic(using=rows.db):
                change(part.filter(pk__lte=ids[-1]))
        last = ids[-1] if ids else None
