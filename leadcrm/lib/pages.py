"""What every view of pages needs, whichever app it belongs to."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

# Set on requests that an open page makes by itself: nobody need be there.
UNATTENDED: Final = "unattended"
# The header that tells an open page from where on to ask what changed (static/leadcrm/live.js).
NEWEST_EVENT: Final = "X-Newest-Event"
# How a message is meant, and looks.
Tone = Literal["success", "info", "warning", "error"]


class PageRequest(HttpRequest):
    """A request behind ``login_required``, with what the middleware added."""

    user: User
    htmx: HtmxDetails


def wants_part(request: PageRequest) -> bool:
    """Whether htmx asks for what it swaps in; to restore a page of its history it asks for the whole page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def page_or_part(request: PageRequest, page: str, part: str, context: Mapping[str, Any]) -> HttpResponse:
    """The page or, for htmx, only the part of it that is swapped in: the page includes the same template."""
    response = render(request, part if wants_part(request) else page, dict(context))
    patch_vary_headers(response, ("HX-Request",))
    return response


def go(request: PageRequest, url: str) -> HttpResponse:
    """To another page. For htmx by a header of its own: a redirect would be followed into the part that is swapped."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)


def tell(request: HttpRequest, tone: Tone, text: str, tags: str = "") -> None:
    """A message on the page that is shown next. ``tags``: what belongs to it, such as the address that undoes it."""
    messages.add_message(request, messages.DEFAULT_LEVELS[tone.upper()], text, extra_tags=tags)


def answer(request: PageRequest, tone: Tone, text: str, otherwise: str, *events: str) -> HttpResponse:
    """What was done or refused: for htmx a notice, and events by which the page looks what changed; else a message on
    the page that the form came from, or on ``otherwise``."""
    if not request.htmx:
        tell(request, tone, text)
        return back(request, otherwise)
    response = HttpResponse(status=204 if tone == "success" else 409)
    trigger_client_event(response, "toast", {"text": text, "tone": tone})
    for event in events:
        trigger_client_event(response, event)
    return response


def number_of(text: str, otherwise: int = 0) -> int:
    """A whole number that an address or a form carries, of at most 18 digits; ``otherwise`` for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else otherwise


def change_page(user: User, row: Model) -> str:
    """The page of the admin on which a user may change a row; empty where the user may not."""
    meta = row._meta
    may = user.is_staff and user.has_perm(f"{meta.app_label}.change_{meta.model_name}")
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]) if may else ""


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Back to the page whose form was sent (its field ``next``), if that is one of ours."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if ours else otherwise)
