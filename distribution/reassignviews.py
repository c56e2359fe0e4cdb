"""Managers give many leads to somebody else at once: to a person, or to whom the rules choose."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from distribution.errors import DistributionError
from distribution.passingforms import PassOnForm
from distribution.selectors import leads_to_pass_on
from distribution.services import assign_lead, reassign_lead
from distribution.teampage import manages
from leadcrm.lib.pages import PageRequest, back
from pipeline.errors import StaleLead
from pipeline.many import MOST_AT_ONCE, each, read_chosen, too_many
from pipeline.models import Lead


@login_required
@require_POST
def reassign(request: PageRequest) -> HttpResponse:
    """Ask to whom, then do it: each lead by itself; what cannot be reassigned stays, and is named."""
    chosen = read_chosen(request.POST.getlist("lead"))
    leads = leads_to_pass_on(request.user).filter(uid__in=chosen)
    if not leads and not manages(request.user):
        raise Http404("There is no such page.")
    if len(chosen) > MOST_AT_ONCE:
        messages.error(request, too_many(chosen))
        return back(request, reverse("board"))
    asked = "reason" in request.POST
    form = PassOnForm(request.user, request.POST if asked else None)
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
