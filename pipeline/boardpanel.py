"""What a board can be narrowed to, in words: the form of filters, the chips of those that hold, and saved views."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.urls import reverse

from leadcrm.lib.jsonrows import AllOf
from pipeline.board import Choice, View
from pipeline.boardfilters import AGES
from pipeline.display import person
from pipeline.models import Lead, SavedView
from pipeline.selectors import known_people, known_sources, known_teams
from pipeline.signals import territories_asked

MOST_CHOICES: Final = 500

Pairs = list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, and where it does not."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What the filters can be."""

    owners: Pairs
    teams: Pairs
    sources: Pairs
    territories: Pairs
    ages: list[tuple[str, str]]


def build_panel(view: View) -> Panel:
    """All choices that this user may see."""
    return Panel(
        owners=[(user.pk, person(user)) for user in known_people(view.user)[:MOST_CHOICES]],
        teams=_teams(view),
        sources=_sources(view),
        territories=_territories(view),
        ages=[(key, words) for key, (words, _, _) in AGES.items()],
    )


@dataclass(frozen=True, slots=True)
class Kept(Choice):
    """A view that the user has kept, as a tab. ``pk``: by which it is forgotten."""

    pk: int


def build_views(view: View, saved: list[dict[str, Any]], page: str) -> list[Kept]:
    """The views that this user has kept for the pipeline, by name.

    Args:
        saved: as :func:`views_of` found them.
        page: the name of the page that is narrowed.
    """
    root, shown = reverse(page, args=[view.pipeline.slug]), view.query()
    kept = [Kept(one["name"], f"{root}?{one['query']}", one["query"] == shown, one["pk"]) for one in saved]
    return sorted(kept, key=lambda one: (one.label.casefold(), one.pk))


def views_of(user: User, pipeline: str) -> Subquery:
    """Beside rows that name a pipeline (``pipeline``: where): the views that a user has kept for it."""
    kept = SavedView.objects.filter(user=user, pipeline=OuterRef(pipeline)).order_by().values("pipeline")
    return Subquery(kept.annotate(all=AllOf(JSONObject(pk="pk", name="name", query="query"))).values("all"))


def build_chips(view: View, page: str) -> list[Chip]:
    """The filters that hold, each with the address of the page without it. Reads a name for each that is a number."""
    chips = []
    for name in view.filters.query:
        without = replace(view, filters=view.filters.without(name))
        chips.append(Chip(_LABELS[name](view, getattr(view.filters, name)), without.url(page)))
    return chips


def _teams(view: View) -> Pairs:
    return list(known_teams(view.user).values_list("pk", "name")[:MOST_CHOICES])


def _sources(view: View) -> Pairs:
    of_board = view.scope.filter(stage__pipeline=view.pipeline, archived_at=None)
    return list(known_sources(view.user, of_board).values_list("pk", "name")[:MOST_CHOICES])


def _territories(view: View) -> Pairs:
    """Those of the people whom the user knows, or all."""
    people = None if view.user.has_perm("pipeline.view_lead") else known_people(view.user)
    answers: list[tuple[Any, Any]] = territories_asked.send(Lead, people=people)
    return [pair for _, pairs in answers for pair in pairs][:MOST_CHOICES]


def _owner_label(view: View, pk: int) -> str:
    found = known_people(view.user).filter(pk=pk).first()
    return f"Owner: {person(found) if found else 'somebody else'}"


def _named(what: str, names: Callable[[View], Pairs]) -> Callable[[View, Any], str]:
    return lambda view, pk: f"{what}: {dict(names(view)).get(pk, 'another')}"


_LABELS: Final[Mapping[str, Callable[[View, Any], str]]] = {
    "owner": _owner_label,
    "team": _named("Team", _teams),
    "source": _named("Source", _sources),
    "territory": _named("Territory", _territories),
    "score": lambda view, value: f"Score from {value}",
    "age": lambda view, value: AGES[value][0],
    "overdue": lambda view, value: "Overdue",
    "unassigned": lambda view, value: "Nobody has it",
    "q": lambda view, value: f"“{value}”",
}
