"""Whether people of a pool are there when its leads come in."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from distribution.engine.worktime import Hours, Span, intervals
from distribution.hours import Timetable, first_team
from distribution.models import Decision, Pool, Rep

LOOK_BACK: Final = timedelta(days=30)
WEEK: Final = timedelta(days=7)
MOST_LEADS: Final = 1000
MOST_HOURS: Final = 3


def pool_hours_warnings(pool: Pool, now: datetime, timetable: Timetable) -> list[str]:
    """That nobody of a pool works, or nobody when its leads come in. Two queries."""
    hours = _hours_of_members(pool, timetable)
    if not hours or None in hours:
        return []
    known = [each for each in hours if each is not None]
    if not any(True for each in known for _ in intervals(each, now, now + WEEK)):
        return [f"Nobody in pool “{pool}” works in the coming week: see to their working hours."]
    came_in = _arrivals(pool, now)
    return _never_met(pool, known, came_in, now) if came_in else []


def _hours_of_members(pool: Pool, timetable: Timetable) -> list[Hours | None]:
    """The different hours of those who may take leads; None among them: somebody is always there."""
    members = {"memberships__pool": pool, "memberships__retired_at": None, "memberships__paused": False}
    rows = Rep.objects.filter(active=True, user__is_active=True, **members).annotate(team=first_team("user_id"))
    whose = set(rows.values_list("hours_id", "team", "time_zone"))
    return list({id(found): found for found in (timetable.hours(*row) for row in whose)}.values())


def _arrivals(pool: Pool, now: datetime) -> list[datetime]:
    """When the latest leads that were routed to the pool came in."""
    since = now - LOOK_BACK
    recent = Decision.objects.filter(pool=pool, at__gte=since, lead__created_at__gte=since).order_by("-at")
    return sorted(dict(recent.values_list("lead_id", "lead__created_at")[:MOST_LEADS]).values())


def _never_met(pool: Pool, hours: Iterable[Hours], came_in: Sequence[datetime], now: datetime) -> list[str]:
    spans = sorted(span for each in hours for span in intervals(each, now - LOOK_BACK, now))
    if any(_covered(moment, spans) for moment in came_in):
        return []
    return [
        f"Nobody in pool “{pool}” works when its leads come in: of {len(came_in)} within 30 days, none came in working "
        f"time. Most came {_busiest(came_in)}; people work {_first_hours(spans)}."
    ]


def _covered(moment: datetime, spans: Sequence[Span]) -> bool:
    """Whether a sorted span holds the moment; those before may be long, so all of them are asked."""
    return any(moment < closes for _, closes in spans[: bisect_right(spans, moment, key=lambda span: span[0])])


def _busiest(came_in: Sequence[datetime]) -> str:
    """``at 20 h and 21 h UTC``: the hours of the day in which most came in."""
    counts = {hour: sum(moment.hour == hour for moment in came_in) for hour in range(24)}
    busiest = sorted(counts, key=lambda hour: (-counts[hour], hour))[:MOST_HOURS]
    return "at " + ", ".join(f"{hour:02}:00" for hour in sorted(hour for hour in busiest if counts[hour])) + " UTC"


def _first_hours(spans: Sequence[Span]) -> str:
    """``09:00–17:00 UTC``: the times of day at which people work, most first."""
    times = [f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in spans]
    common = sorted(set(times), key=lambda text: (-times.count(text), text))[:MOST_HOURS]
    return ", ".join(common) + " UTC" if common else "at no time of these 30 days"
