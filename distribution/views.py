"""The pages of distribution: why a lead went where it went, and what reps do to get leads."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from distribution.decisionpage import build_decision_page
from distribution.errors import AlreadyTaken, DistributionError
from distribution.offers import too_late
from distribution.planpage import build_plan_page
from distribution.selectors import acting_rep, decision_of, lead_to_take
from distribution.services import accept_lead, claim_lead, pull_next
from leadcrm.lib.pages import PageRequest, Tone, answer, page_or_part
from pipeline.selectors import access_lead


@login_required
@require_safe
def decision(request: PageRequest, uid: UUID, number: int | None = None) -> HttpResponse:
    """Why a lead went where it went: the latest decision, or the one with this number."""
    lead = access_lead(request.user, uid)
    found = decision_of(lead, number)
    if number and found is None:
        raise Http404("There is no such decision about this lead.")
    page = build_decision_page(lead, found) if found else None
    context = {"section": "board", "lead": lead, "page": page}
    return page_or_part(request, "distribution/decision.html", "distribution/_panel.html", context)


@login_required
@require_safe
def plan(request: PageRequest, uid: UUID) -> HttpResponse:
    """What is promised to a lead, and what comes next if nobody does anything."""
    lead = access_lead(request.user, uid)
    context = {"section": "board", "lead": lead, "page": build_plan_page(lead, timezone.now())}
    return page_or_part(request, "distribution/plan.html", "distribution/_plan.html", context)


@login_required
@require_safe
def offers(request: PageRequest) -> HttpResponse:
    """What was offered to the signed-in rep, wherever else it may be seen."""
    return page_or_part(request, "distribution/offers.html", "distribution/_offers.html", {"section": "board"})


@login_required
@require_POST
def accept(request: PageRequest, uid: UUID) -> HttpResponse:
    """The owner takes the lead on."""
    lead = access_lead(request.user, uid)
    otherwise = reverse("lead", args=[uid])
    try:
        accept_lead(lead.pk, rep=acting_rep(request.user))
    except DistributionError as error:
        return _answer(request, str(error), "error", otherwise)
    return _answer(request, f"You have accepted {lead}.", "success", otherwise)


@login_required
@require_POST
def claim(request: PageRequest, uid: UUID) -> HttpResponse:
    """Take a lead that was offered; the first to do so has it, and the others did nothing wrong."""
    lead = lead_to_take(request.user, uid)
    try:
        claim_lead(lead.pk, rep=acting_rep(request.user))
    except AlreadyTaken:
        return _answer(request, too_late(request.user, lead), "info", reverse("board"))
    except DistributionError as error:
        return _answer(request, str(error), "error", reverse("board"))
    return _answer(request, f"{lead} is yours.", "success", reverse("board"))


def _answer(request: PageRequest, text: str, tone: Tone, otherwise: str) -> HttpResponse:
    return answer(request, tone, text, otherwise, "board-changed", "offers-changed")


@login_required
@require_POST
def pull(request: PageRequest) -> HttpResponse:
    """Ask for the next lead of the queues that the rep may take from."""
    try:
        taken = pull_next(acting_rep(request.user))
    except DistributionError as error:
        messages.error(request, str(error))
        return redirect("board")
    if taken is None:
        messages.info(request, "Nothing is waiting at the moment.")
        return redirect("board")
    messages.success(request, f"{taken.lead} is yours.")
    return redirect("lead", uid=taken.lead.uid)
