"""Who of a team is here, as values ready to show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from distribution.compiling import live_timetable
from distribution.engine.people import Rep as Person
from distribution.models import Pool, Rep, SLAClock
from distribution.people import load_people
from distribution.selectors import manageable_reps
from distribution.states import State, load_of, state_of
from leadcrm.lib import access
from pipeline.models import Team

PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One rep: ``load`` such as ``3 of 10`` open leads, ``clocks`` promises that run, ``late`` of them broken."""

    id: int
    name: str
    state: State
    load: str
    clocks: int
    late: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamPage:
    lines: list[TeamLine]
    here: int
    page: Page[Rep]


def manages(user: User) -> bool:
    """Whether a user has people to look after, in teams or in pools."""
    if not user.is_active or user.has_perm("distribution.change_rep"):
        return user.is_active
    teams = Team.objects.filter(manager=user, archived_at=None)
    return teams.exists() or access.objects_for(user, "look_after_pool", Pool).exists()


def build_team(user: User, number: str, now: datetime) -> TeamPage:
    """The reps that a user may manage, by name; a fixed number of queries."""
    page = Paginator(manageable_reps(user).order_by("name", "pk"), PER_PAGE).get_page(number)
    reps = {rep.pk: rep for rep in page.object_list}
    clocks = _clocks(reps)
    people = {person.id: person for person in load_people(Rep.objects.filter(pk__in=reps), now, live_timetable())}
    lines = [
        TeamLine(
            pk, rep.name, state_of(people[pk], now), load_of(people[pk]), *clocks.get(pk, (0, 0)), rep.last_seen_at
        )
        for pk, rep in reps.items()
    ]
    return TeamPage(lines, sum(line.state.here for line in lines), page)


def _line(rep: Rep, person: Person, clocks: tuple[int, int], now: datetime) -> TeamLine:
    return TeamLine(rep.pk, rep.name, state_of(person, now), load_of(person), *clocks, rep.last_seen_at)


def _clocks(reps: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How many promises run for each, and how many of them are broken."""
    running = SLAClock.objects.filter(stopped_at=None, rep__in=list(reps)).order_by()
    counted = running.values("rep").annotate(all=Count("pk"), late=Count("pk", filter=Q(broken_at__isnull=False)))
    return {rep: (count, late) for rep, count, late in counted.values_list("rep_id", "all", "late")}
