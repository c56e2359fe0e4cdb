"""What the head of every page shows of the reader."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from distribution.compiling import live_timetable
from distribution.models import Rep
from distribution.people import load_people
from distribution.states import State, state_of
from distribution.teampage import manages


def availability(request: HttpRequest) -> dict[str, Any]:
    """``my_state``: whether the reader takes leads now, None for who cannot own any; ``manages``: has a team. Both are
    asked for only by templates that show them."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) and not (user and user.is_authenticated):
        return {}
    return {"my_state": SimpleLazyObject(lambda: _state(user)), "manages": SimpleLazyObject(lambda: manages(user))}


def _state(user: User) -> State | None:
    now = timezone.now()
    found = load_people(Rep.objects.filter(user=user.pk, active=True), now, live_timetable())
    return state_of(found[0], now) if found else None
