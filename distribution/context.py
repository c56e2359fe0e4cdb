"""What pages show of the reader, whichever app they belong to."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from distribution.compiling import live_timetable
from distribution.offers import build_offers
from distribution.people import load_person
from distribution.states import State, state_of
from distribution.teampage import manages


def availability(request: HttpRequest) -> dict[str, Any]:
    """``my_state``: whether the reader takes leads now, None for who cannot own any; ``manages``: has a team;
    ``offers``: what the reader may take now. Each is asked for only by templates that show it."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) and not (user and user.is_authenticated):
        return {}
    return {
        "my_state": SimpleLazyObject(lambda: _state(user)),
        "manages": SimpleLazyObject(lambda: manages(user)),
        "offers": SimpleLazyObject(lambda: build_offers(user, timezone.now())),
    }


def _state(user: User) -> State | None:
    now = timezone.now()
    found = load_person(user, now, live_timetable())
    return state_of(found, now) if found else None
