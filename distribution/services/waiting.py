"""Tells that somebody may take leads again, so that those that wait are routed.

A wake is a row, written in the transaction of what caused it: no lead is forgotten when the broker or the process dies
after the commit. The task that follows the commit is only quicker than the sweep.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from distribution.models import Pool, PoolMember, PoolWake


def wake_pools(pool_ids: Iterable[int], now: datetime) -> None:
    """Somebody of these pools may take leads again."""
    PoolWake.objects.bulk_create(PoolWake(pool_id=pk, since=now) for pk in sorted(set(pool_ids)))


def wake_all(now: datetime) -> None:
    """Anybody may take leads again: hours or rules changed."""
    wake_pools(Pool.objects.filter(archived_at=None).values_list("pk", flat=True), now)


def wake_for(rep_ids: Iterable[int], now: datetime) -> None:
    """These reps may take leads again."""
    members = PoolMember.objects.filter(rep__in=list(rep_ids), retired_at=None, pool__archived_at=None)
    wake_pools(members.values_list("pool", flat=True), now)


def wake_for_room(rep_id: int, now: datetime) -> None:
    """A rep has room for one lead more; who has no limit had room before."""
    limited = Q(rep__capacity__isnull=False) | Q(max_open__isnull=False)
    members = PoolMember.objects.filter(limited, rep=rep_id, retired_at=None, pool__archived_at=None)
    wake_pools(members.values_list("pool", flat=True), now)
