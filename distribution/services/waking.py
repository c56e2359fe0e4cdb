"""Tells that somebody may take leads again, so that those that wait are routed.

A wake is a row, written in the transaction of what caused it: no lead is forgotten when the broker or the process dies
after the commit. The task that follows the commit is only quicker than the sweep.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from distribution.models import Hold, Pool, PoolMember, PoolWake
from leadcrm.lib.prepared import Param, Prepared


def wake_pools(pool_ids: Iterable[int], now: datetime) -> None:
    """Somebody of these pools may take leads again."""
    wanted = sorted(set(pool_ids))
    if wanted:
        PoolWake.objects.bulk_create(PoolWake(pool_id=pk, since=now) for pk in wanted)
        transaction.on_commit(partial(_release_soon, wanted), robust=True)


def wake_all(now: datetime) -> None:
    """Anybody may take leads again: hours or rules changed."""
    wake_pools(Pool.objects.filter(archived_at=None).values_list("pk", flat=True), now)


def wake_for(rep_id: int, now: datetime) -> None:
    """This rep may take leads again."""
    wake_pools(_pools_of(rep_id), now)
    _wake_alone(rep_id, now)


def wake_for_room(rep_id: int, now: datetime) -> None:
    """A rep has room for one lead more; who has no limit had room before."""
    wake_pools(_LIMITED_IN.rows(rep=rep_id), now)
    _wake_alone(rep_id, now)


def _pools_of(rep_id: Any) -> QuerySet[PoolMember, int]:
    present = PoolMember.objects.filter(rep=rep_id, retired_at=None, pool__archived_at=None)
    return present.order_by().values_list("pool", flat=True)


# It runs whenever a lead leaves its owner.
_LIMITED_IN: Final = Prepared(
    lambda: _pools_of(Param("rep")).filter(Q(rep__capacity__isnull=False) | Q(max_open__isnull=False))
)


def _wake_alone(rep_id: int, now: datetime) -> None:
    """Leads that wait for the rep alone, by a rule for one person or an owner, are due."""
    Hold.objects.filter(reps=rep_id, released_at=None, retry_at__gt=now).update(retry_at=now)


def _release_soon(pool_ids: Collection[int]) -> None:
    if Hold.objects.filter(pools__in=pool_ids, released_at=None).exists():
        from distribution.tasks import sweep_waiting  # it imports the services

        sweep_waiting.delay()
