from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

# The admin's widgets are Alpine, which evaluates expressions, and its htmx adds a style element.
ADMIN_NEEDS = {"script-src": UNSAFE_EVAL, "style-src": UNSAFE_INLINE}


class PathAwareCSPMiddleware(CSPMiddleware):
    """The strict policy of the settings everywhere; what the admin's scripts need only under /admin/."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/"):
            parts.update = {**(parts.update or {}), **ADMIN_NEEDS}
        return parts
