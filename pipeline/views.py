"""The board: its page, the next cards of a column, and what changed since it was read."""

from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from leadcrm.lib.pages import NEWEST_EVENT, UNATTENDED, PageRequest, page_or_part
from pipeline.board import (
    WHOSE,
    Choice,
    View,
    build_board,
    build_columns,
    build_more,
    default_who,
    whose_choices,
)
from pipeline.boardchanges import Changes, build_changes, read_shown
from pipeline.boardfilters import read_filters
from pipeline.boardpanel import build_chips, build_views, views_of
from pipeline.cursor import LATEST, Cursor, look
from pipeline.models import Pipeline, Stage
from pipeline.reach import reach_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A board that a request is about: the view, its stages in order, all pipelines that the user may open, how far
    it has heard of what happens, whether the user may add leads, and the views that the user has kept."""

    view: View
    stages: list[Stage]
    pipelines: list[Pipeline]
    cursor: Cursor
    may_add: bool
    saved: list[dict[str, Any]]

    def tabs(self, name: str) -> list[Choice]:
        """The same page of the other pipelines; filters stay."""
        views = (replace(self.view, pipeline=pipeline) for pipeline in self.pipelines)
        return [Choice(view.pipeline.name, view.url(name), view.pipeline == self.view.pipeline) for view in views]


def open_board(request: PageRequest, slug: str = "") -> Opened | None:
    """The board of a pipeline, without a name of the default one; None when there is none that the user may open.

    Raises:
        Http404: there is none of this name, or it is not for this user.
    """
    reach = reach_of(request.user)
    shown = Stage.objects.filter(pipeline__archived_at=None).select_related("pipeline")
    shown = shown.annotate(**LATEST, saved=views_of(request.user, "pipeline"))
    found: list[Any] = list(shown.order_by("pipeline__name", "position", "id"))
    stages = [stage for stage in found if reach.opens(stage.pipeline_id)]
    pipelines = list(dict.fromkeys(stage.pipeline for stage in stages))
    if not pipelines and not slug:
        return None
    fitting = [one for one in pipelines if one.slug == slug or (not slug and one.is_default)] or pipelines[: not slug]
    if not fitting:
        raise Http404("There is no such board.")
    own = [stage for stage in stages if stage.pipeline_id == fitting[0].pk]
    who = request.GET.get("who", "")
    now = timezone.now()
    view = View(
        user=request.user,
        scope=reach.leads(),
        near=reach.near(),
        pipeline=fitting[0],
        stages=[stage.pk for stage in own],
        who=who if who in WHOSE else default_who(manages=bool(reach.managed), in_team=bool(reach.joined)),
        now=now,
        filters=read_filters(request.GET),
    )
    cursor = Cursor.starting(own[0].newest or 0, own[0].known or 0, now)
    return Opened(view, own, pipelines, cursor, reach.adds_to(view.pipeline.pk), own[0].saved or [])


def this_board(request: PageRequest, slug: str) -> Opened:
    """:func:`open_board` where there must be one."""
    opened = open_board(request, slug)
    if opened is None:
        raise Http404("There is no such board.")
    return opened


def toolbar(opened: Opened, page: str) -> dict[str, Any]:
    """What stands above the cards or rows. ``page``: the name of the page that is shown."""
    view = opened.view
    views = build_views(view, opened.saved, page)
    return {
        "pipelines": opened.tabs(page),
        "whose": whose_choices(view, page),
        "views": views,
        "kept": next((one for one in views if one.current), None),
        "chips": build_chips(view, page),
        "stages": opened.stages,
        "filters_url": view.url("board-filters", page=page),
        "other_url": view.url("board-table" if page == "board" else "board"),
        "export_url": view.url("board-export"),
        "add_url": view.url("board-add") if opened.may_add else "",
    }


@login_required
@require_safe
@gzip_page
def board(request: PageRequest, slug: str = "") -> HttpResponse:
    """A pipeline's board; without a name that of the default pipeline."""
    opened = open_board(request, slug)
    if opened is None:
        context = {"section": "board", "pipelines": Pipeline.objects.filter(archived_at=None).exists()}
        return render(request, "board/no_board.html", context)
    view = opened.view
    page = build_board(view, opened.stages, opened.cursor)
    context = {
        "section": "board",
        "board": page,
        "view": view,
        **toolbar(opened, "board"),
    }
    return render(request, "board/board.html", context)


@login_required
@require_safe
@gzip_page
def column(request: PageRequest, slug: str, stage: str) -> HttpResponse:
    """One column; with a place (``after``) the cards that come after it."""
    opened = this_board(request, slug)
    chosen = next((one for one in opened.stages if one.slug == stage), None)
    if chosen is None:
        raise Http404("There is no such column.")
    context = {"section": "board", "view": opened.view, "pipeline": opened.view.pipeline.name, "stage": chosen}
    after = request.GET.get("after", "")
    if after:
        cards, more_url = build_more(opened.view, chosen, after)
        context |= {"cards": cards, "more_url": more_url}
        return page_or_part(request, "board/more.html", "board/_more.html", context)
    context["column"] = build_columns(opened.view, [chosen])[0]
    return page_or_part(request, "board/column.html", "board/_column.html", context)


@login_required
@require_POST
def changes(request: PageRequest, slug: str) -> HttpResponse:
    """What changed since the board last heard of changes (``since``): asked for every few seconds by open boards, with
    what they show. Nothing is changed: it is posted because it may be long."""
    setattr(request, UNATTENDED, True)
    asked = Cursor.read(request.POST.get("since", ""))
    if asked is None:
        opened = this_board(request, slug)
        return _told(request, opened.view, Changes(too_many=True), opened.cursor)
    cursor, since = look(asked, timezone.now())
    if since is None:
        return _heard(HttpResponse(status=204), cursor)
    opened = this_board(request, slug)
    found = build_changes(opened.view, opened.stages, since, read_shown(request.POST))
    return _told(request, opened.view, found, cursor) if found else _heard(HttpResponse(status=204), cursor)


def _told(request: PageRequest, view: View, found: Changes, cursor: Cursor) -> HttpResponse:
    return _heard(render(request, "board/_changes.html", {"changes": found, "view": view}), cursor)


def _heard(response: HttpResponse, cursor: Cursor) -> HttpResponse:
    response.headers[NEWEST_EVENT] = str(cursor)
    return response
