"""Fixed periods of a rep's own calendar, as UTC instants."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from distribution.engine.people import CAP_PERIODS


def period_start(period: str, now: datetime, time_zone: str) -> datetime:
    """When the hour, day, week (from Monday) or month that holds ``now`` began in a time zone, in UTC."""
    local = now.astimezone(ZoneInfo(time_zone))
    if period == "hour":
        # By the real clock, so that the hour that a change of clocks repeats is two periods.
        return now.astimezone(UTC) - timedelta(minutes=local.minute, seconds=local.second, microseconds=now.microsecond)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == "week":
        start -= timedelta(days=start.weekday())
    elif period == "month":
        start = start.replace(day=1)
    return start.astimezone(UTC)


def period_end(period: str, now: datetime, time_zone: str) -> datetime:
    """When the period that holds ``now`` ends, and the next one begins, in UTC."""
    if period == "hour":
        return period_start(period, now, time_zone) + timedelta(hours=1)
    # Noon of the first day after: no change of clocks leads into another day.
    noon = period_start(period, now, time_zone).astimezone(ZoneInfo(time_zone)).replace(hour=12, fold=0)
    days = {"day": 1, "week": 7, "month": monthrange(noon.year, noon.month)[1]}[period]
    return period_start("day", (noon + timedelta(days=days)).astimezone(UTC), time_zone)


def period_starts(now: datetime, time_zone: str) -> dict[str, datetime]:
    return {period: period_start(period, now, time_zone) for period in CAP_PERIODS}
