"""How moments are shown to people on pages. Inside sentences they are written by ``distribution.engine.moments``."""

from datetime import datetime, tzinfo

from django.utils.formats import date_format
from django.utils.timezone import localtime


def moment_text(moment: datetime, zone: tzinfo | None = None) -> str:
    """``31 Jan 2026, 14:05 CET``: in this zone, else in the reader's; in the admin that is UTC."""
    return date_format(localtime(moment, zone), "DATETIME_FORMAT")


def short_moment(moment: datetime, now: datetime) -> str:
    """``14:05`` for a moment of today, else ``3 Mar, 14:05``, with the year if it is another; in the reader's zone."""
    local, today = localtime(moment), localtime(now)
    if local.date() == today.date():
        return date_format(local, "H:i")
    return date_format(local, "j M, H:i" if local.year == today.year else "j M Y, H:i")
