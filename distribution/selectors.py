"""What the pages of distribution read."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from distribution.compiling import lead_catalogue
from distribution.engine.outcomes import NO_RULE
from distribution.errors import NotYours
from distribution.explain import Json, Names, mentioned
from distribution.fields import with_choices
from distribution.models import Assignment, Decision, Offer, Pool, PoolMember, Rep, Territory
from distribution.services.taking import offers_ever_to, offers_to_user
from leadcrm.lib import access
from leadcrm.lib.prepared import Param
from pipeline.models import Event, Lead, Task, Team
from pipeline.selectors import visible_leads, workable_leads

LONGEST_NUMBER: Final = 18


def rep_of(user: User) -> Rep | None:
    """The profile by which a user can own leads; None for people who only look on."""
    return Rep.objects.select_related("user").filter(user=user, active=True).first()


def acting_rep(user: User) -> Rep:
    """The profile of a user who wants to own a lead.

    Raises:
        NotYours: the user has none.
    """
    rep = rep_of(user)
    if rep is None:
        raise NotYours("You have no rep profile, so leads cannot be yours. An administrator can add one.")
    return rep


def may_manage(user: User, rep: Rep) -> bool:
    """Whether a user may set the status and the leave of a rep: their own, or as :func:`manageable_reps` says."""
    return user.is_active and (rep.user_id == user.pk or looked_after(user).filter(pk=rep.pk).exists())


def manageable_reps(user: User) -> QuerySet[Rep]:
    """The active reps a user looks after, and the user's own profile."""
    reps = Rep.objects.filter(active=True)
    return reps.filter(Q(user=user) | Q(pk__in=looked_after(user).values("pk"))) if user.is_active else reps.none()


def looked_after(user: User) -> QuerySet[Rep]:
    """The people whom an active user looks after: those of their teams and of pools they were trusted with, or all."""
    if user.has_perm("distribution.change_rep"):
        return Rep.objects.all()
    teams = Team.objects.filter(manager=user, archived_at=None)
    in_teams = Team.members.through.objects.filter(team__in=teams).values("user")
    pools = access.objects_for(user, "look_after_pool", Pool)
    in_pools = PoolMember.objects.filter(pool__in=pools, retired_at=None).values("rep")
    return Rep.objects.filter(Q(user__in=in_teams) | Q(pk__in=in_pools))


def leads_to_pass_on(user: User) -> QuerySet[Lead]:
    """The open leads a user may give to somebody else: of those they may work, the ones of teams they manage and of
    people whom they look after, or all. Who may be given them is in :func:`manageable_reps`."""
    leads = workable_leads(user).filter(closed_at=None, archived_at=None)
    if user.has_perm("pipeline.change_lead"):
        return leads
    teams = Team.objects.filter(manager=user, archived_at=None)
    return leads.filter(Q(team__in=teams) | Q(owner__in=looked_after(user).values("user")))


def may_pass_on(user: User, lead: Lead) -> bool:
    """Whether a user may give this lead to somebody else, as :func:`leads_to_pass_on` says."""
    return leads_to_pass_on(user).filter(pk=lead.pk).exists()


def may_give_up(user: User, lead: Lead) -> bool:
    """Whether a user may say that a lead is no lead, or should go to somebody else: its owner, and who decides."""
    if lead.owner_id is None or lead.closed_at or lead.archived_at:
        return False
    return lead.owner_id == user.pk or may_pass_on(user, lead)


def open_offers(user: User | Param) -> QuerySet[Offer]:
    """What a user may take now, the oldest first; a lead is in it once for each way it was offered."""
    offers = offers_to_user(user).filter(lead__closed_at=None, lead__archived_at=None)
    return offers.order_by("offered_at", "pk")


def concerned_since(user: User, since: int) -> bool:
    """Whether an event after this one may change what waits for a user: of a lead that the user has or had, that was
    offered to them, or that they have a task for. One query, over what happened since."""
    lead = {"lead": OuterRef("lead")}
    had = Assignment.objects.filter(rep__user=user, **lead)
    offered, asked = offers_ever_to(user).filter(**lead), Task.objects.filter(assignee=user, **lead)
    theirs = Q(lead__owner=user) | Exists(had) | Exists(offered) | Exists(asked)
    return Event.objects.filter(theirs, pk__gt=since).exists()


def lead_to_take(user: User, uid: UUID) -> Lead:
    """A lead that a user may see, or that was once offered to the user's profile: who comes late is told so.

    Raises:
        Http404: when there is none, also when it exists but is not theirs.
    """
    leads = visible_leads(user) | Lead.objects.filter(pk__in=offers_ever_to(user).values("lead"))
    lead = leads.filter(uid=uid).first()
    if lead is None:
        raise Http404("There is no such lead.")
    return lead


def find_lead(text: str) -> Lead:
    """A lead by its uid, its number or its id at the source, whichever fits first. For commands: sees everything.

    Raises:
        LookupError: with a sentence, when no lead or more than one fits.
    """
    leads = Lead.objects.select_related("source")
    for fitting in (_by_uid(text), _by_number(text), Q(external_id=text)):
        found = list(leads.filter(fitting).order_by("pk")[:3]) if text and fitting else []
        if len(found) > 1:
            uids = ", ".join(f"{lead.uid} ({lead.source.slug})" for lead in found)
            raise LookupError(f"Several leads have the id {text!r} at their source: {uids}. Give the uid of one.")
        if found:
            return found[0]
    raise LookupError(f"There is no lead {text!r}. Give its uid, its number, or its id at the source.")


def _by_uid(text: str) -> Q:
    try:
        return Q(uid=UUID(text))
    except ValueError:
        return Q()


def _by_number(text: str) -> Q:
    return Q(pk=int(text)) if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER else Q()


def decision_of(lead: Lead, number: int | None = None) -> Decision | None:
    """The latest decision about a lead, or the one with this number, with all that its page shows."""
    decisions = lead.decisions.select_related("rule_set", "rule", "pool", "winner", "actor", "trace")
    found = decisions.filter(pk=number) if number else decisions.order_by("-pk")
    return found.first()


def unrouted_since(since: datetime) -> int:
    """How many leads no rule placed; not those whose rule found nobody available."""
    decisions = Decision.objects.filter(reason=NO_RULE, at__gte=since)
    return decisions.values("lead").distinct().count()


def trace_of(decision: Decision) -> dict[str, Any] | None:
    """The full table behind a decision; None once it has been pruned."""
    trace = getattr(decision, "trace", None)
    return trace.data if trace else None


def names_in(trace: Json) -> Names:
    """What the numbers in a trace are called now."""
    territories, teams = mentioned(trace)
    return Names(
        fields=with_choices(lead_catalogue()),
        territories=dict(Territory.objects.filter(pk__in=territories).values_list("pk", "name")) if territories else {},
        teams=dict(Team.objects.filter(pk__in=teams).values_list("pk", "name")) if teams else {},
    )
