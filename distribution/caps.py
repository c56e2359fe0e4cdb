"""How many new leads reps were given of late, held against what they may be given. Reads only.

Fixed periods are counted as leads are given out (:class:`RepCounter`), rolling ones from the assignments themselves.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from distribution.engine.people import CAP_PERIODS, ROLLING_MINUTES, Cap
from distribution.models import Assignment, Rep, RepCounter
from distribution.periods import period_end, period_starts

SPANS: Final = {period: timedelta(minutes=minutes) for period, minutes in ROLLING_MINUTES.items()}

Row = Mapping[str, Any]
Used = dict[tuple[int, str], int]


def read_caps(rows: Iterable[Row], now: datetime) -> dict[int, tuple[Cap, ...]]:
    """The caps of reps by id, from rows of their columns; none for a rep without any.

    Costs a query for those with fixed periods, one for those with rolling ones, and one when a rolling one is reached.
    """
    limited = [row for row in rows if any(limit is not None for _, limit in _limits(row))]
    rolling = [row for row in limited if _is_rolling(row)]
    used = _used(_with_fixed(limited), now) | rolling_used([row["id"] for row in rolling], _periods(rolling), now)
    frees = _frees(rolling, used, now)
    end_of = cache(partial(period_end, now=now))

    def cap(row: Row, period: str, limit: int) -> Cap:
        key, rolling = (row["id"], period), _is_rolling(row)
        end = frees.get(key) if rolling else end_of(period, time_zone=row["time_zone"])
        return Cap(period, limit, used.get(key, 0), rolling, end if limit else None)

    return {
        row["id"]: tuple(cap(row, period, limit) for period, limit in _limits(row) if limit is not None)
        for row in limited
    }


def _limits(row: Row) -> list[tuple[str, int | None]]:
    return [(period, row[f"cap_per_{period}"]) for period in CAP_PERIODS]


def _is_rolling(row: Row) -> bool:
    return bool(row["cap_window"] == Rep.CapWindow.ROLLING)


def _with_fixed(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not _is_rolling(row)]


def _periods(rows: Iterable[Row]) -> set[str]:
    """The periods that anybody's cap is about."""
    return {period for row in rows for period, limit in _limits(row) if limit is not None}


def _used(rows: Sequence[Row], now: datetime) -> Used:
    """New leads in the current periods."""
    if not rows:
        return {}
    starts = {row["id"]: period_starts(now, row["time_zone"]) for row in rows}
    wanted = {start for periods in starts.values() for start in periods.values()}
    counters = RepCounter.objects.filter(rep__in=starts, starts_at__in=wanted)
    return {
        (rep, period): count
        for rep, period, start, count in counters.values_list("rep_id", "period", "starts_at", "count")
        if starts[rep][period] == start
    }


def new_leads() -> QuerySet[Assignment]:
    """Assignments that count as new leads: not what came in with an owner, was opened again, or was lent."""
    closed_before = Assignment.objects.filter(
        lead=OuterRef("lead"), rep=OuterRef("rep"), end=Assignment.End.CLOSED, ended_at__lte=OuterRef("started_at")
    )
    opened_again = Q(Exists(closed_before), trigger=Assignment.Trigger.MANUAL, decision=None)
    old = (Assignment.Trigger.INTAKE, Assignment.Trigger.LENT)
    return Assignment.objects.exclude(trigger__in=old).exclude(opened_again).order_by()


def rolling_used(reps: Collection[int], periods: Collection[str], now: datetime) -> Used:
    """New leads by rep and rolling period: those given within it, up to now."""
    if not reps or not periods:
        return {}
    since = now - max(SPANS[period] for period in periods)
    counts = {period: Count("pk", filter=Q(started_at__gt=now - SPANS[period])) for period in periods}
    rows = new_leads().filter(rep__in=reps, started_at__gt=since).values("rep").annotate(**counts)
    return {
        (rep, period): count
        for rep, *given in rows.values_list("rep", *counts)
        for period, count in zip(counts, given, strict=True)
    }


def _frees(rows: Sequence[Row], used: Used, now: datetime) -> dict[tuple[int, str], datetime]:
    """When a rolling cap that is reached has room again: when the lead that is ``limit`` places back has left it."""
    reached = {
        (row["id"], period): limit
        for row in rows
        for period, limit in _limits(row)
        if limit and used.get((row["id"], period), 0) >= limit
    }
    if not reached:
        return {}
    since = now - max(SPANS[period] for _, period in reached)
    given = new_leads().filter(rep__in={rep for rep, _ in reached}, started_at__gt=since).order_by("-started_at")
    starts: dict[int, list[datetime]] = {rep: [] for rep, _ in reached}
    for rep, start in given.values_list("rep_id", "started_at"):
        starts[rep].append(start)
    return {
        (rep, period): starts[rep][limit - 1] + SPANS[period]
        for (rep, period), limit in reached.items()
        if len(starts[rep]) >= limit
    }
