"""Remembers what a request with an ``Idempotency-Key`` made, so that its retry makes nothing and gets the same answer.

The row is written in the transaction of what the request makes, with a plan from which the answer can be rebuilt. The
answer itself is stored afterwards; until then ``status_code`` is null.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from leadcrm.lib.bulk import update_each
from leadcrm.lib.prepared import Param, Prepared
from leadcrm.lib.statements import repeated
from pipeline.errors import PipelineError
from pipeline.models import IdempotencyKey, Lead, LeadSource

KEPT_FOR: Final = timedelta(hours=24)
LONGEST_KEY: Final = 200
_BATCH: Final = 5_000


class KeyReused(PipelineError):
    """The same key came with another body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Use a new key for a new request.")


class InFlight(PipelineError):
    """A request with the same key is at work right now."""

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being worked on. Repeat it in a moment.")


def digest_of(path: str, body: bytes) -> str:
    """What tells one request from another."""
    return hashlib.sha256(path.encode() + b"\n" + body).hexdigest()


def earlier(source: LeadSource, key: str, digest: str) -> IdempotencyKey | None:
    """The row of an earlier request with this key; None makes the caller the first. To be called in a transaction.

    Until that transaction ends, others with the same key are refused (PostgreSQL) or wait (SQLite, where
    transactions are serial anyway).

    Raises:
        InFlight, KeyReused
    """
    if connection.vendor == "postgresql" and not _lock(source, key):
        raise InFlight
    row = _EARLIER.first(source=source.pk, key=key)
    if row is not None and row.body_digest != digest:
        raise KeyReused
    return row


_EARLIER: Final = Prepared(lambda: IdempotencyKey.objects.filter(source=Param("source"), key=Param("key")).order_by())


def _lock(source: LeadSource, key: str) -> bool:
    name = hashlib.sha256(f"{source.pk}:{key}".encode()).digest()[:8]
    with repeated() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s::bigint)", [int.from_bytes(name, signed=True)])
        return bool(cursor.fetchone()[0])


def begin(source: LeadSource, key: str, digest: str, plan: Any, lead: Lead | None = None) -> IdempotencyKey:
    """Writes the row of a first request, in the transaction of what it makes.

    Args:
        plan: JSON from which the answer can be rebuilt.
    """
    return IdempotencyKey.objects.create(source=source, key=key, body_digest=digest, answer=plan, lead=lead)


def finish(row: IdempotencyKey, status: int, answer: str) -> IdempotencyKey:
    """Stores the answer if nobody did yet, and returns the row as it is stored: every retry gets the same."""
    given = {"id": row.pk, "status_code": status, "answer": answer}
    if update_each(IdempotencyKey, [given], match=("id",), where="t.status_code IS NULL"):
        row.status_code, row.answer = status, answer
    else:
        row.refresh_from_db(fields=["status_code", "answer"])
    return row


def prune(now: datetime) -> int:
    """Forgets keys older than a day, in batches; returns how many."""
    total = 0
    while old := list(
        IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR).values_list("pk", flat=True)[:_BATCH]
    ):
        total += IdempotencyKey.objects.filter(pk__in=old).delete()[0]
    return total
