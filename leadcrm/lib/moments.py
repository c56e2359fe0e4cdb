"""How moments are shown to people on pages. Inside sentences they are written by ``distribution.engine.moments``."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime


def moment_text(moment: datetime) -> str:
    """``31 Jan 2026, 14:05 CET``: in the reader's zone, in the admin in UTC."""
    return date_format(localtime(moment), "DATETIME_FORMAT")
