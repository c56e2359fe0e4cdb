"""What managers see of their people, and do for them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from distribution.availabilityforms import LeaveForm
from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.passingforms import HandOverForm
from distribution.selectors import leads_to_pass_on, looked_after, manageable_reps
from distribution.services import reassign_lead
from distribution.teampage import build_team, manages
from leadcrm.lib.pages import PageRequest, page_or_part
from pipeline.many import each
from pipeline.models import Lead
from pipeline.selectors import one_lead


@login_required
@require_safe
def team(request: PageRequest) -> HttpResponse:
    """Who is here of those whom the reader manages, with what they have to do."""
    _check_manages(request)
    return _team_page(request)


@login_required
@require_POST
def give(request: PageRequest, pk: int) -> HttpResponse:
    """Somebody of the reader's gets a lead that somebody else of theirs has; the page as it is then."""
    _check_manages(request)
    to = get_object_or_404(manageable_reps(request.user), pk=pk)
    lead = one_lead(leads_to_pass_on(request.user), request.POST.get("lead", ""))
    try:
        reassign_lead(lead.pk, to=to, actor=request.user, reason="moved on the team's page")
        text, tone = f"{lead} is {to.name}'s now.", "success"
    except DistributionError as error:
        text, tone = str(error), "error"
    return trigger_client_event(_team_page(request), "toast", {"text": text, "tone": tone})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_all(request: PageRequest, pk: int) -> HttpResponse:
    """All open leads of somebody go to somebody else, for good or while they are on leave."""
    rep = get_object_or_404(looked_after(request.user).select_related("user"), pk=pk)
    leads = leads_to_pass_on(request.user).filter(owner=rep.user_id)
    form = HandOverForm(request.user, request.POST or None, but=rep.user_id, auto_id="hand_over_%s")
    if form.is_valid():
        _hand_over(request, rep, leads.order_by("created_at"), form.cleaned_data)
        return redirect("team-availability")
    lent = LeaveForm(rep, auto_id="leave_%s", initial={"lend_leads": True})
    context: dict[str, Any] = {"section": "team", "rep": rep, "count": leads.count(), "form": form, "leave": lent}
    return render(request, "distribution/hand_over.html", context, status=422 if form.is_bound else 200)


def _hand_over(request: PageRequest, rep: Rep, leads: Iterable[Lead], told: dict[str, Any]) -> None:
    done, refused = each(leads, lambda lead: reassign_lead(lead.pk, actor=request.user, **told), DistributionError)
    messages.success(request, f"{len(done)} lead{pluralize(len(done))} of {rep.name} handed over.")
    for sentence in refused:
        messages.warning(request, sentence)


def _check_manages(request: PageRequest) -> None:
    if not manages(request.user):
        raise Http404("There is no such page.")


def _team_page(request: PageRequest) -> HttpResponse:
    page = build_team(request.user, request.GET.get("page", ""), timezone.now())
    context = {"section": "team", "team": page}
    return page_or_part(request, "distribution/team.html", "distribution/_people.html", context)
