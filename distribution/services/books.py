"""Keeps the books: open leads and counters of reps, credits of pool members. Always inside the caller's transaction.

Locks are taken in one order everywhere: Pool, then Lead, then Rep, then the member rows of the locked pool.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Greatest

from distribution.caps import rolling_used
from distribution.engine.people import Cap, Rep
from distribution.models import CreditCorrection, Pool, PoolMember, RepCounter
from distribution.models import Rep as RepRow
from distribution.periods import period_starts
from leadcrm.lib.bulk import update_each


def lock_pool(pool_id: int) -> None:
    """Make all others who would give out leads of this pool wait until the transaction ends."""
    list(Pool.objects.select_for_update(no_key=True).filter(pk=pool_id).values_list("pk"))


def lock_reps(rep_ids: Iterable[int]) -> None:
    """Lock the rows of reps in the order of their ids, for whoever is about to change several."""
    reps = RepRow.objects.select_for_update(no_key=True).filter(pk__in=rep_ids)
    list(reps.order_by("pk").values_list("pk"))


def take_place(rep: Rep, now: datetime, *, enforce: bool = True) -> bool:
    """Count a new open lead for a rep. With ``enforce``, False and nothing counted when a capacity or cap is reached.

    The update locks the rep's row, so the counters that follow cannot be overtaken by another pool. When a cap is
    found to be exceeded the caller must roll back.
    """
    row = RepRow.objects.filter(pk=rep.id)
    if enforce:
        row = row.filter(Q(capacity=None) | Q(open_leads__lt=F("capacity")))
    if not row.update(open_leads=F("open_leads") + 1, last_assigned_at=now):
        return False
    counts = count_new({rep.id: 1}, {rep.id: rep.time_zone}, now)
    return not enforce or _within_caps({rep.id: rep}, {rep.id: 1}, {}, counts, now)


def take_member_place(member_id: int, now: datetime) -> bool:
    """Count a lead that a member took without a turn. False, and nothing counted, at the member's cap; 0 is nobody."""
    if not member_id:
        return True
    room = Q(max_open=None) | Q(open_leads__lt=F("max_open"))
    member = PoolMember.objects.filter(room, pk=member_id)
    return member.update(open_leads=F("open_leads") + 1, last_assigned_at=now) == 1


def take_places(reps: Mapping[int, Rep], taken: Mapping[int, int], kept: Mapping[int, int], now: datetime) -> bool:
    """:func:`take_place` for many leads. ``kept``: how many of the taken ones no limit applies to.

    Locks the reps by id. False when a limit would be exceeded: the caller must roll back.
    """
    locked = RepRow.objects.select_for_update(no_key=True).filter(pk__in=taken).order_by("pk")
    for pk, open_leads, capacity in locked.values_list("pk", "open_leads", "capacity"):
        new = taken[pk] - kept.get(pk, 0)
        if new and capacity is not None and open_leads + new > capacity:
            return False
    counts = count_new(taken, {pk: rep.time_zone for pk, rep in reps.items()}, now) if taken else {}
    rows = [{"id": pk, "open_leads": count, "last_assigned_at": now} for pk, count in sorted(taken.items())]
    update_each(RepRow, rows, match=("id",), add=("open_leads",))
    return _within_caps(reps, taken, kept, counts, now)


def _within_caps(
    reps: Mapping[int, Rep],
    taken: Mapping[int, int],
    kept: Mapping[int, int],
    counts: Mapping[tuple[int, str], int],
    now: datetime,
) -> bool:
    """Whether reps, whose rows are locked, are within their caps. ``counts`` has the fixed periods, new leads included.

    What a rolling period holds is counted here: the assignments of the new leads are not written yet.
    """
    bound = {pk: rep for pk, rep in reps.items() if taken[pk] > kept.get(pk, 0)}
    rolling = {pk: rep for pk, rep in bound.items() if any(cap.rolling for cap in rep.caps)}
    before = rolling_used(rolling, {cap.period for rep in rolling.values() for cap in rep.caps}, now)

    def count(pk: int, cap: Cap) -> int:
        return before.get((pk, cap.period), 0) + taken[pk] if cap.rolling else counts[pk, cap.period]

    return all(count(pk, cap) - kept.get(pk, 0) <= cap.limit for pk, rep in bound.items() for cap in rep.caps)


def hold_place(rep_id: int) -> None:
    """Count an open lead that a rep has already: it is no new lead, so no cap and no counter is asked."""
    RepRow.objects.filter(pk=rep_id).update(open_leads=F("open_leads") + 1)


def free_place(rep_id: int, member_id: int | None) -> None:
    """An open lead of a rep ended: its place is free again."""
    RepRow.objects.filter(pk=rep_id).update(open_leads=Greatest(F("open_leads") - 1, 0))
    if member_id is not None:
        PoolMember.objects.filter(pk=member_id).update(open_leads=Greatest(F("open_leads") - 1, 0))


def count_new(leads: Mapping[int, int], zones: Mapping[int, str], now: datetime) -> dict[tuple[int, str], int]:
    """Add new leads by rep to the counters of the current periods; returns the new counts by rep and period."""
    adapt = connection.ops.adapt_datetimefield_value
    rows: list[tuple[Any, ...]] = [
        (rep, period, adapt(start), leads[rep])
        for rep in sorted(leads)
        for period, start in period_starts(now, zones[rep]).items()
    ]
    table = RepCounter._meta.db_table
    places = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (rep_id, period, starts_at, count) VALUES {places} "  # noqa: S608
            f"ON CONFLICT (rep_id, period, starts_at) DO UPDATE SET count = {table}.count + excluded.count "
            "RETURNING rep_id, period, count",
            [value for row in rows for value in row],
        )
        return {(rep, period): count for rep, period, count in cursor.fetchall()}


def post(changes: Mapping[int, int], taken: Mapping[int, int], now: datetime) -> None:
    """Change credits by member id, and count leads taken by member id, in one statement.

    The credits of a posting sum to zero. The pool must be locked when it posts.
    """
    members = sorted({*changes, *taken})
    rows = [
        {
            "id": pk,
            "credit": changes.get(pk, 0),
            "open_leads": taken.get(pk, 0),
            "last_assigned_at": now if taken.get(pk) else None,
        }
        for pk in members
    ]
    update_each(PoolMember, rows, match=("id",), add=("credit", "open_leads"), keep=("last_assigned_at",))


def correct(
    changes: Mapping[int, int], kind: CreditCorrection.Kind, now: datetime, *, reason: str = "", **also: Any
) -> None:
    """Change credits outside a decision, with a row per member that says why. The changes must sum to zero."""
    if sum(changes.values()):
        raise ValueError("a posting must sum to zero")
    posting = uuid.uuid4()
    CreditCorrection.objects.bulk_create(
        CreditCorrection(posting=posting, member_id=pk, amount=amount, kind=kind, reason=reason, at=now, **also)
        for pk, amount in changes.items()
    )
    post(changes, {}, now)
