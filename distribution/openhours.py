"""Whether people of a pool are there when its leads come in."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from distribution.engine.worktime import Hours, Span, intervals
from distribution.hours import Timetable, first_team
from distribution.models import Decision, Pool, PoolMember

LOOK_BACK: Final = timedelta(days=30)
WEEK: Final = timedelta(days=7)
MOST_LEADS: Final = 2000
MOST_HOURS: Final = 3


def pool_hours_warnings(pools: Iterable[Pool], now: datetime, timetable: Timetable) -> dict[int, str]:
    """By pool: that nobody there works, or nobody when its leads come in. Two queries for all of them."""
    named = {pool.pk: pool for pool in pools}
    hours, came_in = _hours_of_members(named, timetable), _arrivals(named, now)
    found = {pk: _warning(named[pk], hours[pk], sorted(came_in[pk]), now) for pk in hours}
    return {pk: sentence for pk, sentence in found.items() if sentence}


def _warning(pool: Pool, hours: Collection[Hours | None], came_in: Sequence[datetime], now: datetime) -> str:
    known = [each for each in hours if each is not None]
    if len(known) < len(hours):  # somebody is always there
        return ""
    if not any(True for each in known for _ in intervals(each, now, now + WEEK)):
        return f"Nobody in pool “{pool}” works in the coming week: see to their working hours."
    return _never_met(pool, known, came_in, now) if came_in else ""


def _hours_of_members(pools: Iterable[int], timetable: Timetable) -> dict[int, list[Hours | None]]:
    """The different hours of those who may take leads, by pool; None among them: somebody is always there."""
    present = {"retired_at": None, "paused": False, "rep__active": True, "rep__user__is_active": True}
    rows = PoolMember.objects.filter(pool__in=pools, **present).annotate(team=first_team("rep__user_id"))
    found: dict[int, list[Hours | None]] = defaultdict(list)
    for pool, *whose in rows.values_list("pool_id", "rep__hours_id", "team", "rep__time_zone").distinct():
        found[pool].append(timetable.hours(*whose))
    return found


def _arrivals(pools: Iterable[int], now: datetime) -> dict[int, set[datetime]]:
    """When the latest leads that were routed to these pools came in."""
    since = now - LOOK_BACK
    recent = Decision.objects.filter(pool__in=pools, at__gte=since, lead__created_at__gte=since).order_by("-at")
    found: dict[int, set[datetime]] = defaultdict(set)
    for pool, moment in recent.values_list("pool_id", "lead__created_at")[:MOST_LEADS]:
        found[pool].add(moment)
    return found


def _never_met(pool: Pool, hours: Iterable[Hours], came_in: Sequence[datetime], now: datetime) -> str:
    since = now - LOOK_BACK
    spans = sorted(span for each in hours for span in intervals(each, since, now))
    if any(_covered(moment, spans) for moment in came_in):
        return ""
    return (
        f"Nobody in pool “{pool}” works when its leads come in: of {len(came_in)} within 30 days, none came in working "
        f"time. Most came {_busiest(came_in)}; people work {_usual_times(spans, since, now)}."
    )


def _covered(moment: datetime, spans: Sequence[Span]) -> bool:
    """Whether a sorted span holds the moment; those before may be long, so all of them are asked."""
    return any(moment < closes for _, closes in spans[: bisect_right(spans, moment, key=lambda span: span[0])])


def _busiest(came_in: Sequence[datetime]) -> str:
    """``at 20 h and 21 h UTC``: the hours of the day in which most came in."""
    counts = {hour: sum(moment.hour == hour for moment in came_in) for hour in range(24)}
    busiest = sorted(counts, key=lambda hour: (-counts[hour], hour))[:MOST_HOURS]
    return "at " + ", ".join(f"{hour:02}:00" for hour in sorted(hour for hour in busiest if counts[hour])) + " UTC"


def _usual_times(spans: Sequence[Span], since: datetime, until: datetime) -> str:
    """``09:00–17:00 UTC``: the times of day at which people work, most first; not those that the ends cut off."""
    times = [f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in spans if since < opens and closes < until]
    common = sorted(set(times), key=lambda text: (-times.count(text), text))[:MOST_HOURS]
    return ", ".join(common) + " UTC" if common else "at no time of these 30 days"
