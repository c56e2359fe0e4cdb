"""Who may read what. The only scoped readers of leads."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from leadcrm.lib import access
from leadcrm.lib.prepared import Param
from pipeline.models import Account, Lead, LeadSource, Pipeline, Stage, Task, Team
from pipeline.reach import not_hidden

_ASSIGNED = Lead.RoutingState.ASSIGNED
_OPEN = Q(closed_at=None)
# Where a lead stands, in one word, and which leads stand there. Must agree with status_of.
_STATUS_CONDITIONS = {
    **{state: _OPEN & Q(first_contacted_at=None, routing_state=state) for state in Lead.RoutingState.values},
    _ASSIGNED.value: _OPEN & Q(first_contacted_at=None, routing_state=_ASSIGNED, accepted_at=None),
    "accepted": _OPEN & Q(first_contacted_at=None, routing_state=_ASSIGNED, accepted_at__isnull=False),
    "contacted": _OPEN & Q(first_contacted_at__isnull=False),
    "won": Q(closed_at__isnull=False, stage__kind=Stage.Kind.WON),
    "lost": Q(closed_at__isnull=False) & ~Q(stage__kind=Stage.Kind.WON),
}
STATUSES = tuple(_STATUS_CONDITIONS)
_RELATED = ("source", "stage__pipeline", "owner", "team", "account", "duplicate_of")


def visible_leads(user: User | AnonymousUser) -> QuerySet[Lead]:
    """The leads a user may read: those they may change, those of teams and sources granted to them, or all.

    Of what nobody has yet and came through a blind pool (``blind_asked``) only the manager of its team and who may read
    all leads know who it is: for everybody else there is no such lead until somebody has it.
    """
    if not isinstance(user, User) or not user.is_active:
        return Lead.objects.none()
    if user.has_perm("pipeline.view_lead"):
        return Lead.objects.all()
    seen = access.objects_for(user, "view_team_leads", Team)
    sources = access.objects_for(user, "view_source_leads", LeadSource)
    shown = _trusted_with(user) | Q(team__in=seen) | Q(source__in=sources)
    return Lead.objects.filter(theirs(user) | (not_hidden() & shown))


def workable_leads(user: User | AnonymousUser) -> QuerySet[Lead]:
    """The leads a user may change: their own, what nobody of their teams has yet, all of teams they manage, those of
    teams and pipelines they were trusted with, or all."""
    if not isinstance(user, User) or not user.is_active:
        return Lead.objects.none()
    if user.has_perm("pipeline.change_lead"):
        return Lead.objects.all()
    return Lead.objects.filter(theirs(user) | (not_hidden() & _trusted_with(user)))


def theirs(user: User | Param, lead: str = "") -> Q:
    """Leads of which a user knows everything: their own, and those of teams that they manage. ``lead``: where a row has
    its lead."""
    return Q(**{f"{lead}owner": user}) | Q(**{f"{lead}team__manager": user})


def _trusted_with(user: User) -> Q:
    """What nobody of a user's teams has yet, and what the user's groups were trusted with."""
    # Teams as subqueries: a join to members would repeat a lead for each way to its team.
    joined = Team.members.through.objects.filter(user=user).values("team_id")
    teams = access.objects_for(user, "work_team_leads", Team)
    pipelines = access.objects_for(user, "work_pipeline", Pipeline)
    return Q(team__in=joined, owner=None) | Q(team__in=teams) | Q(stage__pipeline__in=pipelines)


def known_teams(user: User) -> QuerySet[Team]:
    """The teams whose names a user may read: their own, those whose leads were granted to them, or all."""
    teams = Team.objects.filter(archived_at=None)
    if user.has_perm("pipeline.view_lead"):
        return teams
    return teams.filter(Q(manager=user) | Q(members=user) | _granted_teams(user)).distinct()


def _granted_teams(user: User) -> Q:
    """The teams whose leads a user's groups may work, or read."""
    worked, read = (access.objects_for(user, name, Team) for name in ("work_team_leads", "view_team_leads"))
    return Q(pk__in=worked) | Q(pk__in=read)


def known_people(user: User) -> QuerySet[User]:
    """The user and everybody in the teams that the user knows, by name."""
    members = Team.members.through.objects.filter(team__in=known_teams(user).values("pk")).values("user")
    people = User.objects.filter(Q(pk=user.pk) | Q(pk__in=members), is_active=True)
    return people.order_by("first_name", "last_name", "username")


def known_sources(user: User, leads: QuerySet[Lead]) -> QuerySet[LeadSource]:
    """The sources of leads that a user sees (``leads``), or all."""
    if user.has_perm("pipeline.view_lead"):
        return LeadSource.objects.all()
    return LeadSource.objects.filter(Exists(leads.filter(source=OuterRef("pk")).order_by()))


def visible_accounts(user: User | AnonymousUser) -> QuerySet[Account]:
    """The accounts a user may read: their own, those of leads they may read, or all."""
    if not isinstance(user, User) or not user.is_active:
        return Account.objects.none()
    if user.has_perm("pipeline.view_account"):
        return Account.objects.filter(archived_at=None)
    of_leads = visible_leads(user).filter(account__isnull=False).values("account_id")
    return Account.objects.filter(Q(owner=user) | Q(pk__in=of_leads), archived_at=None)


def access_account(user: User | AnonymousUser, uid: UUID) -> Account:
    """One account the user may read; raises Http404 like :func:`access_lead`."""
    account = visible_accounts(user).select_related("owner", "parent").filter(uid=uid).first()
    if account is None:
        raise Http404("There is no such account.")
    return account


def access_lead(user: User | AnonymousUser, uid: UUID | str) -> Lead:
    """One lead the user may read, with what a page shows of it.

    Raises:
        Http404: when there is none, also when it exists but is not theirs.
    """
    return one_lead(visible_leads(user), uid)


def work_lead(user: User | AnonymousUser, uid: UUID | str) -> Lead:
    """One lead the user may change; raises Http404 like :func:`access_lead`."""
    return one_lead(workable_leads(user), uid)


def people_of(lead: Lead) -> QuerySet[User]:
    """Who may be named for a task of a lead: its owner, the manager of its team and, while nobody has it, the team, if
    it may know who the lead is."""
    managers = Team.objects.filter(leads=lead.pk).values("manager_id")
    owners = Lead.objects.filter(pk=lead.pk).values("owner_id")
    named = Q(pk__in=owners) | Q(pk__in=managers)
    if lead.owner_id is None and Lead.objects.filter(not_hidden(), pk=lead.pk).exists():
        named |= Q(pk__in=Team.members.through.objects.filter(team__leads=lead.pk).values("user_id"))
    return User.objects.filter(named, is_active=True).order_by("first_name", "last_name", "pk")


def tasks_of(user: User) -> QuerySet[Task]:
    """What a user is to do, the first to be done first: their own tasks, and those of their leads that name nobody.

    What is to be done for a lead that was lost or put out of sight is not asked for.
    """
    named = Q(assignee=user, lead__in=workable_leads(user))
    asked = Task.objects.filter(named | Q(assignee=None, lead__owner=user), ended_at=None, lead__archived_at=None)
    return asked.exclude(lead__stage__kind=Stage.Kind.LOST).order_by("due_at", "pk")


def work_task(user: User | AnonymousUser, pk: int) -> Task:
    """A task of a lead that the user may change, with the lead; raises Http404 like :func:`access_lead`."""
    task = Task.objects.filter(pk=pk, lead__in=workable_leads(user)).select_related("lead", "assignee").first()
    if task is None:
        raise Http404("There is no such task.")
    return task


def leads_of_source(source: LeadSource) -> QuerySet[Lead]:
    """The leads a source sent, and so its partner may read."""
    return Lead.objects.filter(source=source)


def one_lead(leads: QuerySet[Lead], uid: UUID | str) -> Lead:
    """One of these leads; raises Http404 like :func:`access_lead`, also for what is no uid."""
    try:
        return leads.select_related(*_RELATED).get(uid=UUID(str(uid)))
    except (Lead.DoesNotExist, ValueError):
        raise Http404("There is no such lead.") from None


def status_of(lead: Lead) -> str:
    """Where a lead stands, in one word of ``STATUSES``, for partners and cards."""
    return status_from(lead.routing_state, lead.accepted_at, lead.first_contacted_at, lead.closed_at, lead.stage.kind)


def status_from(
    routing_state: str,
    accepted_at: datetime | None,
    first_contacted_at: datetime | None,
    closed_at: datetime | None,
    stage_kind: str,
) -> str:
    """:func:`status_of` for the columns of a lead that it follows from."""
    if closed_at:
        return "won" if stage_kind == Stage.Kind.WON else "lost"
    if first_contacted_at:
        return "contacted"
    if routing_state == Lead.RoutingState.ASSIGNED and accepted_at:
        return "accepted"
    return routing_state


def with_status(leads: QuerySet[Lead], status: str) -> QuerySet[Lead]:
    """Those of the leads for which :func:`status_of` says this."""
    return leads.filter(_STATUS_CONDITIONS[status])
