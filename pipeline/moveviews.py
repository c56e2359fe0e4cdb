"""What people do on the board: move a card, undo that, add a lead.

Each is a form that works by itself. A board that asks for itself (htmx) is answered with the fresh cards instead of the
page: what was refused goes back to where it is.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from leadcrm.lib.pages import PageRequest, Tone, back, change_page, tell
from pipeline.boardchanges import changes_of
from pipeline.boardforms import MoveForm, QuickLeadForm
from pipeline.errors import NotSetUp, PipelineError, ReasonMissing, StaleLead, ValueMissing
from pipeline.intake import InvalidLead
from pipeline.models import Lead, Stage
from pipeline.selectors import work_lead, workable_leads
from pipeline.services.byhand import first_open, manual_source
from pipeline.services.leads import create_lead
from pipeline.services.moving import UNDO_SECONDS, move_on, place_below, place_lead, undo_move
from pipeline.views import Opened, this_board

_READ_AND_WRITE: Final = ["GET", "HEAD", "POST"]


@login_required
@require_http_methods(_READ_AND_WRITE)
def move(request: PageRequest, slug: str, uid: UUID) -> HttpResponse:
    """Move a card; asked for without a form, what the move needs to know."""
    opened, lead = this_board(request, slug), work_lead(request.user, uid)
    if request.method != "POST":
        asked = request.GET.get("stage", "")
        return _move_form(request, opened, lead, MoveForm(lead, initial={"stage": asked or _next_stage(opened, lead)}))
    form = MoveForm(lead, request.POST)
    if not form.is_valid():
        return _move_form(request, opened, lead, form)
    try:
        _move(request, lead, **form.cleaned_data)
    except (ReasonMissing, ValueMissing) as error:
        form.add_error("lost_reason" if isinstance(error, ReasonMissing) else "value", str(error))
        return _move_form(request, opened, lead, form)
    except InvalidLead as error:
        for fault in error.errors:
            form.add_error(fault.field if fault.field in form.fields else None, fault.detail)
        return _move_form(request, opened, lead, form)
    except PipelineError as error:
        return answer(request, opened, [lead.pk], str(error), tone="error", named=[uid])
    text = f"{lead} is in “{lead.stage}” now."
    way_back = opened.view.url("board-undo", str(uid), version=lead.version)
    return answer(request, opened, [lead.pk], text, undo=way_back, named=[uid])


def _move(request: PageRequest, lead: Lead, stage: Stage, version: int, above: UUID | None, **more: Any) -> None:
    """One card to a stage and, where cards are sorted by hand, to a place in it."""
    by_hand = lead.stage.pipeline.sorted_by_hand and stage.kind == Stage.Kind.OPEN and "above" in request.POST
    over = workable_leads(request.user).filter(uid=above, stage=stage).first() if above else None
    at = place_below(stage, over, lead) if by_hand else None
    if at and lead.stage_id == stage.pk and not lead.closed_at:
        place_lead(lead, at, actor=request.user, version=version)
        return
    worth = {"value": more["value"], "currency": more["currency"]}
    reason = more["lost_reason"]
    move_on(lead, stage, actor=request.user, version=version, lost_reason=reason, worth=worth, board_at=at)


def _next_stage(opened: Opened, lead: Lead) -> str:
    """The open stage that comes after the lead's own, else its own."""
    slugs = [stage.slug for stage in opened.stages if stage.kind == Stage.Kind.OPEN]
    following = slugs[slugs.index(lead.stage.slug) + 1 :][:1] if lead.stage.slug in slugs else []
    return next(iter(following), lead.stage.slug)


def _move_form(request: PageRequest, opened: Opened, lead: Lead, form: MoveForm) -> HttpResponse:
    context = {"section": "board", "view": opened.view, "lead": lead, "form": form, "stages": opened.stages}
    template = "board/_move_form.html" if request.htmx else "board/move.html"
    return render(request, template, context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def undo(request: PageRequest, slug: str, uid: UUID) -> HttpResponse:
    """Take back a move that was just made."""
    opened, lead = this_board(request, slug), work_lead(request.user, uid)
    version = request.GET.get("version", "")
    try:
        if not (version.isascii() and version.isdecimal() and len(version) < 10):
            raise StaleLead
        undo_move(lead, actor=request.user, version=int(version))
    except PipelineError as error:
        return answer(request, opened, [lead.pk], str(error), tone="error", named=[uid])
    return answer(request, opened, [lead.pk], f"{lead} is back in “{lead.stage}”.", named=[uid])


@login_required
@require_http_methods(_READ_AND_WRITE)
def add(request: PageRequest, slug: str) -> HttpResponse:
    """Enter a lead by hand. It is read and routed like any other."""
    opened = this_board(request, slug)
    if not opened.may_add:
        raise Http404("There is no such page.")
    pipeline, sent = opened.view.pipeline, request.method == "POST"
    try:
        first = first_open(pipeline, opened.stages)
        source = manual_source(pipeline, make=sent)
    except NotSetUp as error:
        return _add_form(request, opened, {"missing": error, "mend_url": change_page(request.user, error.where)}, sent)
    form = QuickLeadForm(source, request.POST if sent else None)
    if form.is_valid():
        try:
            lead = create_lead(
                source=source, fields=form.sent(), attributes=form.answers(), actor=request.user, stage=first
            )
        except InvalidLead as error:
            form.refuse(error.errors)
        else:
            return answer(request, opened, [lead.pk], f"{lead} was added, and the rules decide who gets it.")
    return _add_form(request, opened, {"form": form}, sent)


def _add_form(request: PageRequest, opened: Opened, shown: dict[str, Any], refused: bool) -> HttpResponse:
    template = "board/_add_form.html" if request.htmx else "board/add.html"
    context = {"section": "board", "view": opened.view, **shown}
    return render(request, template, context, status=422 if refused else 200)


def answer(
    request: PageRequest,
    opened: Opened,
    ids: list[int],
    text: str,
    *,
    tone: Tone = "success",
    undo: str = "",
    named: Collection[UUID] = (),
    left: Sequence[Lead] = (),
) -> HttpResponse:
    """What was done or refused: for a board its fresh cards, else a message on the page that the form came from.

    Args:
        tone: what was refused is an error.
        named: the leads that the request named: what is no more in its view leaves its board.
        left: of many, those that it was not done with.
    """
    view = opened.view
    if not request.htmx:
        tell(request, tone, text, undo)
        return back(request, view.url())
    context = {
        "changes": changes_of(view, opened.stages, ids, named),
        "view": view,
        "notice": {"text": text, "tone": tone, "undo": undo, "seconds": UNDO_SECONDS, "left": left},
    }
    return render(request, "board/_changes.html", context, status=409 if tone == "error" else 200)
