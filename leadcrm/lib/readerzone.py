"""The time zone of whoever reads a page."""

from functools import cache
from zoneinfo import available_timezones

from django.http import HttpRequest


def reader_zone(request: HttpRequest) -> str:
    """The IANA name that our script left in a cookie; "" when it left none, or none that is known."""
    name = request.COOKIES.get("time_zone", "")
    return name if name in _zones() else ""


@cache
def _zones() -> set[str]:
    """Read once: listing them walks through a directory tree."""
    return available_timezones()
