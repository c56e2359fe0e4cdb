"""What a board can be narrowed to, in words: the form of filters, the chips of those that hold, and saved views."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from pipeline.board import View
from pipeline.boardfilters import AGES
from pipeline.display import person
from pipeline.models import Lead, LeadSource, SavedView, Team
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
    """What the filters can be. ``page``: the name of the page that is narrowed."""

    owners: Pairs
    teams: Pairs
    sources: Pairs
    territories: Pairs
    ages: list[tuple[str, str]]
    views: list[SavedView]


def build_panel(view: View) -> Panel:
    """All choices that this user may see."""
    saved = SavedView.objects.filter(user=view.user, pipeline=view.pipeline)
    return Panel(
        owners=[(user.pk, person(user)) for user in _owners(view.user)[:MOST_CHOICES]],
        teams=list(_teams(view.user).values_list("pk", "name")[:MOST_CHOICES]),
        sources=list(LeadSource.objects.filter(active=True).values_list("pk", "name")[:MOST_CHOICES]),
        territories=_territories(),
        ages=[(key, words) for key, (words, _, _) in AGES.items()],
        views=list(saved),
    )


def build_chips(view: View, page: str) -> list[Chip]:
    """The filters that hold, each with the address of the page without it. Reads a name for each that is a number."""
    chips = []
    for name in view.filters.query:
        without = replace(view, filters=view.filters.without(name))
        chips.append(Chip(_LABELS[name](view, getattr(view.filters, name)), without.url(page)))
    return chips


def _teams(user: User) -> QuerySet[Team]:
    teams = Team.objects.filter(archived_at=None)
    return teams if user.has_perm("pipeline.view_lead") else teams.filter(Q(manager=user) | Q(members=user)).distinct()


def _owners(user: User) -> QuerySet[User]:
    """The user and everybody in the teams that the user sees."""
    members = Team.members.through.objects.filter(team__in=_teams(user).values("pk")).values("user")
    people = User.objects.filter(Q(pk=user.pk) | Q(pk__in=members), is_active=True)
    return people.order_by("first_name", "last_name", "username")


def _territories() -> Pairs:
    answers: list[tuple[Any, Any]] = territories_asked.send(Lead)
    return [pair for _, pairs in answers for pair in pairs][:MOST_CHOICES]


def _owner_label(view: View, pk: int) -> str:
    found = _owners(view.user).filter(pk=pk).first()
    return f"Owner: {person(found) if found else 'somebody else'}"


def _named(what: str, names: Callable[[View], Pairs]) -> Callable[[View, Any], str]:
    return lambda view, pk: f"{what}: {dict(names(view)).get(pk, 'another')}"


_LABELS: Final[Mapping[str, Callable[[View, Any], str]]] = {
    "owner": _owner_label,
    "team": _named("Team", lambda view: list(_teams(view.user).values_list("pk", "name"))),
    "source": _named("Source", lambda view: list(LeadSource.objects.values_list("pk", "name"))),
    "territory": _named("Territory", lambda view: _territories()),
    "score": lambda view, value: f"Score from {value}",
    "age": lambda view, value: AGES[value][0],
    "overdue": lambda view, value: "Overdue",
    "unassigned": lambda view, value: "Nobody has it",
    "q": lambda view, value: f"“{value}”",
}
