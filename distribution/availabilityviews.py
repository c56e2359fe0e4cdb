"""Pages about who is there: a rep's own, and a manager's of the team."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from distribution.availabilityforms import AwayForm, CalendarForm, LeaveForm
from distribution.availabilitypage import build_availability, build_calendar, build_leave
from distribution.errors import DistributionError, WrongValue
from distribution.leavecalendars import NOT_NOW, ask
from distribution.leavespan import span_text
from distribution.models import Leave, LeaveCalendar, Rep
from distribution.selectors import manageable_reps, rep_of
from distribution.services.availability import cancel_leave, change_leave, plan_leave, set_available, set_away
from leadcrm.lib.pages import PageRequest, back


@login_required
@require_safe
def mine(request: PageRequest) -> HttpResponse:
    """When the signed-in rep is there."""
    rep = rep_of(request.user)
    if rep is None:
        return render(request, "distribution/no_rep.html", {"section": "availability"})
    return _page(request, rep)


@login_required
@require_safe
def one(request: PageRequest, pk: int) -> HttpResponse:
    """When somebody is there whom the reader manages."""
    return _page(request, _rep(request, pk))


@login_required
@require_POST
def status(request: PageRequest, pk: int) -> HttpResponse:
    """Here, or away with a reason and an end."""
    rep = _rep(request, pk)
    if request.POST.get("status") == Rep.Status.AVAILABLE:
        set_available(rep, actor=request.user)
        messages.success(request, f"{_subject(request, rep)} available again.")
        return _back(request, rep)
    form = AwayForm(request.POST, auto_id="away_%s")
    if save_away(rep, form, request.user):
        messages.success(request, f"{_subject(request, rep)} away: no new leads meanwhile.")
        return _back(request, rep)
    return _page(request, rep, away=form)


def save_away(rep: Rep, form: AwayForm, actor: User) -> bool:
    """Whether somebody is away now as a form asks for; otherwise the form says what is wrong."""
    try:
        if form.is_valid():
            set_away(rep, **form.cleaned_data, actor=actor)
            return True
    except WrongValue as error:
        form.add_error(error.field, str(error))
    return False


@login_required
@require_POST
def add_leave(request: PageRequest, pk: int) -> HttpResponse:
    """Plan leave."""
    rep = _rep(request, pk)
    form = LeaveForm(rep, request.POST, auto_id="leave_%s")
    plan = partial(plan_leave, rep, actor=request.user)
    return save_leave(request, form, plan, "Leave is planned") or _page(request, rep, leave=form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_leave(request: PageRequest, pk: int, leave_pk: int) -> HttpResponse:
    """Change leave that is not over."""
    rep = _rep(request, pk)
    leave = _leave(rep, leave_pk)
    form = LeaveForm(rep, request.POST or None, leave=leave, auto_id="leave_%s")
    if done := save_leave(request, form, partial(change_leave, leave, actor=request.user), "Leave was changed"):
        return done
    context = {"section": "availability", "rep": rep, "leave": leave, "form": form, "own": rep.user == request.user}
    return render(request, "distribution/leave.html", context, status=422 if form.is_bound else 200)


def save_leave(
    request: PageRequest, form: LeaveForm, save: Callable[..., Leave], done: str
) -> HttpResponseRedirect | None:
    """Save what a form asks for and go back; None when it must be filled in again, and it says why. ``done``: what was
    done then, without the dates."""
    try:
        if not form.is_valid():
            return None
        leave = save(**form.terms())
        messages.success(request, f"{done}: {span_text(leave)}.")
    except WrongValue as error:
        form.blame(error)
        return None
    except DistributionError as error:
        messages.error(request, str(error))
    return _back(request, form.rep)


@login_required
@require_POST
def end_leave(request: PageRequest, pk: int, leave_pk: int) -> HttpResponse:
    """Take leave back, or end it now."""
    rep = _rep(request, pk)
    leave = _leave(rep, leave_pk)
    try:
        cancel_leave(leave, actor=request.user)
        messages.success(request, f"Leave was cancelled: {span_text(leave)}.")
    except DistributionError as error:
        messages.error(request, str(error))
    return _back(request, rep)


@login_required
@require_POST
def calendar(request: PageRequest, pk: int) -> HttpResponse:
    """Follow a calendar on the web, read it now, or follow it no longer."""
    rep = _rep(request, pk)
    wish, row = request.POST.get("wish"), LeaveCalendar.objects.filter(rep=rep).first()
    if wish == "forget":
        LeaveCalendar.objects.filter(rep=rep).delete()
        messages.success(request, "The calendar is followed no longer. Leave that came from it stays.")
    elif wish == "read" and row is not None:
        _ask(request, row)
    else:
        return _follow(request, rep)
    return _back(request, rep)


def _follow(request: PageRequest, rep: Rep) -> HttpResponse:
    form = CalendarForm(request.POST, auto_id="calendar_%s")
    if not form.is_valid():
        return _page(request, rep, calendar=form)
    anew: dict[str, Any] = {"url": form.cleaned_data["url"], "etag": "", "read_at": None, "error": "", "result": ""}
    row, _ = LeaveCalendar.objects.update_or_create(rep=rep, defaults=anew)
    _ask(request, row)
    return _back(request, rep)


def _ask(request: PageRequest, row: LeaveCalendar) -> None:
    if ask(row.pk):
        messages.success(request, "The calendar is being read. What came of it appears under Calendar.")
    else:
        messages.warning(request, NOT_NOW)


@login_required
@require_safe
def reading(request: PageRequest, pk: int) -> HttpResponse:
    """How it stands with the reading of the calendar: a part of the page that asks again until it is done."""
    rep, now = _rep(request, pk), timezone.now()
    page = {"id": rep.pk, "calendar": build_calendar(rep, now), "leave": build_leave(rep, now)}
    return render(request, "distribution/_reading.html", {"page": page})


# --- What all of them need -------------------------------------------------------------------------


def _rep(request: PageRequest, pk: int) -> Rep:
    """Somebody whom the reader may manage; 404 for everybody else."""
    return get_object_or_404(manageable_reps(request.user).select_related("user"), pk=pk)


def _leave(rep: Rep, pk: int) -> Leave:
    return get_object_or_404(rep.leaves.select_related("rep", "cover"), pk=pk)


def _subject(request: PageRequest, rep: Rep) -> str:
    return "You are" if rep.user_id == request.user.pk else f"{rep.name} is"


def _back(request: PageRequest, rep: Rep) -> HttpResponseRedirect:
    own = rep.user_id == request.user.pk
    page = redirect("my-availability") if own else redirect("availability", pk=rep.pk)
    return back(request, page.url)


def _page(request: PageRequest, rep: Rep, **filled: Any) -> HttpResponse:
    own = rep.user_id == request.user.pk
    forms = {
        "away": AwayForm(auto_id="away_%s"),
        "leave": LeaveForm(rep, auto_id="leave_%s"),
        "calendar": CalendarForm(auto_id="calendar_%s"),
    }
    context = {
        "section": "availability" if own else "team",
        "page": build_availability(rep, own, timezone.now()),
        "forms": forms | filled,
    }
    return render(request, "distribution/availability.html", context, status=422 if filled else 200)
