"""What managers see of their people, and do for them."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
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
from leadcrm.lib.pages import PageRequest, number_of, page_or_part, tell
from pipeline.errors import StaleLead
from pipeline.many import each
from pipeline.models import Lead
from pipeline.selectors import one_lead
from pipeline.services.moving import UNDO_SECONDS


@login_required
@require_safe
def team(request: PageRequest) -> HttpResponse:
    """Who is here of those whom the reader manages, with what they have to do."""
    _check_manages(request)
    return _team_page(request)


@login_required
@require_POST
def give(request: PageRequest, pk: int) -> HttpResponse:
    """Somebody of the reader's gets a lead that somebody else of theirs has; the page as it is then. A page that stood
    open too long is refused, and what was done can be undone."""
    _check_manages(request)
    to = get_object_or_404(manageable_reps(request.user), pk=pk)
    lead = one_lead(leads_to_pass_on(request.user), request.POST.get("lead", ""))
    version = number_of(request.POST.get("version", ""), -1)
    try:
        reassign_lead(lead.pk, to=to, actor=request.user, reason="moved on the team's page", version=version)
    except (DistributionError, StaleLead) as error:
        refused = 409 if isinstance(error, StaleLead) else 422
        return _told(request, {"text": f"{lead} stayed where it is. {error}", "tone": "error"}, status=refused)
    done = {"text": f"{lead} is {to.name}'s now.", "tone": "success", "seconds": UNDO_SECONDS}
    return _told(request, {**done, "giveBack": _way_back(request, lead)})


def _way_back(request: PageRequest, lead: Lead) -> dict[str, Any] | None:
    """What to send to give a lead back to whom it was taken from, as far as the reader may."""
    before = manageable_reps(request.user).filter(user=lead.owner_id).first()
    lead.refresh_from_db(fields=["version"])
    values = {"lead": str(lead.uid), "version": lead.version}
    return {"url": reverse("team-give", args=[before.pk]), "values": values} if before else None


def _told(request: PageRequest, toast: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = _team_page(request)
    response.status_code = status
    return trigger_client_event(response, "toast", toast)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_all(request: PageRequest, pk: int) -> HttpResponse:
    """All open leads of somebody go to somebody else, for good or while on leave. For good is asked twice, with
    the number of leads, and again when that has changed."""
    rep = get_object_or_404(looked_after(request.user).select_related("user"), pk=pk)
    leads = leads_to_pass_on(request.user).filter(owner=rep.user_id)
    form = HandOverForm(request.user, request.POST or None, but=rep.user_id, auto_id="hand_over_%s")
    count = leads.count()
    if form.is_valid() and request.POST.get("sure") == str(count):
        _hand_over(request, rep, leads.order_by("created_at"), form.cleaned_data)
        return redirect("team-availability")
    lent = LeaveForm(rep, auto_id="leave_%s", initial={"lend_leads": True})
    context: dict[str, Any] = {"section": "team", "rep": rep, "count": count, "form": form, "leave": lent}
    refused = form.is_bound and not form.is_valid()
    return render(request, "distribution/hand_over.html", context, status=422 if refused else 200)


def _hand_over(request: PageRequest, rep: Rep, leads: Iterable[Lead], told: dict[str, Any]) -> None:
    outcome = each(leads, lambda lead: reassign_lead(lead.pk, actor=request.user, **told), DistributionError)
    tell(request, outcome.tone, outcome.told(f"lead{pluralize(len(outcome.done))} of {rep.name} handed over"))


def _check_manages(request: PageRequest) -> None:
    if not manages(request.user):
        raise Http404("There is no such page.")


def _team_page(request: PageRequest) -> HttpResponse:
    page = build_team(request.user, request.GET.get("page", ""), timezone.now())
    context = {"section": "team", "team": page}
    return page_or_part(request, "distribution/team.html", "distribution/_people.html", context)
