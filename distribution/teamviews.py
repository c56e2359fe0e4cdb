"""What managers see of their people, and do for them."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from distribution.availabilityforms import LeaveForm, PauseForm, away_reasons
from distribution.availabilityviews import save_away, save_leave
from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.passingforms import HandOverForm
from distribution.selectors import leads_to_pass_on, looked_after, manageable_reps
from distribution.services import reassign_lead
from distribution.services.availability import plan_leave, set_available
from distribution.teampage import build_team, manages
from distribution.weekview import day_of, midnight
from leadcrm.lib.moments import short_moment
from leadcrm.lib.pages import PageRequest, answer, number_of, page_or_part, tell
from pipeline.errors import StaleLead
from pipeline.forms import MOMENT
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
def pause(request: PageRequest, pk: int) -> HttpResponse:
    """Somebody takes no new leads for now, with a reason and an end, or is back: ``status`` says so."""
    rep = get_object_or_404(looked_after(request.user).filter(active=True).select_related("user"), pk=pk)
    form, now = PauseForm(request.POST or None, auto_id=f"pause_{pk}_%s"), timezone.now()
    if request.POST.get("status") == Rep.Status.AVAILABLE:
        set_available(rep, actor=request.user)
        return _changed(request, f"{rep.name} takes new leads again.")
    if save_away(rep, form, request.user):
        until = f" until {short_moment(rep.away_until, now)}" if rep.away_until else ""
        return _changed(request, f"{rep.name} gets no new leads{until}: {rep.away_reason}.")
    today = day_of(now, rep.time_zone)
    ends = localtime(midnight(today + timedelta(days=1), rep.time_zone))
    context = {"section": "team", "rep": rep, "form": form, "reasons": away_reasons(), "day_ends": f"{ends:{MOMENT}}"}
    response = page_or_part(request, "distribution/pause.html", "distribution/_pause.html", context)
    response.status_code = 422 if form.is_bound else 200
    return response


def _changed(request: PageRequest, text: str) -> HttpResponse:
    return answer(request, "success", text, reverse("team-availability"), "team-changed")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_all(request: PageRequest, pk: int) -> HttpResponse:
    """All open leads of somebody go to somebody else, for good or while on leave. For good is asked twice, with
    the number of leads, and again when that has changed."""
    rep = get_object_or_404(looked_after(request.user).select_related("user"), pk=pk)
    leads = leads_to_pass_on(request.user).filter(owner=rep.user_id)
    form = _for_good(request, rep)
    if form.is_valid() and request.POST.get("sure") == str(leads.count()):
        _hand_over(request, rep, leads.order_by("created_at"), form.cleaned_data)
        return redirect("team-availability")
    today = day_of(timezone.now(), rep.time_zone)
    lent = LeaveForm(rep, auto_id="leave_%s", initial={"lend_leads": True, "first_day": today})
    return _ways_to_hand_over(request, rep, form, lent)


@login_required
@require_POST
def lend_all(request: PageRequest, pk: int) -> HttpResponse:
    """All open leads of somebody go to who stands in, until that one is back from the leave that is planned here."""
    rep = get_object_or_404(looked_after(request.user).select_related("user"), pk=pk)
    form = LeaveForm(rep, request.POST, auto_id="leave_%s")
    done = save_leave(request, form, partial(plan_leave, rep, actor=request.user), f"Leave of {rep.name} is planned")
    return done or _ways_to_hand_over(request, rep, _for_good(request, rep, sent=False), form)


def _for_good(request: PageRequest, rep: Rep, *, sent: bool = True) -> HandOverForm:
    data = request.POST or None if sent else None
    return HandOverForm(request.user, data, but=rep.user_id, auto_id="hand_over_%s")


def _ways_to_hand_over(request: PageRequest, rep: Rep, form: HandOverForm, leave: LeaveForm) -> HttpResponse:
    count = leads_to_pass_on(request.user).filter(owner=rep.user_id).count()
    context: dict[str, Any] = {"section": "team", "rep": rep, "count": count, "form": form, "leave": leave}
    refused = any(one.is_bound and not one.is_valid() for one in (form, leave))
    return render(request, "distribution/hand_over.html", context, status=422 if refused else 200)


def _hand_over(request: PageRequest, rep: Rep, leads: Iterable[Lead], told: dict[str, Any]) -> None:
    outcome = each(leads, lambda lead: reassign_lead(lead.pk, actor=request.user, **told), DistributionError)
    tell(request, outcome.tone, outcome.told(f"lead{pluralize(len(outcome.done))} of {rep.name} handed over"))


def _check_manages(request: PageRequest) -> None:
    if not manages(request.user):
        raise Http404("There is no such page.")


def _team_page(request: PageRequest) -> HttpResponse:
    page = build_team(request.user, request.GET.get("page", ""), timezone.now())
    here = f"{reverse('team-availability')}?page={page.page.number}"
    context = {"section": "team", "team": page, "here": here}
    return page_or_part(request, "distribution/team.html", "distribution/_people.html", context)
