"""The board as a table and as CSV, its filters, and the views that people keep."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leadcrm.lib.pages import PageRequest, back, number_of, page_or_part
from leadcrm.lib.text import clean
from pipeline.board import WHOSE
from pipeline.boardfilters import read_filters
from pipeline.boardpanel import build_panel
from pipeline.boardtable import build_table, csv_rows, table_leads
from pipeline.many import MOST_AT_ONCE, read_chosen
from pipeline.models import SavedView
from pipeline.views import this_board, toolbar


@login_required
@require_safe
def table(request: PageRequest, slug: str) -> HttpResponse:
    """The leads of a board as rows."""
    opened = this_board(request, slug)
    asked = request.GET
    page, rows = number_of(asked.get("page", ""), 1), number_of(asked.get("rows", ""))
    shown = build_table(opened.view, asked.get("sort", ""), page, rows)
    context = {
        "section": "board",
        "table": shown,
        "most": MOST_AT_ONCE,
        "view": opened.view,
        **toolbar(opened, "board-table"),
        "export_url": shown.export_url,
    }
    return render(request, "board/table.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: PageRequest, slug: str) -> HttpResponseBase:
    """The leads of a board as CSV, or those that were ticked."""
    view = this_board(request, slug).view
    leads = table_leads(view)
    if request.method == "POST":
        chosen = read_chosen(request.POST.getlist("lead"))
        if not chosen:
            messages.error(request, "Choose leads first.")
            return back(request, view.url("board-table"))
        leads = leads.filter(uid__in=chosen)
    lines = csv_rows(leads, request.GET.get("sort", ""))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{view.pipeline.slug}-{view.now:%Y-%m-%d}.csv"'
    return response


@login_required
@require_safe
def filters(request: PageRequest, slug: str) -> HttpResponse:
    """What a board can be narrowed to."""
    view = this_board(request, slug).view
    page = "board-table" if request.GET.get("page") == "board-table" else "board"
    context = {"section": "board", "view": view, "panel": build_panel(view), "page": page}
    return page_or_part(request, "board/filters.html", "board/_filters.html", context)


@login_required
@require_POST
def save_view(request: PageRequest, slug: str) -> HttpResponse:
    """Keep the filters of an address under a name; the same name again keeps others."""
    view = this_board(request, slug).view
    name = clean(request.POST.get("name", ""))[:60].strip()
    if not name:
        messages.error(request, "Give the view a name.")
        return back(request, view.url())
    asked = QueryDict(request.POST.get("query", "")[:2000])
    who = {"who": asked["who"]} if asked.get("who") in WHOSE else {}
    query = urlencode({**who, **read_filters(asked).query})
    whose, kept = {"user": request.user, "pipeline": view.pipeline}, {"name": name, "query": query}
    SavedView.objects.update_or_create(**whose, name__iexact=name, defaults=kept, create_defaults={**whose, **kept})
    messages.success(request, f"“{name}” is kept among your views.")
    return back(request, view.url())


@login_required
@require_POST
def forget_view(request: PageRequest, slug: str, pk: int) -> HttpResponse:
    """Forget a view of one's own."""
    view = this_board(request, slug).view
    get_object_or_404(SavedView, pk=pk, user=request.user, pipeline=view.pipeline).delete()
    messages.success(request, "The view was forgotten.")
    return back(request, view.url())
