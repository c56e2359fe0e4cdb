"""The board."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from leadcrm.lib.pages import PageRequest, page_or_part
from pipeline.board import CARDS, MOST_CARDS, WHOSE, View, build_board, build_columns, default_who
from pipeline.models import Pipeline


@login_required
@require_safe
def board(request: PageRequest, slug: str = "") -> HttpResponse:
    """A pipeline's board; without a name that of the default pipeline."""
    pipelines = Pipeline.objects.filter(archived_at=None).order_by("-is_default", "name")
    pipeline = get_object_or_404(pipelines, slug=slug) if slug else pipelines.first()
    if pipeline is None:
        return render(request, "board/no_pipeline.html", {"section": "board"})
    page = build_board(_view(request, pipeline))
    return render(request, "board/board.html", {"section": "board", "board": page})


@login_required
@require_safe
def board_column(request: PageRequest, slug: str, stage: str) -> HttpResponse:
    """One column with as many cards as the address says."""
    pipeline = get_object_or_404(Pipeline, slug=slug, archived_at=None)
    view = _view(request, pipeline)
    column = build_columns(view, [get_object_or_404(pipeline.stages, slug=stage)])[0]
    context = {"section": "board", "column": column, "board_url": view.url(), "pipeline": pipeline.name}
    return page_or_part(request, "board/column.html", "board/_column.html", context)


def _view(request: PageRequest, pipeline: Pipeline) -> View:
    who = request.GET.get("who", "")
    return View(
        user=request.user,
        pipeline=pipeline,
        who=who if who in WHOSE else default_who(request.user),
        now=timezone.now(),
        cards=_cards(request.GET.get("cards", "")),
    )


def _cards(text: str) -> int:
    """How many cards a column shows: what the address says within bounds."""
    return max(CARDS, min(int(text), MOST_CARDS)) if text.isascii() and text.isdigit() and len(text) < 6 else CARDS
