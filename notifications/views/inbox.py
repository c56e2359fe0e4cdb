"""What somebody is told in the app: the bell on every page, and the page behind it."""

from typing import Final

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from leadcrm.lib.pages import UNATTENDED, PageRequest, back, number_of, page_or_part
from notifications.selectors import ON_A_PAGE, lines_of, messages_of, unread_of
from notifications.services import reading

IN_THE_BELL: Final = 8
CHANGED: Final = "bell-changed"


@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """How many messages are unread. Asked by every open page every few seconds: what did not change is not sent again,
    and asking does not count as being there."""
    if not isinstance(request.user, User):  # signed out meanwhile: the sign-in page has no place in the bell
        return HttpResponse(status=204)
    setattr(request, UNATTENDED, True)
    unread = unread_of(request.user)
    if request.headers.get("If-None-Match") == unread.tag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "notifications/_count.html", {"unread": unread})
    response["ETag"] = unread.tag
    response["Cache-Control"] = "private, no-cache"
    return response


@login_required
@require_safe
def latest(request: PageRequest) -> HttpResponse:
    """The newest messages, as the bell shows them; on a page of its own where there are no scripts."""
    return _latest(request)


def _latest(request: PageRequest) -> HttpResponse:
    lines = lines_of(request.user, timezone.now(), limit=IN_THE_BELL)
    return page_or_part(request, "notifications/inbox.html", "notifications/_latest.html", {"lines": lines})


@login_required
@require_safe
def inbox(request: PageRequest) -> HttpResponse:
    """Everything somebody was told, newest first, a page at a time."""
    before, unread = number_of(request.GET.get("before", "")), "unread" in request.GET
    lines = lines_of(request.user, timezone.now(), before=before, unread=unread, limit=ON_A_PAGE + 1)
    shown = lines[:ON_A_PAGE]
    older = shown[-1].pk if len(lines) > ON_A_PAGE else None
    context = {"section": "inbox", "lines": shown, "older": older, "only_unread": unread}
    return render(request, "notifications/inbox.html", context)


@login_required
@require_POST
def read(request: PageRequest, pk: int) -> HttpResponse:
    """One message was read."""
    reading.mark_read(request.user, pk, timezone.now())
    return _after(request)


@login_required
@require_POST
def read_all(request: PageRequest) -> HttpResponse:
    """Everything up to the newest message that was shown was read."""
    reading.mark_all_read(request.user, number_of(request.POST.get("newest", "")), timezone.now())
    return _after(request)


@login_required
@require_POST
def open_message(request: PageRequest, pk: int) -> HttpResponse:
    """Go to what a message is about; that is reading it."""
    row = get_object_or_404(messages_of(request.user).select_related("lead"), pk=pk)
    reading.mark_read(request.user, pk, timezone.now())
    return HttpResponseRedirect(reverse("lead", args=[row.lead.uid]) if row.lead else reverse("inbox"))


def _after(request: PageRequest) -> HttpResponse:
    response = _latest(request) if request.htmx else back(request, reverse("inbox"))
    response["HX-Trigger"] = CHANGED
    return response
