"""How moments are shown to people on pages. Inside sentences they are written by ``distribution.engine.moments``."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from django.utils.timezone import localtime


def moment_text(moment: datetime, zone: tzinfo | None = None) -> str:
    """``31 Jan 2026, 14:05 CET``: in this zone, else in the reader's; in the admin that is UTC.

    As DATETIME_FORMAT says it, which Django would take ten times as long for: a board tells hundreds of moments.
    """
    local = localtime(moment, zone)
    return f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"


def in_readers_zone(sentence: str) -> str:
    """A stored sentence with its moments, written as ``2026-01-31 14:05 UTC``, as pages write them."""
    return _STORED.sub(_told, sentence)


_STORED: Final = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b")


def _told(found: re.Match[str]) -> str:
    try:
        return moment_text(datetime.strptime(found[0], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC))
    except (ValueError, OverflowError):  # somebody's own words
        return found[0]


def short_moment(moment: datetime, now: datetime) -> str:
    """``14:05`` for a moment of today, else ``3 Mar, 14:05``, with the year if it is another; in the reader's zone."""
    local, today = localtime(moment), localtime(now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b, %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y, %H:%M}"


def span_text(span: timedelta) -> str:
    """A length of time for people, seconds left out: 15 min, 2 h, 1 h 30 min."""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part)
