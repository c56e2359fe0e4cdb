"""How moments are written inside sentences, which are stored and read everywhere."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """``2026-01-31 14:05 UTC``, whatever the zone of an aware moment."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
