"""Leave from a calendar: the plan first, then the same plan carried out. From a file, or from a calendar on the web."""

from typing import Any, Final, cast
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelect2Widget

from distribution.icsfile import LARGEST_FILE, Reading
from distribution.leavecalendars import (
    NOT_NOW,
    LeavePlan,
    Origin,
    apply_leave,
    ask,
    ask_preview,
    plan_leave,
    preview,
    read_leave,
)
from distribution.models import LeaveCalendar, Rep
from leadcrm.lib.text import Unreadable

NAME: Final = "distribution_leave_import"
PLAN: Final = "distribution_leavecalendar_plan"
PERMISSION: Final = "distribution.add_leave"
KEPT_FOR: Final = 3600
# Seconds after which a page that waits for a task looks again, also when no task can be started.
LOOK_AGAIN: Final = 2
LOOK_AGAIN_LATER: Final = 15


class FileForm(forms.Form):
    rep = forms.ModelChoiceField(
        Rep.objects.filter(active=True),
        empty_label="Select value",
        widget=UnfoldAdminSelect2Widget,
        label="Whose leave",
    )
    calendar = forms.FileField(
        label="Calendar file",
        widget=forms.FileInput({"class": " ".join(INPUT_CLASSES), "accept": ".ics,text/calendar"}),
        help_text="An .ics file as Google, Outlook or Apple export it. All-day entries shown as busy are leave.",
    )

    def clean_calendar(self) -> Any:
        file = self.cleaned_data["calendar"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(f"At most {LARGEST_FILE // 1_000_000} MB.")
        return file


def import_urls(model_admin: Any) -> list[URLPattern]:
    def from_file(request: HttpRequest) -> HttpResponse:
        return file_view(model_admin, request)

    def from_web(request: HttpRequest, pk: int) -> HttpResponse:
        return web_view(model_admin, request, pk)

    guarded = model_admin.admin_site.admin_view
    return [
        path("import/", guarded(from_file), name=NAME),
        path("calendar/<int:pk>/plan/", guarded(from_web), name=PLAN),
    ]


def plan_url(calendar: LeaveCalendar) -> SafeString:
    url = reverse(f"admin:{PLAN}", args=[calendar.pk])
    return format_html('<a class="text-link" href="{}">Show the plan</a>', url)


def file_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form; with a file the plan; with a confirmed plan what was done."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method == "POST" and "ticket" in request.POST:
        return _confirm_file(request)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        rep, content = form.cleaned_data["rep"], form.cleaned_data["calendar"].read()
        try:
            reading = read_leave(content, rep, timezone.now())
        except Unreadable as fault:
            form.add_error("calendar", str(fault))
        else:
            ticket = uuid4().hex
            cache.set(_key(request, ticket), (rep.pk, reading), KEPT_FOR)
            return _plan_page(model_admin, request, rep, reading, Origin.FILE, ticket)
    return _page(model_admin, request, form=form)


def _confirm_file(request: HttpRequest) -> HttpResponse:
    """Plan again, since leave may have changed meanwhile, and carry it out."""
    key = _key(request, request.POST["ticket"][:64])
    kept = cache.get(key)
    rep = Rep.objects.filter(pk=kept[0]).first() if kept else None
    if rep is None:
        messages.error(request, "This file is not kept any more. Upload it again.")
        return HttpResponseRedirect(reverse(f"admin:{NAME}"))
    _tell(request, rep, apply_leave(rep, kept[1], timezone.now(), Origin.FILE, cast(User, request.user)))
    cache.delete(key)
    return _to_leave_of(rep)


def web_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """What reading a calendar on the web would change, as soon as a task has fetched it; on POST it is read."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    calendar = LeaveCalendar.objects.select_related("rep").filter(pk=pk).first()
    if calendar is None:
        raise Http404("There is no such calendar.")
    if request.method == "POST":
        return _read(request, calendar)
    found = preview(calendar)
    if found is None:
        return _waiting_page(model_admin, request, calendar)
    if isinstance(found, str):
        return _page(model_admin, request, fault=found)
    return _plan_page(model_admin, request, calendar.rep, found, Origin.CALENDAR)


def _read(request: HttpRequest, calendar: LeaveCalendar) -> HttpResponse:
    if ask(calendar.pk):
        messages.success(request, f"{calendar} is being read.")
    else:
        messages.warning(request, NOT_NOW)
    return HttpResponseRedirect(reverse("admin:distribution_leavecalendar_change", args=[calendar.pk]))


def _waiting_page(model_admin: Any, request: HttpRequest, calendar: LeaveCalendar) -> HttpResponse:
    """Says what is waited for, and looks again by itself."""
    started = ask_preview(calendar)
    response = _page(model_admin, request, waiting=calendar.rep, started=started)
    response.headers["Refresh"] = str(LOOK_AGAIN if started else LOOK_AGAIN_LATER)
    return response


def _key(request: HttpRequest, ticket: str) -> str:
    return f"leave-file-{request.user.pk}-{''.join(filter(str.isalnum, ticket))}"


def _tell(request: HttpRequest, rep: Rep, plan: LeavePlan) -> None:
    messages.success(request, f"Leave of {rep}: {plan.words}, {plan.same} as before.")


def _to_leave_of(rep: Rep) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:distribution_leave_changelist", query={"rep__id__exact": rep.pk}))


def _plan_page(
    model_admin: Any, request: HttpRequest, rep: Rep, reading: Reading, origin: Origin, ticket: str = ""
) -> HttpResponse:
    plan = plan_leave(rep, reading, timezone.now(), origin)
    return _page(model_admin, request, rep=rep, plan=plan, ticket=ticket)


def _page(model_admin: Any, request: HttpRequest, **context: Any) -> HttpResponse:
    form = context.get("form")
    shared = {
        **model_admin.admin_site.each_context(request),
        "title": "Leave from a calendar",
        "opts": model_admin.opts,
        "media": model_admin.media + (form.media if form else forms.Media()),
    }
    return TemplateResponse(request, "admin/distribution/leave/import.html", {**shared, **context})
