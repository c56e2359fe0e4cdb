"""How a lead leaves its owner: returned as invalid, given back, or passed on by a manager."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from distribution.errors import DistributionError
from distribution.passingforms import GiveBackForm, GiveForm, PassOnForm, ReturnForm
from distribution.selectors import leads_to_pass_on, may_give_up, may_pass_on
from distribution.services import reassign_lead, release_lead, return_lead
from leadcrm.lib.pages import PageRequest, go, page_or_part
from pipeline.models import Lead
from pipeline.selectors import one_lead, visible_leads, work_lead

RETURN: Final = "return"
GIVE_BACK: Final = "give-back"
ONWARD: Final = "pass-on"


@login_required
@require_safe
def ways(request: PageRequest, uid: UUID) -> HttpResponse:
    """How the reader may part with a lead."""
    lead = work_lead(request.user, uid)
    return page_or_part(request, "distribution/passing.html", "distribution/_passing.html", _context(request, lead))


@login_required
@require_POST
def give_up(request: PageRequest, uid: UUID, way: str) -> HttpResponse:
    """The owner, or a manager, says that it is no lead, or that somebody else should have it."""
    lead = work_lead(request.user, uid)
    if not may_give_up(request.user, lead):
        raise Http404("There is no such page.")
    form = (ReturnForm if way == RETURN else GiveBackForm)(request.POST, auto_id=f"{way}_%s")
    service = return_lead if way == RETURN else release_lead
    done = "was returned as invalid" if way == RETURN else "was given back"
    return _act(request, lead, way, form, lambda told: service(lead.pk, actor=request.user, **told), f"{lead} {done}.")


@login_required
@require_POST
def pass_on(request: PageRequest, uid: UUID) -> HttpResponse:
    """A manager gives the lead to a person, or lets the rules choose."""
    lead = one_lead(leads_to_pass_on(request.user), uid)
    form = _onward_form(request, lead, request.POST)
    return _act(
        request,
        lead,
        ONWARD,
        form,
        lambda told: reassign_lead(lead.pk, actor=request.user, **told),
        f"{lead} was passed on.",
    )


def _onward_form(request: PageRequest, lead: Lead, sent: QueryDict | None = None) -> PassOnForm:
    form = PassOnForm if lead.owner_id else GiveForm
    return form(request.user, sent, but=lead.owner_id, auto_id=f"{ONWARD}_%s")


def _act(
    request: PageRequest, lead: Lead, way: str, form: forms.Form, act: Callable[[dict[str, Any]], object], done: str
) -> HttpResponse:
    """Do it and go to where the lead can still be seen; what is wrong is said in the form."""
    try:
        if form.is_valid():
            act(form.cleaned_data)
            messages.success(request, done)
            return _after(request, lead)
    except DistributionError as error:
        form.add_error(None, str(error))
    return render(request, "distribution/passing.html", _context(request, lead, {way: form}), status=422)


def _after(request: PageRequest, lead: Lead) -> HttpResponse:
    seen = visible_leads(request.user).filter(pk=lead.pk).exists()
    return go(request, reverse("lead", args=[lead.uid]) if seen else reverse("board"))


def _context(request: PageRequest, lead: Lead, filled: dict[str, forms.Form] | None = None) -> dict[str, Any]:
    offered: dict[str, forms.Form] = {}
    if may_give_up(request.user, lead):
        offered = {RETURN: ReturnForm(auto_id="return_%s"), GIVE_BACK: GiveBackForm(auto_id="give-back_%s")}
    if may_pass_on(request.user, lead):
        offered[ONWARD] = _onward_form(request, lead)
    forms_by_way = {**offered, **(filled or {})}
    named = {way.replace("-", "_"): form for way, form in forms_by_way.items()}
    return {"section": "board", "lead": lead, "forms": named}
