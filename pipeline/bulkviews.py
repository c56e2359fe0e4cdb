"""What people do with many leads of a board at once: move them, and undo that. Each lead is done by itself."""

from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from leadcrm.lib.pages import PageRequest
from pipeline.boardforms import BulkForm
from pipeline.errors import StageFull, TooLate, WrongStage
from pipeline.many import MOST_AT_ONCE, Outcome, each, read_chosen, too_many, with_others
from pipeline.models import Lead, Stage
from pipeline.moveviews import answer
from pipeline.selectors import workable_leads
from pipeline.services.moving import last_moves, move_on, take_back
from pipeline.views import Opened, this_board

_SALT: Final = "leadcrm.undo-many"
# What another stage would mend.
_OF_STAGE: Final = (StageFull, WrongStage)


@login_required
@require_POST
def bulk(request: PageRequest, slug: str) -> HttpResponse:
    """Move many cards: what cannot be moved stays, and is named."""
    opened = this_board(request, slug)
    chosen = read_chosen(request.POST.getlist("lead"))
    if not chosen:
        return answer(request, opened, [], "Choose leads first.", tone="error")
    if len(chosen) > MOST_AT_ONCE:
        return answer(request, opened, [], too_many(chosen), tone="error")
    leads = list(_workable(request, opened).filter(uid__in=chosen))
    form = BulkForm(opened.view.pipeline.stages.all(), leads, request.POST)
    if not form.is_valid():
        return _bulk_form(request, opened, leads, form)
    outcome = with_others(_move(request, leads, chosen, form), chosen, leads, request.user)
    text = outcome.told(f"moved to “{form.cleaned_data['stage']}”")
    if not outcome.done and any(refusal.error in _OF_STAGE for refusal in outcome.refused):
        form.add_error("stage", text)
        return _bulk_form(request, opened, leads, form)
    return _told(request, opened, leads, outcome, text, _way_back(opened, outcome.done))


def _workable(request: PageRequest, opened: Opened) -> QuerySet[Lead]:
    leads = workable_leads(request.user).filter(stage__pipeline=opened.view.pipeline)
    return leads.select_related("stage__pipeline", "source").order_by("pk")


def _move(request: PageRequest, leads: list[Lead], chosen: dict[UUID, int], form: BulkForm) -> Outcome:
    stage: Stage = form.cleaned_data["stage"]

    def act(lead: Lead) -> None:
        if lead.stage_id == stage.pk:
            raise WrongStage(f"In “{stage}” already.")
        version, reason = chosen[lead.uid], form.cleaned_data["lost_reason"]
        move_on(lead, stage, actor=request.user, version=version, lost_reason=reason, worth=form.worth(lead))

    return each(leads, act)


def _bulk_form(request: PageRequest, opened: Opened, leads: list[Lead], form: BulkForm) -> HttpResponse:
    """Asks for what is missing or wrong; what was not asked for yet is no fault."""
    if not form.asked():
        form = BulkForm(opened.view.pipeline.stages.all(), leads, initial={"stage": form.cleaned_data["stage"].slug})
    context = {
        "section": "board",
        "view": opened.view,
        "stages": opened.stages,
        "form": form,
        "ticked": request.POST.getlist("lead"),
        "next": request.POST.get("next", ""),
    }
    template = "board/_bulk_form.html" if request.htmx else "board/bulk.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def undo_many(request: PageRequest, slug: str) -> HttpResponse:
    """Take back a move of many that was just made: what somebody changed meanwhile stays, and is named."""
    opened = this_board(request, slug)
    versions = _moved(request.GET.get("moved", ""))
    leads = list(_workable(request, opened).filter(pk__in=versions))
    if not leads:
        return answer(request, opened, [], str(TooLate()), tone="error")
    moves = last_moves(leads)
    outcome = each(
        leads, lambda lead: take_back(lead, moves.get(lead.pk), actor=request.user, version=versions[lead.pk])
    )
    return _told(request, opened, leads, outcome, outcome.told("put back where they were"))


def _way_back(opened: Opened, moved: list[Lead]) -> str:
    """Where these moves are undone: the leads and their versions fit into an address, also of the most at once."""
    versions = [(lead.pk, lead.version) for lead in moved]
    packed = signing.dumps(versions, salt=_SALT, compress=True)
    return opened.view.url("board-undo-many", moved=packed) if moved else ""


def _moved(packed: str) -> dict[int, int]:
    try:
        return dict(signing.loads(packed, salt=_SALT))
    except signing.BadSignature:
        return {}


def _told(
    request: PageRequest, opened: Opened, leads: list[Lead], outcome: Outcome, text: str, undo: str = ""
) -> HttpResponse:
    ids, named = [lead.pk for lead in leads], [lead.uid for lead in leads]
    return answer(request, opened, ids, text, tone=outcome.tone, undo=undo, named=named, left=outcome.left)
