"""Keeps the books: open leads and counters of reps, credits of pool members. Always inside the caller's transaction.

Locks are taken in one order everywhere: Pool, then Lead, then Rep, then the member rows of the locked pool.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import F, Q

from distribution.caps import rolling_used
from distribution.engine.people import Cap, Rep
from distribution.models import CreditCorrection, Pool, PoolMember, RepCounter
from distribution.models import Rep as RepRow
from distribution.periods import period_starts
from leadcrm.lib.bulk import Change, counting, update, write
from leadcrm.lib.prepared import Each, Param, Prepared


def lock_pool(pool_id: int) -> None:
    """Make all others who would give out leads of this pool wait until the transaction ends."""
    _LOCK.rows(pool=pool_id)


_LOCK: Final = Prepared(lambda: Pool.objects.select_for_update(no_key=True).filter(pk=Param("pool")).values_list("pk"))


def lock_reps(rep_ids: Iterable[int]) -> None:
    """Lock the rows of reps in the order of their ids, for whoever is about to change several."""
    _LOCK_REPS.rows(reps=rep_ids)


_LOCK_REPS: Final = Prepared(
    lambda: (
        RepRow.objects.select_for_update(no_key=True).filter(pk__in=Each("reps", int)).order_by("pk").values_list("pk")
    )
)


def take_place(rep: Rep, now: datetime, *, enforce: bool = True) -> bool:
    """Count a new open lead for a rep. With ``enforce``, False when a capacity or cap is reached: the caller must roll
    back."""
    return take_places([Taking(rep, 1, 1 if enforce else 0)], now)


def take_member_place(member_id: int, now: datetime) -> bool:
    """Count a lead that a member took without a turn. False, and nothing counted, at the member's cap; 0 is nobody."""
    if not member_id:
        return True
    room = Q(max_open=None) | Q(open_leads__lt=F("max_open"))
    member = PoolMember.objects.filter(room, pk=member_id)
    return member.update(open_leads=F("open_leads") + 1, last_assigned_at=now) == 1


class Taking(NamedTuple):
    """How many new leads a rep gets; ``limited`` of them only if the capacity and the caps allow it."""

    rep: Rep
    leads: int
    limited: int


def take_places(takings: Sequence[Taking], now: datetime) -> bool:
    """:func:`take_place` for many leads. False when a limit would be exceeded: the caller must roll back.

    Whoever has a rep's row has the counters: they are written after it, by everybody.
    """
    if not takings:
        return True
    if len(takings) > 1:
        # One update may lock its rows in any order.
        lock_reps(taking.rep.id for taking in takings)
    # Leads that ask for no limit may come before those that do, and leave less room. Whoever had room after all gets it
    # when the leads are tried one by one.
    rows = [
        {"id": t.rep.id, "open_leads": t.leads, "last_assigned_at": now, "room": t.leads if t.limited else 0}
        for t in sorted(takings, key=lambda taking: taking.rep.id)
    ]
    room = "(v.room = 0 OR t.capacity IS NULL OR t.open_leads + v.room <= t.capacity)"
    counters = _counters({t.rep.id: t.leads for t in takings}, {t.rep.id: t.rep.time_zone for t in takings}, now)
    changed, counted = write(
        update(RepRow, rows, match=("id",), add=("open_leads",), given=("room",), where=room), _counting(counters)
    )
    if len(changed) < len(takings):
        return False
    return _within_caps([taking for taking in takings if taking.limited], _by_period(counters, counted), now)


def _within_caps(takings: Sequence[Taking], counts: Mapping[tuple[int, str], int], now: datetime) -> bool:
    """Whether reps, whose rows are locked, are within their caps. ``counts`` has the fixed periods, new leads included.

    What a rolling period holds is counted here: the assignments of the new leads are not written yet.
    """
    rolling = {t.rep.id: t.rep for t in takings if any(cap.rolling for cap in t.rep.caps)}
    before = rolling_used(rolling, {cap.period for rep in rolling.values() for cap in rep.caps}, now)

    def count(pk: int, leads: int, cap: Cap) -> int:
        return before.get((pk, cap.period), 0) + leads if cap.rolling else counts[pk, cap.period]

    return all(count(t.rep.id, t.leads, cap) <= cap.limit for t in takings for cap in t.rep.caps)


def hold_place(rep_id: int, member_id: int | None = None) -> None:
    """Count an open lead that a rep has already: it is no new lead, so no cap and no counter is asked."""
    RepRow.objects.filter(pk=rep_id).update(open_leads=F("open_leads") + 1)
    if member_id is not None:
        PoolMember.objects.filter(pk=member_id).update(open_leads=F("open_leads") + 1)


def free_places(reps: Mapping[int, int], members: Mapping[int, int]) -> None:
    """Open leads ended, so many by rep and by member: their places are free again. Whose reps are several has locked
    them."""
    write(_freeing(RepRow, reps), _freeing(PoolMember, members))


def _freeing(model: type[RepRow | PoolMember], leads: Mapping[int, int]) -> Change:
    rows = [{"id": pk, "ended": leads[pk]} for pk in sorted(leads)]
    fewer = "open_leads = CASE WHEN t.open_leads > v.ended THEN t.open_leads - v.ended ELSE 0 END"
    return update(model, rows, match=("id",), given=("ended",), also=fewer)


def count_new(leads: Mapping[int, int], zones: Mapping[int, str], now: datetime) -> dict[tuple[int, str], int]:
    """Add new leads by rep to the counters of the current periods; returns the new counts by rep and period."""
    counters = _counters(leads, zones, now)
    return _by_period(counters, write(_counting(counters))[0])


def _counters(leads: Mapping[int, int], zones: Mapping[int, str], now: datetime) -> list[dict[str, Any]]:
    return [
        {"rep_id": rep, "period": period, "starts_at": start, "count": leads[rep]}
        for rep in sorted(leads)
        for period, start in period_starts(now, zones[rep]).items()
    ]


def _counting(counters: Sequence[Mapping[str, Any]]) -> Change:
    return counting(RepCounter, counters, match=("rep_id", "period", "starts_at"), count="count")


def _by_period(counters: Sequence[Mapping[str, Any]], counts: Sequence[int]) -> dict[tuple[int, str], int]:
    return {(row["rep_id"], row["period"]): count for row, count in zip(counters, counts, strict=True)}


def post(changes: Mapping[int, int], taken: Mapping[int, int], now: datetime) -> None:
    """Make a :func:`posting`."""
    write(posting(changes, taken, now))


def posting(changes: Mapping[int, int], taken: Mapping[int, int], now: datetime) -> Change:
    """Changed credits by member id, and counted leads taken by member id, in one statement.

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
    return update(PoolMember, rows, match=("id",), add=("credit", "open_leads"), keep=("last_assigned_at",))


def correct(
    changes: Mapping[int, int], kind: CreditCorrection.Kind, now: datetime, *, reason: str = "", **also: Any
) -> None:
    """Change credits outside a decision, with a row per member that says why. The changes must sum to zero."""
    if sum(changes.values()):
        raise ValueError("a posting must sum to zero")
    together = uuid.uuid4()
    CreditCorrection.objects.bulk_create(
        CreditCorrection(posting=together, member_id=pk, amount=amount, kind=kind, reason=reason, at=now, **also)
        for pk, amount in changes.items()
    )
    post(changes, {}, now)
