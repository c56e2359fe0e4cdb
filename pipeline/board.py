"""The board: a pipeline's columns and cards as one user sees them, as values ready to show.

A column is asked for by its own address with the number of cards it shows, so that it can be shown again, grown or
refreshed by itself.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, F, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.http import urlencode

from pipeline.display import Due, action_of, age, badge_of, cut, due_of, initials, money, person, takeable
from pipeline.models import Lead, Pipeline, Stage, Team
from pipeline.selectors import visible_leads

CARDS: Final = 25
MOST_CARDS: Final = 500
CLOSED_DAYS: Final = 30
LONGEST_REASON: Final = 75

MINE: Final = "mine"
TEAM: Final = "team"
WHOSE: Final = {MINE: "Mine and to take", TEAM: "Whole team"}

Halves = tuple[QuerySet[Lead], QuerySet[Lead]]


@dataclass(frozen=True, slots=True)
class View:
    """What a user asked to see. ``cards``: at most so many per column."""

    user: User
    pipeline: Pipeline
    who: str
    now: datetime
    cards: int = CARDS

    def url(self, stage: str = "", **changes: str | int) -> str:
        """The address of the board, or of one of its columns."""
        query: dict[str, str | int] = {"who": self.who, **changes}
        slugs = [self.pipeline.slug, stage] if stage else [self.pipeline.slug]
        return f"{reverse('board-column' if stage else 'board', args=slugs)}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One tab or link to another view of the board."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One lead on the board. ``reason`` begins the sentence of its routing, ``reason_rest`` ends it."""

    uid: UUID
    title: str
    company: str
    product: str
    value: str
    created_at: datetime
    age: str
    badge: str
    tone: str
    owner: str
    initials: str
    reason: str
    reason_rest: str
    action: str
    due: Due | None
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """One stage. ``count`` and ``total`` are of all its leads, not only of those shown."""

    name: str
    slug: str
    note: str
    count: int
    total: str
    cards: list[Card]
    more: int
    more_url: str


@dataclass(frozen=True, slots=True)
class Board:
    url: str
    title: str
    columns: list[Column]
    pipelines: list[Choice]
    whose: list[Choice]
    team_less: bool

    @property
    def empty(self) -> bool:
        return not any(column.count for column in self.columns)


def default_who(user: User) -> str:
    """Managers, and those who see leads without being in a team, begin with everything; others with their own."""
    manages = Team.objects.filter(manager=user).exists()
    return TEAM if manages or not user.lead_teams.exists() else MINE


def build_board(view: View) -> Board:
    """The whole board: a constant number of queries, and one per column that has leads."""
    pipelines = Pipeline.objects.filter(archived_at=None)
    stages = view.pipeline.stages.order_by("position", "id")
    return Board(
        url=view.url(),
        title=view.pipeline.name,
        columns=build_columns(view, stages),
        pipelines=[
            Choice(p.name, f"{reverse('board', args=[p.slug])}?who={view.who}", p == view.pipeline) for p in pipelines
        ],
        whose=[Choice(label, view.url(who=key), key == view.who) for key, label in WHOSE.items()],
        team_less=not Team.objects.filter(Q(members=view.user) | Q(manager=view.user)).exists(),
    )


def build_columns(view: View, stages: Iterable[Stage]) -> list[Column]:
    halves = _open_and_closed(view)
    totals = _totals(halves)
    shown = {stage: _first(halves, stage, view.cards) if stage.pk in totals else [] for stage in stages}
    free = takeable(view.user, chain.from_iterable(shown.values()))
    return [
        _column(view, stage, [build_card(lead, view, free) for lead in cards], *totals.get(stage.pk, (0, None)))
        for stage, cards in shown.items()
    ]


def _open_and_closed(view: View) -> Halves:
    """The leads on this board. Closed ones leave it after a while, those kept out of routing are never on it.

    In two halves, because each has an index of its own.
    """
    leads = visible_leads(view.user).filter(stage__pipeline=view.pipeline, archived_at=None)
    leads = leads.exclude(routing_state=Lead.RoutingState.EXCLUDED)
    if view.who == MINE:
        leads = leads.filter(Q(owner=view.user) | Q(owner=None))
    since = view.now - timedelta(days=CLOSED_DAYS)
    return leads.filter(closed_at=None), leads.filter(closed_at__gte=since)


def _totals(halves: Halves) -> dict[int, tuple[int, Decimal | None]]:
    """Number and value of the leads by stage."""
    rows = (half.order_by().values_list("stage").annotate(Count("pk"), Sum("value_base")) for half in halves)
    return {stage: (count, total) for stage, count, total in chain.from_iterable(rows)}


def _column(view: View, stage: Stage, cards: list[Card], count: int, total: Decimal | None) -> Column:
    return Column(
        name=stage.name,
        slug=stage.slug,
        note="" if stage.kind == Stage.Kind.OPEN else f"of the last {CLOSED_DAYS} days",
        count=count,
        total=money(total, settings.BASE_CURRENCY),
        cards=cards,
        more=min(max(count - view.cards, 0), CARDS) if view.cards < MOST_CARDS else 0,
        more_url=view.url(stage.slug, cards=min(view.cards + CARDS, MOST_CARDS)),
    )


def _first(halves: Halves, stage: Stage, number: int) -> list[Lead]:
    """The most urgent leads of an open stage: by the promise to answer, then the newest. Of others the last closed."""
    opened, closed = halves
    if stage.kind == Stage.Kind.OPEN:
        leads = opened.order_by(F("respond_by").asc(nulls_last=True), "-created_at", "-pk")
    else:
        leads = closed.order_by("-closed_at", "-pk")
    shown = list(leads.filter(stage=stage).select_related("owner")[:number])
    for lead in shown:
        lead.stage = stage  # read once for all of them
    return shown


def build_card(lead: Lead, view: View, free: Collection[int]) -> Card:
    """One lead as a card. Reads its stage and its owner; ``free``: the leads that the user may take."""
    badge, tone = badge_of(lead)
    owner = person(lead.owner) if lead.owner else ""
    reason, rest = cut(lead.routing_sentence, LONGEST_REASON)
    return Card(
        uid=lead.uid,
        title=str(lead),
        company=lead.company if lead.name else "",
        product=lead.product,
        value=money(lead.value, lead.currency),
        created_at=lead.created_at,
        age=age(lead.created_at, view.now),
        badge=badge,
        tone=tone,
        owner="You" if lead.owner_id == view.user.pk else owner,
        initials=initials(owner),
        reason=reason,
        reason_rest=rest,
        action=action_of(lead, view.user, free),
        due=due_of(lead.respond_by, view.now) if lead.respond_by else None,
        snoozed_until=lead.snoozed_until,
    )
