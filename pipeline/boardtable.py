"""The board as a table: leads as rows that are sorted by any column, and the same as CSV."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

from leadcrm.lib.text import csv_safe
from pipeline.board import View, leads_of
from pipeline.boardcards import Card, build_card
from pipeline.boardorder import URGENCY
from pipeline.display import person
from pipeline.models import Lead

ROWS: Final = 50
MOST_PAGES: Final = 10_000
_CHUNK: Final = 500

# By name: the head of the column, and what it is sorted by.
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("Lead", "last_name"),
    "company": ("Company", "company"),
    "stage": ("Stage", "stage__position"),
    "owner": ("Owner", "owner__first_name"),
    "value": ("Value", "value_base"),
    "score": ("Score", "score"),
    "source": ("Source", "source__name"),
    "due": ("Answer by", "respond_by"),
    "created": ("Came in", "created_at"),
    "since": ("In stage since", "stage_since"),
}
_CELLS: Final[Mapping[str, Callable[[Lead], Any]]] = {
    "id": lambda lead: str(lead.uid),
    "first_name": lambda lead: lead.first_name,
    "last_name": lambda lead: lead.last_name,
    "company": lambda lead: lead.company,
    "email": lambda lead: lead.email,
    "phone": lambda lead: lead.phone,
    "country": lambda lead: lead.country,
    "product": lambda lead: lead.product,
    "value": lambda lead: lead.value,
    "currency": lambda lead: lead.currency,
    "score": lambda lead: lead.score,
    "stage": lambda lead: lead.stage.name,
    "owner": lambda lead: person(lead.owner) if lead.owner else "",
    "source": lambda lead: lead.source.name,
    "created_at": lambda lead: lead.created_at.isoformat(),
    "respond_by": lambda lead: lead.respond_by.isoformat() if lead.respond_by else "",
    "stage_since": lambda lead: lead.stage_since.isoformat(),
    "closed_at": lambda lead: lead.closed_at.isoformat() if lead.closed_at else "",
    "lost_reason": lambda lead: lead.lost_reason,
}


@dataclass(frozen=True, slots=True)
class TableHead:
    """The head of a column, and where it is sorted by that; ``sorted``: as ``aria-sort`` says it."""

    label: str
    url: str
    sorted: str
    number: bool


@dataclass(frozen=True, slots=True)
class TableRow:
    card: Card
    stage: str
    lead: Lead


@dataclass(frozen=True, slots=True)
class Table:
    heads: list[TableHead]
    rows: list[TableRow]
    page: int
    before: str
    after: str


def build_table(view: View, sort: str, page: int) -> Table:
    """One page of the table. ``sort``: a column, with a minus for the other way round; the most urgent otherwise."""
    page = min(max(page, 1), MOST_PAGES)
    start = (page - 1) * ROWS
    found = list(table_leads(view).order_by(*_order(sort))[start : start + ROWS + 1])
    rows = [TableRow(build_card(one, view.user, URGENCY, (), view.now), one.stage.name, one) for one in found[:ROWS]]

    def address(number: int) -> str:
        return view.url("board-table", sort=sort, page=number)

    after = address(page + 1) if len(found) > ROWS else ""
    return Table(
        [_head(view, name, sort) for name in COLUMNS], rows, page, address(page - 1) if page > 1 else "", after
    )


def table_leads(view: View) -> QuerySet[Lead]:
    """All leads of the view, the closed ones of the last days as well."""
    return leads_of(view, whenever=False).select_related("stage__pipeline", "owner", "source")


def csv_rows(leads: QuerySet[Lead]) -> Iterator[str]:
    """The leads as lines of CSV, as they are read; no cell is run by a spreadsheet, and Excel sees that it is UTF-8."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(_CELLS)
    for lead in leads.order_by("pk").iterator(chunk_size=_CHUNK):
        yield writer.writerow([csv_safe(cell(lead)) for cell in _CELLS.values()])


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def _order(sort: str) -> list[OrderBy]:
    name = sort.removeprefix("-")
    if name not in COLUMNS:
        return URGENCY.by()
    column, falls = F(COLUMNS[name][1]), sort.startswith("-")
    by = column.desc(nulls_last=True) if falls else column.asc(nulls_last=True)
    return [by, F("pk").desc()]


def _head(view: View, name: str, sort: str) -> TableHead:
    turned = f"-{name}" if sort == name else name
    state = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    return TableHead(COLUMNS[name][0], view.url("board-table", sort=turned), state, name in ("value", "score"))
