"""What became of a board since it was read, for those that are open.

Events say which leads to look at; what is told is only what the reader's view has now, and which of the cards that the
board shows it has no more. So nothing is said about a lead that the reader never saw, not even that something happened.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from pipeline.board import Head, View, build_heads, cards_of, leads_of, mark_of, whole
from pipeline.boardcards import Card
from pipeline.models import Event, Lead, Stage
from pipeline.services.moving import ALL_MOVED
from pipeline.signals import offers_asked

# So many cards at most are told of one by one; who missed more reads the board again.
MOST_CHANGES: Final = 200
# So many cards of a board are looked after.
MOST_SHOWN: Final = 5000


@dataclass(frozen=True, slots=True)
class Shown:
    """What a board shows: the leads on its cards, those offered beside them, and the :func:`mark_of` its heads."""

    cards: Collection[UUID] = ()
    offers: Collection[UUID] = ()
    heads: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """Fresh cards, the leads whose cards are to go, and the heads of all columns, if any is another now.

    ``offers``: what is offered beside the board is something else now.
    """

    cards: list[Card] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    offers: bool = False
    too_many: bool = False
    now: datetime | None = None

    @property
    def mark(self) -> str:
        """Of the heads."""
        return mark_of(self.heads)


def read_shown(asked: Mapping[str, Any]) -> Shown:
    """What an open board says that it shows."""
    cards, offers = (_uids(str(asked.get(name, ""))) for name in ("cards", "offers"))
    return Shown(cards, offers, str(asked.get("heads", "")))


def _uids(text: str) -> set[UUID]:
    found = set()
    for part in islice(text.split(","), MOST_SHOWN):
        try:
            found.add(UUID(part))
        except ValueError:
            continue
    return found


def build_changes(view: View, stages: Collection[Stage], since: int, shown: Shown) -> Changes | None:
    """What is news to a board: what happened after an event to what its view has, and what it has no more.

    None for nothing, whatever happened elsewhere.
    """
    changed = Event.objects.filter(pk__gt=since).order_by().values("lead")
    here = leads_of(view, whenever=False)
    found = list(whole(here.filter(pk__in=changed))[: MOST_CHANGES + 1])
    if len(found) > MOST_CHANGES or _all_moved(view, since):
        return Changes(too_many=True)
    kept = set(here.filter(uid__in=shown.cards).values_list("uid", flat=True)) if shown.cards else set()
    gone = sorted(set(shown.cards) - kept)
    heads = build_heads(view, stages) if found or gone or _nearby(view, changed) else []
    other_heads = bool(heads) and mark_of(heads) != shown.heads
    offers = _offered(view) != set(shown.offers)
    if not (found or gone or other_heads or offers):
        return None
    return Changes(_cards(view, stages, found), gone, heads if other_heads else [], offers, now=view.now)


def changes_of(view: View, stages: Collection[Stage], ids: Collection[int], named: Collection[UUID] = ()) -> Changes:
    """These leads as they are on the board now.

    Args:
        named: those that were asked for: their cards go where the view has them no more.
    """
    found = list(whole(leads_of(view, whenever=False).filter(pk__in=ids)))
    gone = set(named) - {lead.uid for lead in found}
    return Changes(_cards(view, stages, found), sorted(gone), build_heads(view, stages), now=view.now)


def _cards(view: View, stages: Collection[Stage], leads: Collection[Lead]) -> list[Card]:
    return cards_of(view, {stage.pk: stage for stage in stages}, leads)


def _all_moved(view: View, since: int) -> bool:
    """Whether room was made in a column, so that most of its cards have other places now."""
    if not view.pipeline.sorted_by_hand:
        return False
    sorted_since = Event.objects.filter(pk__gt=since, kind=Event.Kind.SORTED, lead__stage__in=view.stages)
    return sorted_since.filter(**{f"data__{ALL_MOVED}": True}).exists()


def _nearby(view: View, changed: QuerySet[Any, Any]) -> bool:
    """Whether a lead changed that may have been in the view below the cards that are shown."""
    return view.near.filter(pk__in=changed, stage__in=view.stages).exists()


def _offered(view: View) -> set[UUID]:
    answers: list[tuple[Any, Any]] = offers_asked.send(Lead, user=view.user)
    return {uid for _, found in answers for uid in found}
