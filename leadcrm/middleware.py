from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from leadcrm.lib.readerzone import reader_zone

# The admin's widgets are Alpine, which evaluates expressions, and its htmx adds a style element.
ADMIN = "/admin/"
ADMIN_NEEDS = {"script-src": UNSAFE_EVAL, "style-src": UNSAFE_INLINE}


class PathAwareCSPMiddleware(CSPMiddleware):
    """The strict policy of the settings everywhere; what the admin's scripts need only under /admin/."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN):
            parts.update = {**(parts.update or {}), **ADMIN_NEEDS}
        return parts


class ReaderTimeZoneMiddleware:
    """Pages tell moments in the reader's time zone, which our script leaves in a cookie; without it, in UTC.

    In the admin they stay in UTC, because moments are typed in there too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with _zone_of(request):
            return self.get_response(request)


def _zone_of(request: HttpRequest) -> AbstractContextManager[None]:
    name = reader_zone(request)
    return timezone.override(name) if name and not request.path_info.startswith(ADMIN) else nullcontext()
