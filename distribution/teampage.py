"""Who of a team is here, as values ready to show."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.timezone import localtime

from distribution.compiling import live_timetable
from distribution.engine.people import Rep as Person
from distribution.models import Pool, Rep, SLAClock
from distribution.people import load_people
from distribution.selectors import looked_after, manageable_reps
from distribution.states import State, load_of, state_of
from leadcrm.lib import access
from leadcrm.lib.prepared import Param, Prepared
from pipeline.display import Due, due_of, money
from pipeline.models import Lead, Team
from pipeline.selectors import visible_leads

PER_PAGE: Final = 50
LEADS_SHOWN: Final = 6
BROKEN_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Piece:
    """An open lead in the list of the one who has it. ``about``: company, stage and value in a line."""

    uid: UUID
    version: int
    title: str
    about: list[str]
    due: Due | None


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One rep: ``load`` such as ``3 of 10`` open leads, of a capacity if there is one; ``clocks`` promises that run,
    ``late`` of them broken; the most urgent of the leads."""

    id: int
    user_id: int
    name: str
    state: State
    load: str
    open_leads: int
    capacity: int | None
    clocks: int
    late: int
    seen_at: datetime | None
    looked_after: bool
    leads: list[Piece]

    @property
    def more(self) -> int:
        return max(self.open_leads - len(self.leads), 0)


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was broken."""

    uid: UUID
    title: str
    rep: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TeamPage:
    lines: list[TeamLine]
    here: int
    page: Page[Rep]
    broken: list[Broken]


def manages(user: User) -> bool:
    """Whether a user has people to look after, in teams or in pools."""
    if not user.is_active or user.has_perm("distribution.change_rep"):
        return user.is_active
    if user.has_perm("distribution.look_after_pool") and Pool.objects.exists():
        return True
    return _MANAGING.first(user=user.pk) is not None


def _managing() -> QuerySet[User, tuple[int]]:
    user = Param("user")
    ways = [Team.objects.filter(manager=user, archived_at=None), *access.grants(user, ("look_after_pool",))]
    return User.objects.filter(reduce(or_, map(Exists, ways)), pk=user).order_by().values_list("pk")


_MANAGING: Final = Prepared(_managing)


def build_team(user: User, number: str, now: datetime) -> TeamPage:
    """The reps that a user may manage, by name, and the promises to their leads that were broken since midnight in
    the reader's time zone; a fixed number of queries."""
    everybody = manageable_reps(user)
    page = Paginator(everybody.order_by("name", "pk"), PER_PAGE).get_page(number)
    reps = {rep.pk: rep for rep in page.object_list}
    looked_after_ids = set(looked_after(user).filter(pk__in=reps).values_list("pk", flat=True))
    clocks, leads = _clocks(reps), _leads(user, reps.values(), now)
    people = load_people(Rep.objects.filter(pk__in=reps), now, live_timetable())
    known = {person.id: _line(person, reps[person.id], clocks, leads, looked_after_ids, now) for person in people}
    lines = [known[pk] for pk in reps]
    return TeamPage(lines, sum(line.state.here for line in lines), page, broken_today(user, now))


def _line(
    person: Person,
    rep: Rep,
    clocks: Mapping[int, tuple[int, int]],
    leads: Mapping[int, list[Piece]],
    looked_after_ids: Container[int],
    now: datetime,
) -> TeamLine:
    running, late = clocks.get(rep.pk, (0, 0))
    return TeamLine(
        id=rep.pk,
        user_id=rep.user_id,
        name=rep.name,
        state=state_of(person, now),
        load=load_of(person),
        open_leads=person.open_leads,
        capacity=person.capacity,
        clocks=running,
        late=late,
        seen_at=rep.last_seen_at,
        looked_after=rep.pk in looked_after_ids,
        leads=leads.get(rep.user_id, []),
    )


def _leads(user: User, reps: Iterable[Rep], now: datetime) -> dict[int, list[Piece]]:
    """By owner, the open leads that are to be answered first."""
    place = Window(RowNumber(), partition_by="owner", order_by=(F("respond_by").asc(nulls_last=True), "-pk"))
    owned = visible_leads(user).filter(owner__in=[rep.user_id for rep in reps], closed_at=None, archived_at=None)
    found: dict[int, list[Piece]] = {}
    urgent = owned.annotate(place=place).filter(place__lte=LEADS_SHOWN).select_related("stage").order_by("place")
    for lead in urgent:
        found.setdefault(lead.owner_id or 0, []).append(_piece(lead, now))
    return found


def _piece(lead: Lead, now: datetime) -> Piece:
    about = (lead.company if lead.name else "", lead.stage.name, money(lead.value, lead.currency))
    due = due_of(lead.respond_by, now) if lead.respond_by else None
    return Piece(lead.uid, lead.version, str(lead), list(filter(None, about)), due)


def broken_today(user: User, now: datetime) -> list[Broken]:
    """The promises of a manager's people that were broken since midnight in the reader's zone, the latest first."""
    reps = manageable_reps(user)
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    clocks = SLAClock.objects.filter(broken_at__gte=midnight, rep__in=reps, lead__in=visible_leads(user))
    return [
        Broken(clock.lead.uid, str(clock.lead), clock.rep.name if clock.rep else "", clock.get_kind_display(), at)
        for clock in clocks.select_related("lead", "rep").order_by("-broken_at", "-pk")[:BROKEN_SHOWN]
        if (at := clock.broken_at)
    ]


def _clocks(reps: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How many promises run for each, and how many of them are broken."""
    running = SLAClock.objects.filter(stopped_at=None, rep__in=list(reps)).order_by()
    counted = running.values("rep").annotate(all=Count("pk"), late=Count("pk", filter=Q(broken_at__isnull=False)))
    return {rep: (count, late) for rep, count, late in counted.values_list("rep_id", "all", "late")}
