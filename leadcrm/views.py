from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from leadcrm.lib.pages import back

THEMES: Final = ("light", "dark")
A_YEAR: Final = 365 * 24 * 60 * 60


class SignIn(LoginView):
    """Signing in. A part of a page that was asked for after the session ended takes the whole page here."""

    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        htmx = getattr(request, "htmx", None)
        if htmx and not request.user.is_authenticated:
            query = urlencode({"next": htmx.current_url_abs_path or "/"})
            return HttpResponseClientRedirect(f"{resolve_url('login')}?{query}")
        return super().dispatch(request, *args, **kwargs)


def admin_sign_in(request: HttpRequest) -> HttpResponseBase:
    """The admin's sign-in. Whoever is signed in and may not open the admin is told so, with the ways on from here."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        wanted = request.GET.get("next", resolve_url("admin:index"))
        return render(request, "registration/not_staff.html", {"next": wanted}, status=403)
    return admin.site.login(request)


@require_POST
def appearance(request: HttpRequest) -> HttpResponseBase:
    """Light or dark, kept in this browser; anything else lets the device decide again."""
    response = back(request, resolve_url("home"))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=A_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
