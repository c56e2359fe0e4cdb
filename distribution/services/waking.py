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
from leadcrm.lib.prepared import Each, Prepared
from leadcrm.lib.wake import wake
from pipeline.services.standing import try_again


def wake_pools(pool_ids: Iterable[int], now: datetime) -> None:
    """Somebody of these pools may take leads again."""
    wanted = sorted(set(pool_ids))
    if wanted:
        PoolWake.objects.bulk_create(PoolWake(pool_id=pk, since=now) for pk in wanted)
        transaction.on_commit(partial(_release_soon, wanted), robust=True)


def wake_all(now: datetime) -> None:
    """Anybody may take leads again: hours or rules changed."""
    wake_pools(Pool.objects.filter(archived_at=None).values_list("pk", flat=True), now)


def wake_unplaced(now: datetime) -> None:
    """Leads that nobody was found for may find someone: rules, territories, pools or what people can do changed."""
    if try_again(now):
        transaction.on_commit(_route_soon, robust=True)


def wake_for(rep_id: int, now: datetime) -> None:
    """This rep may take leads again."""
    wake_pools(_pools_of([rep_id]), now)
    _wake_alone([rep_id], now)


def wake_for_room(rep_ids: Collection[int], now: datetime) -> None:
    """Reps have room for more leads; who has no limit had room before."""
    wake_pools(_LIMITED_IN.rows(reps=rep_ids), now)
    _wake_alone(rep_ids, now)


def _pools_of(rep_ids: Any) -> QuerySet[PoolMember, int]:
    present = PoolMember.objects.filter(rep__in=rep_ids, retired_at=None, pool__archived_at=None)
    return present.order_by().values_list("pool", flat=True)


# Both run whenever a lead leaves its owner.
_LIMITED_IN: Final = Prepared(
    lambda: _pools_of(Each("reps", int)).filter(Q(rep__capacity__isnull=False) | Q(max_open__isnull=False))
)
_ALONE: Final = Prepared(
    lambda: (
        Hold.objects.filter(reps__in=Each("reps", int), released_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
        .distinct()
    )
)


def _wake_alone(rep_ids: Collection[int], now: datetime) -> None:
    """Leads that wait for the reps alone, by a rule for one person or an owner, are due."""
    if waiting := _ALONE.rows(reps=rep_ids):
        Hold.objects.filter(pk__in=waiting, released_at=None, retry_at__gt=now).update(retry_at=now)


def _route_soon() -> None:
    from distribution.tasks import sweep_unassigned  # it imports the services

    wake(sweep_unassigned)


def _release_soon(pool_ids: Collection[int]) -> None:
    if Hold.objects.filter(pools__in=pool_ids, released_at=None).exists():
        from distribution.tasks import sweep_waiting  # it imports the services

        wake(sweep_waiting)
