"""The board as a table: leads as rows that are sorted by any column, and the same as CSV."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import CharField, Count, F, QuerySet, Sum, Value
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim

from leadcrm.lib.text import csv_safe
from pipeline.board import View, leads_of
from pipeline.boardcards import Card, build_card
from pipeline.boardorder import URGENCY
from pipeline.display import money, person
from pipeline.many import MOST_AT_ONCE
from pipeline.models import Lead

MOST_PAGES: Final = 10_000
_CHUNK: Final = 500

# As few as are read at a glance, or as many as can be changed at once.
ROWS: Final = (50, MOST_AT_ONCE)


def _words(*parts: Expression | str) -> Expression:
    """Texts as they are shown one after the other, to be sorted by; nothing for blank ones, which come last."""
    joined = Concat(*parts) if len(parts) > 1 else F(str(parts[0]))
    return NullIf(Lower(Trim(joined, output_field=CharField())), Value(""))


_OWNER: Final = Coalesce(_words("owner__first_name", Value(" "), "owner__last_name"), _words("owner__username"))
_LEAD: Final = Coalesce(
    _words("first_name", Value(" "), "last_name"), _words("company"), _words("email"), _words("phone")
)
# By name: the head of the column, and what it is sorted by.
COLUMNS: Final[Mapping[str, tuple[str, Expression | F]]] = {
    "name": ("Lead", _LEAD),
    "company": ("Company", _words("company")),
    "stage": ("Stage", F("stage__position")),
    "owner": ("Owner", _OWNER),
    "value": ("Value", F("value_base")),
    "score": ("Score", F("score")),
    "source": ("Source", _words("source__name")),
    "due": ("Next due", F("due_at")),
    "created": ("Came in", F("created_at")),
    "since": ("In stage since", F("stage_since")),
}
# Without a wish: the open ones as on the board, then the closed ones, the latest first.
_URGENT: Final = "due"
_MOST_URGENT: Final = (F("closed_at").desc(nulls_first=True), *URGENCY.by())


def _iso(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


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
    "created_at": lambda lead: _iso(lead.created_at),
    "respond_by": lambda lead: _iso(lead.respond_by),
    "due_at": lambda lead: "" if lead.closed_at else _iso(lead.due_at),
    "stage_since": lambda lead: _iso(lead.stage_since),
    "closed_at": lambda lead: _iso(lead.closed_at),
    "lost_reason": lambda lead: lead.lost_reason,
}


@dataclass(frozen=True, slots=True)
class TableHead:
    """The head of a column, and where it is sorted by that; ``sorted``: as ``aria-sort`` says it."""

    name: str
    label: str
    url: str
    sorted: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """``worth``: its value in the base currency, as a number."""

    card: Card
    stage: str
    lead: Lead
    worth: str


@dataclass(frozen=True, slots=True)
class Table:
    """One page. ``count`` and ``total`` are of all that fit, ``first`` and ``last`` the numbers of the rows shown.

    ``more_url``: where as many as possible stand on one page, with ``more`` how many that would be; ``before`` and
    ``after``: the pages beside; ``export_url``: where all is written as CSV in this order.
    """

    heads: list[TableHead]
    rows: list[TableRow]
    count: int
    total: str
    currency: str
    first: int
    last: int
    page: int
    before: str
    after: str
    more: int
    more_url: str
    export_url: str


def build_table(view: View, sort: str, page: int, size: int = ROWS[0]) -> Table:
    """One page of the table.

    Args:
        sort: a column, with a minus for the other way round; anything else is the most urgent first.
        size: how many rows, one of ``ROWS``.
    """
    size = size if size in ROWS else ROWS[0]
    page = min(max(page, 1), MOST_PAGES)
    start = (page - 1) * size
    leads = table_leads(view)
    sums = leads.aggregate(count=Count("pk"), total=Sum("value_base"))
    found = list(leads.order_by(*_order(sort))[start : start + size])
    count = sums["count"]

    def address(number: int, rows: int = size) -> str:
        return view.url("board-table", **_wish(sort, rows), page=number)

    return Table(
        heads=[_head(view, name, sort, size) for name in COLUMNS],
        rows=[_row(view, lead) for lead in found],
        count=count,
        total=money(sums["total"], settings.BASE_CURRENCY),
        currency=settings.BASE_CURRENCY,
        first=start + 1 if found else 0,
        last=start + len(found),
        page=page,
        before=address(page - 1) if page > 1 else "",
        after=address(page + 1) if start + len(found) < count and found else "",
        more=min(count, ROWS[-1]),
        more_url=address(1, ROWS[-1]) if count > size and size < ROWS[-1] else "",
        export_url=view.url("board-export", **_wish(sort, ROWS[0])),
    )


def _row(view: View, lead: Lead) -> TableRow:
    card = build_card(lead, view.user, URGENCY, (), view.now)
    return TableRow(card, lead.stage.name, lead, str(lead.value_base or 0))


def table_leads(view: View) -> QuerySet[Lead]:
    """All leads of the view, the closed ones of the last days as well."""
    return leads_of(view, whenever=False).select_related("stage__pipeline", "owner", "source")


def csv_rows(leads: QuerySet[Lead], sort: str) -> Iterator[str]:
    """The leads as lines of CSV, as they are read and in the order of the table; no cell is run by a spreadsheet, and
    Excel sees that it is UTF-8."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(_CELLS)
    for lead in leads.order_by(*_order(sort)).iterator(chunk_size=_CHUNK):
        yield writer.writerow([csv_safe(cell(lead)) for cell in _CELLS.values()])


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def _sorted_by(sort: str) -> tuple[str, bool]:
    """The column, and whether it falls."""
    name, falls = sort.removeprefix("-"), sort.startswith("-")
    return (name, falls) if name in COLUMNS else (_URGENT, False)


def _order(sort: str) -> list[OrderBy]:
    name, falls = _sorted_by(sort)
    if (name, falls) == (_URGENT, False):
        return list(_MOST_URGENT)
    column = COLUMNS[name][1]
    by = OrderBy(column, descending=falls, nulls_last=True)
    return [by, F("pk").desc()]


def _head(view: View, name: str, sort: str, size: int) -> TableHead:
    column, falls = _sorted_by(sort)
    here = column == name
    turned = f"-{name}" if here and not falls else name
    state = ("descending" if falls else "ascending") if here else ""
    return TableHead(name, COLUMNS[name][0], view.url("board-table", **_wish(turned, size)), state)


def _wish(sort: str, size: int) -> dict[str, str | int]:
    """What an address says beside the view: only what is not so anyway."""
    wish: dict[str, str | int] = {} if sort in ("", _URGENT) else {"sort": sort}
    return wish if size == ROWS[0] else {**wish, "rows": size}
