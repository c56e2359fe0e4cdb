"""Leave as people type it: days, and times when it is not whole days, by the clock of the rep."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from distribution.errors import WrongValue
from distribution.models import Leave
from distribution.weekview import CENTURY, midnight

ONE_DAY: Final = timedelta(days=1)


def state_of_leave(leave: Leave, now: datetime) -> str:
    """Where leave stands: cancelled, over, now or ahead."""
    if leave.cancelled_at is not None:
        return "cancelled"
    if leave.ends_at <= now:
        return "over"
    return "now" if leave.starts_at <= now else "ahead"


@dataclass(frozen=True, slots=True)
class TypedSpan:
    """From a day, at a time or from its begin, to a day, which is included, until a time or its end."""

    first_day: date
    last_day: date
    from_time: time | None = None
    to_time: time | None = None

    @property
    def whole_days(self) -> bool:
        return self.from_time is None and self.to_time is None

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """Begin and end in UTC.

        Raises:
            WrongValue: it ends before it begins, or lies beyond the dates that calendars hold.
        """
        if self.last_day < self.first_day:
            raise WrongValue("last_day", "Choose the first day or a later one.")
        if self.first_day < CENTURY[0] or self.last_day > CENTURY[1]:
            raise WrongValue("first_day", "Choose dates of this century.")
        starts_at = _instant(self.first_day, self.from_time or time(), zone)
        ends_at = _instant(self.last_day, self.to_time, zone) if self.to_time else _end_of(self.last_day, zone)
        if ends_at <= starts_at:
            raise WrongValue("to_time", "It ends before it begins. Choose a later time, or another last day.")
        return starts_at, ends_at


def span_text(leave: Leave) -> str:
    """``Mon 2 Mar 2026 to Fri 6 Mar 2026`` by the rep's clock, with times when it is not whole days."""
    span = typed_span(leave)
    first, last = date_format(span.first_day, "D j M Y"), date_format(span.last_day, "D j M Y")
    if span.whole_days:
        return first if first == last else f"{first} to {last}"
    begins, ends = f"{span.from_time:%H:%M}", f"{span.to_time:%H:%M}"
    return f"{first}, {begins} to {ends}" if first == last else f"{first}, {begins} to {last}, {ends}"


def typed_span(leave: Leave) -> TypedSpan:
    """A leave, read with its rep, as it was typed."""
    zone = ZoneInfo(leave.rep.time_zone)
    start, end = leave.starts_at.astimezone(zone), leave.ends_at.astimezone(zone)
    if leave.whole_days:
        return TypedSpan(start.date(), end.date() - ONE_DAY)
    return TypedSpan(start.date(), end.date(), start.time(), end.time())


def _instant(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def _end_of(day: date, zone: str) -> datetime:
    return midnight(day + ONE_DAY, zone)
