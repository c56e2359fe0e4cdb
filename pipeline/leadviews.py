"""The page of a lead, and what people do on it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from leadcrm.lib.pages import PageRequest
from pipeline.errors import BadWish, PipelineError
from pipeline.forms import OUT, ContactForm, NoteForm, SnoozeForm
from pipeline.leadpage import build_lead_page
from pipeline.models import Lead
from pipeline.selectors import access_lead, work_lead
from pipeline.services.activity import add_note, record_contact, snooze_lead, wake_lead

FORMS: dict[str, type[forms.Form]] = {"contact": ContactForm, "note": NoteForm, "snooze": SnoozeForm}

Values = dict[str, Any]


@login_required
@require_safe
def lead(request: PageRequest, uid: UUID) -> HttpResponse:
    """Everything about one lead."""
    return _page(request, access_lead(request.user, uid))


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
        return f"{lead} is snoozed."

    return _act(request, uid, "snooze", act)


@login_required
@require_POST
def wake(request: PageRequest, uid: UUID) -> HttpResponse:
    """The lead rests no longer."""
    lead = work_lead(request.user, uid)
    if wake_lead(lead, actor=request.user):
        messages.success(request, f"{lead} is awake again.")
    return redirect("lead", uid=uid)


def _act(request: PageRequest, uid: UUID, key: str, act: Callable[[Lead, Values], str]) -> HttpResponse:
    """Do what a form asks for and go back to the lead; what is wrong is said at its field, and nothing is changed."""
    lead = work_lead(request.user, uid)
    form = FORMS[key](request.POST, auto_id=f"{key}_%s")
    try:
        if form.is_valid():
            messages.success(request, act(lead, form.cleaned_data))
            return redirect("lead", uid=uid)
    except BadWish as error:
        form.add_error(error.field, str(error))
    except PipelineError as error:
        messages.error(request, str(error))
    return _page(request, lead, **{key: form})


def _page(request: PageRequest, lead: Lead, **filled: forms.Form) -> HttpResponse:
    page = build_lead_page(lead, request.user, timezone.now())
    empty = {key: form(auto_id=f"{key}_%s") for key, form in FORMS.items() if page.works}
    context = {"section": "board", "page": page, "forms": {**empty, **filled}}
    return render(request, "lead/lead.html", context, status=422 if filled else 200)
