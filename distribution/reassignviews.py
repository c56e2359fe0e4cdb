"""Managers give many leads to somebody else at once: to a person, or to whom the rules choose."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.selectors import manageable_reps
from distribution.services import assign_lead, reassign_lead
from distribution.teampage import manages
from leadcrm.lib.pages import PageRequest, back
from pipeline.errors import StaleLead
from pipeline.many import each, read_chosen
from pipeline.models import Lead
from pipeline.selectors import workable_leads


class ReassignForm(forms.Form):
    """Who gets the leads, and why."""

    reason = forms.CharField(label="Why", max_length=200, required=False)

    def __init__(self, reps: QuerySet[Rep], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["to"] = forms.ModelChoiceField(
            reps, label="Who gets them", required=False, empty_label="Whom the rules choose"
        )
        self.order_fields(("to", "reason"))


@login_required
@require_POST
def reassign(request: PageRequest) -> HttpResponse:
    """Ask to whom, then do it: each lead by itself; what cannot be reassigned stays, and is named."""
    if not manages(request.user):
        raise Http404("There is no such page.")
    chosen = read_chosen(request.POST.getlist("lead"))
    leads = managed_leads(request.user).filter(uid__in=chosen)
    asked = "reason" in request.POST
    form = ReassignForm(manageable_reps(request.user).order_by("name"), request.POST if asked else None)
    if not asked or not form.is_valid():
        context = {"section": "board", "form": form, "leads": leads, "next": request.POST.get("next", "")}
        template = "distribution/_reassign.html" if request.htmx else "distribution/reassign.html"
        return render(request, template, context, status=422 if asked else 200)
    to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]

    def act(lead: Lead) -> None:
        if lead.version != chosen[lead.uid]:
            raise StaleLead
        if to is None and lead.owner_id is None:
            assign_lead(lead.pk, actor=request.user)
        else:
            reassign_lead(lead.pk, to=to, actor=request.user, reason=reason)

    done, refused = each(leads, act, DistributionError)
    messages.add_message(
        request,
        messages.ERROR if refused else messages.SUCCESS,
        " ".join([f"{len(done)} reassigned to {to.name if to else 'whom the rules chose'}.", *refused]),
    )
    return back(request, reverse("board"))


def managed_leads(user: User) -> QuerySet[Lead]:
    """The open leads that a user may give to somebody else: of the teams the user manages, or all."""
    leads = workable_leads(user).filter(closed_at=None, archived_at=None)
    return leads if user.has_perm("pipeline.change_lead") else leads.filter(team__manager=user)
