from csp.constants import UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase


class PathAwareCSPMiddleware(CSPMiddleware):
    """The strict policy of the settings everywhere; `eval` only in the admin, whose widgets (Alpine) need it."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/"):
            parts.update = {**(parts.update or {}), "script-src": UNSAFE_EVAL}
        return parts
