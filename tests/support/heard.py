"""How far an open page has heard of what happens, as it says itself and as it is told."""

from django.http import HttpResponse
from django.utils import timezone

from pipeline.cursor import Cursor


def heard_up_to(event: int) -> str:
    """What a page hands back that has heard of everything up to an event, while nothing was under way."""
    return str(Cursor(newest=event, since=event, known=0, settling=event, at=int(timezone.now().timestamp())))


def newest_told(response: HttpResponse) -> int:
    """The event up to which a page has heard with this answer."""
    cursor = Cursor.read(response.headers["X-Newest-Event"])
    assert cursor
    return cursor.newest
