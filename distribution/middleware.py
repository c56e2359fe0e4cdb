"""Notes when a rep was last seen."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from distribution.services.availability import SEEN_EVERY, note_seen
from leadcrm.lib.pages import UNATTENDED


class LastSeenMiddleware:
    """Asks the database once a minute at most for each user; the cache remembers who was noted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A request that did not ask who the user is need not be asked now: that would cost a query.
        user: User | None = getattr(request, "_cached_user", None)
        if getattr(request, UNATTENDED, False):
            return response
        if user and user.is_authenticated and cache.add(f"seen:{user.pk}", True, SEEN_EVERY.total_seconds()):
            note_seen(user)
        return response
