"""The page of a lead, and what people do on it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leadcrm.lib.moments import moment_text
from leadcrm.lib.pages import PageRequest, go, number_of, page_or_part
from leadcrm.lib.text import clean
from pipeline.errors import BadWish, PipelineError, ReasonMissing, StaleLead, ValueMissing, WrongStage
from pipeline.forms import OUT, ContactForm, LeadEditForm, NoteForm, SnoozeForm, TaskForm
from pipeline.intake import InvalidLead
from pipeline.leadpage import build_lead_page
from pipeline.models import Lead, Stage
from pipeline.selectors import access_lead, work_lead
from pipeline.services.activity import add_note, record_contact, snooze_lead, wake_lead
from pipeline.services.leads import edit_lead
from pipeline.services.moving import move_on
from pipeline.tasklines import soon
from pipeline.timeline import SHOWS, build_timeline

FORMS: dict[str, type[forms.Form]] = {"contact": ContactForm, "note": NoteForm, "snooze": SnoozeForm}

Values = dict[str, Any]


@login_required
@require_safe
def lead(request: PageRequest, uid: UUID) -> HttpResponse:
    """Everything about one lead; ``?edit`` with its fields open, ``?done`` asking what comes next."""
    return lead_page(request, access_lead(request.user, uid))


@login_required
@require_safe
def history(request: PageRequest, uid: UUID) -> HttpResponse:
    """A page of the lead's history: all of it, or one kind of lines."""
    lead = access_lead(request.user, uid)
    found = build_timeline(
        lead, request.user, timezone.now(), request.GET.get("show", ""), request.GET.get("before", "")
    )
    context = {"section": "board", "uid": lead.uid, "title": str(lead), "history": found, "shows": SHOWS}
    return page_or_part(request, "lead/history.html", "lead/_timeline.html", context)


@login_required
@require_POST
def contact(request: PageRequest, uid: UUID) -> HttpResponse:
    """Somebody spoke or wrote with the lead."""

    def act(lead: Lead, values: Values) -> str:
        outbound = values.pop("direction") == OUT
        first = record_contact(lead, outbound=outbound, automatic=False, actor=request.user, **values)
        return "Noted: the first contact." if first else "Noted."

    return _act(request, uid, "contact", act)


@login_required
@require_POST
def note(request: PageRequest, uid: UUID) -> HttpResponse:
    """A note for colleagues."""

    def act(lead: Lead, values: Values) -> str:
        add_note(lead, **values, actor=request.user)
        return "Your note was added."

    return _act(request, uid, "note", act)


@login_required
@require_POST
def snooze(request: PageRequest, uid: UUID) -> HttpResponse:
    """The lead may rest until a moment."""

    def act(lead: Lead, values: Values) -> str:
        snooze_lead(lead, **values, actor=request.user)
        return f"{lead} is snoozed until {moment_text(values['until'])}."

    return _act(request, uid, "snooze", act)


@login_required
@require_POST
def wake(request: PageRequest, uid: UUID) -> HttpResponse:
    """The lead rests no longer."""
    lead = work_lead(request.user, uid)
    if wake_lead(lead, actor=request.user):
        messages.success(request, f"{lead} is awake again.")
    return redirect("lead", uid=uid)


@login_required
@require_POST
def stage(request: PageRequest, uid: UUID) -> HttpResponse:
    """The lead goes to another stage: lost needs a reason, won a value; a page that stood open too long is refused."""
    lead = work_lead(request.user, uid)
    wanted = _stage(lead, request.POST.get("stage", ""))
    reason, version = clean(request.POST.get("reason", "")), number_of(request.POST.get("version", ""), -1)
    worth = {"value": request.POST.get("value", ""), "currency": request.POST.get("currency", "")}
    try:
        move_on(lead, wanted, actor=request.user, lost_reason=reason, version=version, worth=worth)
    except (ReasonMissing, ValueMissing, InvalidLead) as error:
        said = error.errors[0].detail if isinstance(error, InvalidLead) else str(error)
        return lead_page(request, lead, {"stage": {"error": said, "slug": wanted.slug}})
    except PipelineError as error:
        messages.error(request, str(error))
        stale = isinstance(error, StaleLead)
        return lead_page(request, access_lead(request.user, uid), status=409 if stale else 422)
    undo = f"{reverse('board-undo', args=[lead.stage.pipeline.slug, uid])}?version={lead.version}"
    messages.success(request, f"{lead} is now in {wanted}.", extra_tags=undo)
    return redirect("lead", uid=uid)


def _stage(lead: Lead, slug: str) -> Stage:
    stages = {stage.slug: stage for stage in Stage.objects.filter(pipeline=lead.stage.pipeline_id)}
    if slug not in stages:
        raise Http404("There is no such stage.")
    return stages[slug]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PageRequest, uid: UUID) -> HttpResponse:
    """The fields of a lead, in their place on its page."""
    lead = work_lead(request.user, uid)
    if request.method != "POST":
        context = {"uid": lead.uid, "form": LeadEditForm(lead, auto_id="edit_%s")}
        return render(request, "lead/_edit.html", context) if request.htmx else redirect(f"/leads/{uid}/?edit#about")
    form = LeadEditForm(lead, request.POST, auto_id="edit_%s")
    if form.is_valid() and _edited(request, lead, form):
        return go(request, reverse("lead", args=[uid]))
    return lead_page(request, access_lead(request.user, uid), {"edit": form})


def _edited(request: PageRequest, lead: Lead, form: LeadEditForm) -> bool:
    """Write what was typed; what is wrong is said in the form."""
    try:
        changes = edit_lead(lead, form.edited(), actor=request.user, version=form.cleaned_data["version"])
    except InvalidLead as invalid:
        form.blame(invalid.errors)
        return False
    except StaleLead:
        form.add_error(None, "Somebody else changed this lead meanwhile. Save again to put your changes on top.")
        form.renew(lead.version)
        return False
    messages.success(request, f"{lead} was changed." if changes else "Nothing was changed.")
    return True


def _act(request: PageRequest, uid: UUID, key: str, act: Callable[[Lead, Values], str]) -> HttpResponse:
    """Do what a form asks for and go back to the lead; what is wrong is said at its field, and nothing is changed."""
    lead = work_lead(request.user, uid)
    form = FORMS[key](request.POST, auto_id=f"{key}_%s")
    try:
        if form.is_valid():
            messages.success(request, act(lead, form.cleaned_data))
            return go(request, reverse("lead", args=[uid]))
    except BadWish as error:
        form.add_error(error.field, str(error))
    except WrongStage as error:  # the form is not there any more
        messages.error(request, str(error))
        if request.htmx:
            return go(request, reverse("lead", args=[uid]))
    except PipelineError as error:
        form.add_error(None, str(error))
    return lead_page(request, lead, {key: form})


def lead_page(
    request: PageRequest, lead: Lead, filled: Mapping[str, Any] = MappingProxyType({}), *, status: int = 422
) -> HttpResponse:
    """The page of a lead. After a form that was refused: with the forms as they were filled in, and ``status``."""
    now = timezone.now()
    page = build_lead_page(lead, request.user, now, request.GET.get("show", ""), request.GET.get("before", ""))
    empty = _forms(lead, edit="edit" in request.GET) if page.works else {}
    context = {"section": "board", "page": page, "forms": {**empty, **filled}, "shows": SHOWS, "later": soon(now)}
    if page.works and "done" in request.GET:
        context["soon"] = context["later"]
    return render(request, "lead/lead.html", context, status=status if request.method == "POST" else 200)


def _forms(lead: Lead, *, edit: bool) -> dict[str, forms.Form]:
    """The empty forms of a page."""
    empty = {key: form(auto_id=f"{key}_%s") for key, form in FORMS.items()}
    empty["task"] = TaskForm(lead, auto_id="task_%s")
    return {**empty, "edit": LeadEditForm(lead, auto_id="edit_%s")} if edit else empty
