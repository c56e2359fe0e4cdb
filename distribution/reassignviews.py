"""Managers give many leads to somebody else at once: to a person, or to whom the rules choose."""

from collections.abc import Iterable
from itertools import groupby
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from distribution.errors import DistributionError, WrongState
from distribution.models import Rep
from distribution.passingforms import PassOnForm
from distribution.selectors import leads_to_pass_on
from distribution.services import assign_lead, reassign_lead
from distribution.teampage import manages
from leadcrm.lib.moments import in_readers_zone
from leadcrm.lib.pages import PageRequest, Tone, back, tell
from pipeline.display import person
from pipeline.errors import StaleLead
from pipeline.many import MOST_AT_ONCE, Outcome, each, names_of, read_chosen, too_many, with_others
from pipeline.models import Lead


@login_required
@require_POST
def reassign(request: PageRequest) -> HttpResponse:
    """Ask to whom, then do it: each lead by itself; what cannot be reassigned stays, and is named."""
    chosen = read_chosen(request.POST.getlist("lead"))
    leads = list(leads_to_pass_on(request.user).filter(uid__in=chosen).order_by("pk"))
    if not leads and not manages(request.user):
        raise Http404("There is no such page.")
    if len(chosen) > MOST_AT_ONCE:
        tell(request, "error", too_many(chosen))
        return back(request, reverse("board"))
    asked = "reason" in request.POST
    form = PassOnForm(request.user, request.POST if asked else None)
    if not asked or not form.is_valid():
        return _form(request, form, leads, chosen)
    to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
    outcome = _reassign(request, leads, chosen, to, reason)
    if not outcome.done and to and any(refusal.error is WrongState for refusal in outcome.refused):
        form.add_error("to", outcome.told(f"given to {to.name}"))
        return _form(request, form, leads, chosen)
    outcome = with_others(outcome, chosen, leads, request.user, "Closed, or not yours to pass on.")
    tell(request, _tone(outcome, to), _told(outcome, to))
    return back(request, reverse("board"))


def _form(request: PageRequest, form: PassOnForm, leads: list[Lead], chosen: dict[UUID, int]) -> HttpResponse:
    context = {
        "section": "board",
        "form": form,
        "leads": leads,
        "ticked": [f"{uid}:{version}" for uid, version in chosen.items()],
        "others": len(chosen) - len(leads),
        "next": request.POST.get("next", ""),
    }
    template = "distribution/_reassign.html" if request.htmx else "distribution/reassign.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


def _reassign(
    request: PageRequest, leads: Iterable[Lead], chosen: dict[UUID, int], to: Rep | None, reason: str
) -> Outcome:
    def act(lead: Lead) -> None:
        version = chosen[lead.uid]
        if lead.version != version:
            raise StaleLead
        if to is None and lead.owner_id is None:
            assign_lead(lead.pk, actor=request.user)
        else:
            reassign_lead(lead.pk, to=to, actor=request.user, reason=reason, version=version)

    return each(leads, act, DistributionError)


def _tone(outcome: Outcome, to: Rep | None) -> Tone:
    """How it is told: no lead that lost its owner to nobody is a success."""
    alone = to is None and Lead.objects.filter(pk__in=[lead.pk for lead in outcome.done], owner=None).exists()
    return "warning" if alone else outcome.tone


def _told(outcome: Outcome, to: Rep | None) -> str:
    """What was done with each lead; where the rules decided, what they decided."""
    if to is not None:
        return outcome.told(f"given to {to.name}")
    return "\n".join([outcome.told("left to the rules"), *_decided(outcome.done)])


def _decided(leads: Iterable[Lead]) -> Iterable[str]:
    fresh = Lead.objects.filter(pk__in=[lead.pk for lead in leads]).select_related("owner")
    by_words = sorted(((_where(lead), lead.pk, lead) for lead in fresh), key=lambda found: found[:2])
    for words, found in groupby(by_words, key=lambda found: found[0]):
        yield f"{names_of([lead for _, _, lead in found])}: {words}"


def _where(lead: Lead) -> str:
    """Who has a lead, or why nobody does."""
    if lead.owner:
        return f"{person(lead.owner)} has it now."
    return f"nobody has it yet. {in_readers_zone(lead.routing_sentence)}"
