"""The board: a pipeline's columns and cards as one user sees them, as values ready to show."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum, Value
from django.urls import reverse
from django.utils.http import urlencode

from pipeline.boardcards import SHOWN, Card, build_card, root_of, with_next_task
from pipeline.boardfilters import Filters
from pipeline.boardorder import NOT_RESTING, Order, order_of
from pipeline.cursor import Cursor
from pipeline.display import money, takeable
from pipeline.models import Lead, Pipeline, Stage

CARDS: Final = 20
CLOSED_DAYS: Final = 30
SOON: Final = timedelta(hours=1)

MINE: Final = "mine"
TEAM: Final = "team"
WHOSE: Final = {MINE: "Mine", TEAM: "Team"}

Leads = QuerySet[Lead]


@dataclass(frozen=True, slots=True)
class View:
    """What a user asked to see; ``scope``: all leads that the user may, ``near``: and those that come and go there;
    ``stages``: the ids of the pipeline's."""

    user: User
    scope: Leads
    near: Leads
    pipeline: Pipeline
    stages: Collection[int]
    who: str
    now: datetime
    filters: Filters = field(default_factory=Filters)

    def query(self, **changes: str | int) -> str:
        """The view as the end of an address."""
        return urlencode({"who": self.who, **self.filters.query, **changes})

    def url(self, name: str = "board", *more: str, **changes: str | int) -> str:
        """The address of a page that shows this view; ``more``: what its path needs beside the pipeline."""
        return f"{reverse(name, args=[self.pipeline.slug, *more])}?{self.query(**changes)}"

    @property
    def move_root(self) -> str:
        """What the addresses for moving begin with."""
        return root_of("board-move", self.pipeline.slug)

    def order(self, stage: Stage) -> Order:
        return order_of(stage, by_hand=self.pipeline.sorted_by_hand)


@dataclass(frozen=True, slots=True)
class Choice:
    """One tab or link to another view of the board."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all leads of a stage, not only of those shown: how many, worth what, late, due within the hour."""

    count: int = 0
    total: Decimal | None = None
    late: int = 0
    soon: int = 0

    @property
    def bar(self) -> tuple[int, int]:
        """Where the parts for late and for soon end, in percent; what there is, is seen."""
        if not self.count:
            return 0, 0
        late = -(-100 * self.late // self.count)
        return late, min(100, late + -(-100 * self.soon // self.count))


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. ``limit``: how many of one owner; ``full``: whether this one owner is there already."""

    name: str
    slug: str
    kind: str
    note: str
    sums: Sums
    total: str
    limit: int | None
    full: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One stage, with its first cards. ``more``: how many follow; ``more_url``: where the next ones are."""

    head: Head
    cards: list[Card]
    more: int
    more_url: str


@dataclass(frozen=True, slots=True)
class Board:
    url: str
    changes_url: str
    title: str
    columns: list[Column]
    by_hand: bool
    cursor: Cursor
    now: datetime

    @property
    def mark(self) -> str:
        """Of the heads."""
        return mark_of(column.head for column in self.columns)

    @property
    def empty(self) -> bool:
        return not any(column.head.sums.count for column in self.columns)


def default_who(*, manages: bool, in_team: bool) -> str:
    """Managers, and those who see leads without being in a team, begin with everything; others with their own."""
    return TEAM if manages or not in_team else MINE


def whose_choices(view: View, page: str) -> list[Choice]:
    return [Choice(label, view.url(page, who=key), key == view.who) for key, label in WHOSE.items()]


def build_board(view: View, stages: Collection[Stage], cursor: Cursor) -> Board:
    """The whole board, in a number of queries that depends on nothing.

    Args:
        cursor: was read before; what changes from there on will be told.
    """
    return Board(
        url=view.url(),
        changes_url=view.url("board-changes"),
        title=view.pipeline.name,
        columns=build_columns(view, stages),
        by_hand=view.pipeline.sorted_by_hand,
        cursor=cursor,
        now=view.now,
    )


def build_columns(view: View, stages: Collection[Stage]) -> list[Column]:
    """The columns of these stages with their first cards."""
    shares = halves(view)
    sums = _sums(view, shares)
    filled = [stage for stage in stages if stage.pk in sums]
    shown = _first_cards(view, shares, filled)
    return [_column(view, stage, shown.get(stage.pk, []), sums.get(stage.pk, Sums())) for stage in stages]


def build_more(view: View, stage: Stage, after: str) -> tuple[list[Card], str]:
    """The cards of a column that come after a place, and the address of those that follow, if any."""
    order = view.order(stage)
    condition = order.after(after)
    leads = _of(halves(view), stage).order_by(*order.by())
    found = list(whole(leads.filter(condition) if condition else leads)[: CARDS + 1])
    cards = cards_of(view, {stage.pk: stage}, found[:CARDS])
    more = view.url("board-column", stage.slug, after=cards[-1].place) if len(found) > CARDS else ""
    return cards, more


def build_heads(view: View, stages: Iterable[Stage]) -> list[Head]:
    sums = _sums(view, halves(view))
    return [_head(view, stage, sums.get(stage.pk, Sums())) for stage in stages]


def mark_of(heads: Iterable[Head]) -> str:
    """Tells heads from others: a board says by it which ones it shows."""
    return blake2b(repr(list(heads)).encode(), digest_size=6).hexdigest()


# --- Which leads -----------------------------------------------------------------------------------


def halves(view: View) -> tuple[Leads, Leads]:
    """The open and the closed leads of this view: two, because each has an index of its own."""
    leads = leads_of(view)
    return leads.filter(closed_at=None), leads.filter(closed_at__gte=_closed_since(view))


def leads_of(view: View, *, whenever: bool = True) -> Leads:
    """The leads of this view, or only those on it now: closed ones leave after a while.

    Those kept out of routing are never in it. Of those up for claim a rep has what was offered in the lane beside, not
    among the own.
    """
    leads = view.scope.filter(stage__in=view.stages, archived_at=None)
    leads = leads.exclude(routing_state=Lead.RoutingState.EXCLUDED)
    if view.who == MINE and not view.filters.names_owner:
        to_take = Q(owner=None) & ~Q(routing_state=Lead.RoutingState.CLAIMABLE)
        leads = leads.filter(Q(owner=view.user) | to_take)
    leads = view.filters.narrow(leads, view.now)
    return leads if whenever else leads.filter(Q(closed_at=None) | Q(closed_at__gte=_closed_since(view)))


def _closed_since(view: View) -> datetime:
    return view.now - timedelta(days=CLOSED_DAYS)


def _of(shares: tuple[Leads, Leads], stage: Stage) -> Leads:
    opened, closed = shares
    return (opened if stage.kind == Stage.Kind.OPEN else closed).filter(stage=stage)


def _sums(view: View, shares: tuple[Leads, Leads]) -> dict[int, Sums]:
    """Sums by stage, in one query; stages without leads are left out."""
    late = NOT_RESTING & Q(due_at__lt=view.now)
    soon = NOT_RESTING & Q(due_at__gte=view.now, due_at__lt=view.now + SOON)
    counted = {"count": Count("pk"), "total": Sum("value_base")}
    opened, closed = (half.order_by().values("stage").annotate(**counted) for half in shares)
    # Of a closed lead nothing is asked; and so an index is all that is read of them.
    opened = opened.annotate(late=Count("pk", filter=late), soon=Count("pk", filter=soon))
    closed = closed.annotate(late=Value(0), soon=Value(0))
    rows = opened.union(closed, all=True).values_list("stage", "count", "total", "late", "soon")
    return {stage: Sums(*values) for stage, *values in rows}


def _first_cards(view: View, shares: tuple[Leads, Leads], stages: Collection[Stage]) -> dict[int, list[Card]]:
    """The first cards of each of these stages, in one query."""
    if not stages:
        return {}
    parts = [_of(shares, stage).order_by(*view.order(stage).by()).values("pk")[:CARDS] for stage in stages]
    if not connection.features.supports_slicing_ordering_in_compound:  # SQLite
        parts = [Lead.objects.filter(pk__in=part).order_by().values("pk") for part in parts]
    found = whole(Lead.objects.filter(pk__in=parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]))
    by_stage: dict[int, list[Card]] = {stage.pk: [] for stage in stages}
    slugs = {stage.slug: stage.pk for stage in stages}
    for card in sorted(cards_of(view, {stage.pk: stage for stage in stages}, list(found)), key=lambda one: one.place):
        by_stage[slugs[card.stage]].append(card)
    return by_stage


def whole(leads: Leads) -> Leads:
    """With what a card shows, and nothing else: to read all would take twice as long."""
    return with_next_task(leads).select_related("owner", "source").only(*SHOWN)


def cards_of(view: View, stages: dict[int, Stage], leads: Collection[Lead]) -> list[Card]:
    """Leads (:func:`whole`) of these stages, by id, as cards."""
    free = takeable(view.user, leads)
    for lead in leads:
        lead.stage = stages[lead.stage_id]  # read once for all of them
    return [build_card(lead, view.user, view.order(lead.stage), free, view.now) for lead in leads]


# --- Columns -----------------------------------------------------------------------------------------


def _column(view: View, stage: Stage, cards: list[Card], sums: Sums) -> Column:
    more = sums.count - len(cards)
    url = view.url("board-column", stage.slug, after=cards[-1].place) if more > 0 and cards else ""
    return Column(_head(view, stage, sums), cards, max(more, 0), url)


def _head(view: View, stage: Stage, sums: Sums) -> Head:
    one_owner = view.who == MINE or bool(view.filters.owner)
    return Head(
        name=stage.name,
        slug=stage.slug,
        kind=stage.kind,
        note="" if stage.kind == Stage.Kind.OPEN else f"last {CLOSED_DAYS} days",
        sums=sums,
        total=money(sums.total, settings.BASE_CURRENCY),
        limit=stage.wip_limit,
        full=bool(stage.wip_limit and one_owner and sums.count >= stage.wip_limit),
    )
