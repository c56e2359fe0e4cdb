"""What this app does when a lead comes in, is closed or is opened again."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.utils import timezone

from distribution import compiling, services
from distribution.blind import came_blind
from distribution.errors import WrongState
from distribution.hours import reps_using
from distribution.models import (
    Assignment,
    EscalationStep,
    HoursException,
    Leave,
    Pool,
    PoolMember,
    Rep,
    RuleSet,
    SLAPolicy,
    TeamHours,
    Territory,
    TerritoryArea,
    WorkingHours,
    WorkShift,
)
from distribution.offers import offered_to
from distribution.people import load_rep
from distribution.services import books, clocks, recounting, waking
from distribution.services.handling import accept_own, end_assignment, end_routing, take_up_assignment
from distribution.territoryleads import leads_in, territory_names
from pipeline import signals
from pipeline.models import AttributeDefinition, Lead, Team


@receiver(post_save, sender=Lead, dispatch_uid="distribution.lead_saved")
def lead_saved(instance: Lead, created: bool, raw: bool, **_: Any) -> None:
    """A new lead is routed after the commit; one that came in with an owner is held by that owner at once."""
    if not created or raw:
        return
    if instance.routing_state == Lead.RoutingState.ASSIGNED:
        hold_for_owner(instance)
    elif instance.routing_state == Lead.RoutingState.NEW:
        transaction.on_commit(partial(_route, instance), robust=True)


def _route(lead: Lead) -> None:
    services.route_new_lead(lead.pk, lead if lead.is_as_stored else None)


def hold_for_owner(lead: Lead) -> None:
    """Write the assignment of a lead that has an owner already. It takes no turn and no counter; closed ones end."""
    rep = Rep.objects.filter(user=lead.owner_id).first()
    if rep is None:
        raise WrongState("The owner of a lead must have a rep profile.")
    started_at = lead.assigned_at or lead.created_at
    assignment = Assignment(lead=lead, rep=rep, trigger=Assignment.Trigger.INTAKE, started_at=started_at)
    if lead.closed_at is not None:
        assignment.ended_at, assignment.end = lead.closed_at, Assignment.End.CLOSED
    assignment.save(force_insert=True)
    if lead.closed_at is None:
        books.hold_place(rep.pk)


@receiver(signals.lead_closed, dispatch_uid="distribution.lead_closed")
def lead_closed(lead: Lead, at: datetime, **_: Any) -> None:
    """In the transaction: nothing is promised any more, and the owner's place is free."""
    clocks.end_all(lead.pk, at)
    held = Assignment.objects.filter(lead=lead, ended_at=None).first()
    if held is not None:
        end_assignment(held, Assignment.End.CLOSED, at, held.reason)


@receiver(signals.closing_undone, dispatch_uid="distribution.closing_undone")
def closing_undone(lead: Lead, closed_at: datetime, **_: Any) -> None:
    """In the transaction: the owner holds the lead, and promises what was promised, as before."""
    take_up_assignment(lead.pk, closed_at)
    clocks.take_up(lead.pk, closed_at)


@receiver(signals.lead_reopened, dispatch_uid="distribution.lead_reopened")
def lead_reopened(lead: Lead, actor: User | None = None, **_: Any) -> None:
    """In the transaction: the owner, if any, holds it again, whatever the capacity."""
    if lead.owner_id is None or Assignment.objects.filter(lead=lead, ended_at=None).exists():
        return
    now = timezone.now()
    rep = load_rep(now, user_id=lead.owner_id)
    if rep is None:
        return
    books.hold_place(rep.id)
    Assignment.objects.create(
        lead=lead,
        rep_id=rep.id,
        trigger=Assignment.Trigger.MANUAL,
        actor=actor,
        reason="reopened",
        started_at=now,
        accepted_at=lead.accepted_at and now,
    )
    clocks.hand_over_clocks(lead.pk, rep.id, now)


@receiver(signals.lead_archived, dispatch_uid="distribution.lead_archived")
def lead_archived(lead: Lead, **_: Any) -> None:
    """In the transaction: nothing is promised any more."""
    clocks.end_all(lead.pk, timezone.now())


@receiver(signals.lead_merged, dispatch_uid="distribution.lead_merged")
def lead_merged(lead: Lead, **_: Any) -> None:
    """In the transaction: the other lead goes on; of this one nothing is promised, and its owner's place is free."""
    end_routing(lead.pk, timezone.now())


@receiver(signals.lead_contacted, dispatch_uid="distribution.lead_contacted")
def lead_contacted(lead: Lead, actor: User | None, at: datetime, **_: Any) -> None:
    """In the transaction: what was promised is done. An owner who reaches out has accepted the lead."""
    rep = Rep.objects.filter(user=actor).first() if actor else None
    if rep is not None:
        accept_own(lead.pk, rep, at)
    clocks.contacted(lead.pk, at)


@receiver(signals.lead_touched, dispatch_uid="distribution.lead_touched")
def lead_touched(lead: Lead, actor: User, at: datetime, **_: Any) -> clocks.Touch | None:
    """In the transaction: the owner is not idle."""
    return clocks.touched(lead.pk, at) if lead.owner_id == actor.pk else None


@receiver(signals.touch_undone, dispatch_uid="distribution.touch_undone")
def touch_undone(lead: Lead, touch: clocks.Touch, **_: Any) -> None:
    """In the transaction: the owner is as idle as before."""
    clocks.untouch(lead.pk, touch)


@receiver(signals.lead_snoozed, dispatch_uid="distribution.lead_snoozed")
def lead_snoozed(lead: Lead, at: datetime, **_: Any) -> None:
    """In the transaction: promises wait."""
    clocks.pause(lead.pk, at)


@receiver(signals.lead_woken, dispatch_uid="distribution.lead_woken")
def lead_woken(lead: Lead, at: datetime, **_: Any) -> None:
    """In the transaction: promises go on."""
    clocks.resume(lead.pk, at)


@receiver(signals.leads_created, dispatch_uid="distribution.leads_created")
def leads_created(lead_ids: list[int], **_: Any) -> None:
    """After the commit: many leads were stored at once."""
    services.assign_leads(lead_ids)


@receiver(signals.lead_waiting, dispatch_uid="distribution.lead_waiting")
def lead_waiting(lead_id: int, **_: Any) -> None:
    """After the commit: somebody waits for what becomes of this lead."""
    services.route_new_lead(lead_id)


@receiver(signals.offers_asked, dispatch_uid="distribution.offers_asked")
def offers_asked(user: User, **_: Any) -> set[UUID]:
    """Asked by open boards: what the lane beside them shows."""
    return {offer.lead.uid for offer in offered_to(user)}


@receiver(signals.takeable_asked, dispatch_uid="distribution.takeable_asked")
def takeable_asked(user: User, lead_ids: list[int], **_: Any) -> set[int]:
    """Asked by pages: the leads among these that were offered to this user and are still free."""
    return {offer.lead_id for offer in offered_to(user)}.intersection(lead_ids)


@receiver(signals.blind_asked, dispatch_uid="distribution.blind_asked")
def blind_asked(**_: Any) -> Q:
    """Asked by selectors: the condition for leads of which nobody may know who it is until somebody has them."""
    return came_blind()


@receiver(signals.hiders_asked, dispatch_uid="distribution.hiders_asked")
def hiders_asked(**_: Any) -> QuerySet[Pool]:
    """Asked by boards: what hides leads."""
    return Pool.objects.filter(blind=True)


@receiver(signals.territory_asked, dispatch_uid="distribution.territory_asked")
def territory_asked(territory_id: int, **_: Any) -> Q:
    """Asked by pages: the condition for leads that lie in this territory."""
    return leads_in(territory_id)


@receiver(signals.territories_asked, dispatch_uid="distribution.territories_asked")
def territories_asked(people: QuerySet[User] | None, **_: Any) -> list[tuple[int, str]]:
    """Asked by pages: which territories there are."""
    return territory_names(people)


@receiver((post_save, post_delete), sender=Territory, dispatch_uid="distribution.territory_changed")
@receiver((post_save, post_delete), sender=TerritoryArea, dispatch_uid="distribution.area_changed")
def territories_changed(**_: Any) -> None:
    compiling.touch(compiling.TERRITORIES)
    waking.wake_unplaced(timezone.now())


@receiver((post_save, post_delete), sender=AttributeDefinition, dispatch_uid="distribution.catalogue_changed")
def catalogue_changed(**_: Any) -> None:
    compiling.touch(compiling.CATALOGUE)


@receiver((post_save, post_delete), sender=WorkingHours, dispatch_uid="distribution.hours_changed")
@receiver((post_save, post_delete), sender=WorkShift, dispatch_uid="distribution.shift_changed")
@receiver((post_save, post_delete), sender=HoursException, dispatch_uid="distribution.exception_changed")
@receiver((post_save, post_delete), sender=TeamHours, dispatch_uid="distribution.team_hours_changed")
def hours_changed(**_: Any) -> None:
    compiling.touch(compiling.HOURS)
    waking.wake_all(timezone.now())


@receiver(post_save, sender=Rep, dispatch_uid="distribution.rep_saved")
def rep_saved(instance: Rep, created: bool, raw: bool, update_fields: Collection[str] | None = None, **_: Any) -> None:
    """In the transaction: back from being away, more capacity, another cap, another language."""
    if created or raw or not instance.active:
        return
    waking.wake_for(instance.pk, timezone.now())
    if update_fields is None or {"active", "languages"} & set(update_fields):
        waking.wake_unplaced(timezone.now())


@receiver(m2m_changed, sender=Rep.skills.through, dispatch_uid="distribution.skills_changed")
@receiver(m2m_changed, sender=Rep.territories.through, dispatch_uid="distribution.rep_territories_changed")
def abilities_changed(instance: Any, action: str, **_: Any) -> None:
    """In the transaction: a rep can take other leads than before."""
    if action == "post_add" and isinstance(instance, Rep):
        waking.wake_for(instance.pk, timezone.now())
        waking.wake_unplaced(timezone.now())


@receiver(post_save, sender=PoolMember, dispatch_uid="distribution.member_saved")
def member_saved(instance: PoolMember, raw: bool, **_: Any) -> None:
    """In the transaction: somebody joined, is paused no longer, or may have more."""
    if not raw and instance.retired_at is None and not instance.paused:
        waking.wake_pools([instance.pool_id], timezone.now())
        waking.wake_unplaced(timezone.now())


@receiver(post_save, sender=Pool, dispatch_uid="distribution.pool_saved")
def pool_saved(instance: Pool, created: bool, raw: bool, **_: Any) -> None:
    """In the transaction: the pool asks for less, or gives by another method."""
    if not created and not raw:
        waking.wake_pools([instance.pk], timezone.now())
        waking.wake_unplaced(timezone.now())


@receiver(post_save, sender=RuleSet, dispatch_uid="distribution.rule_set_saved")
def rule_set_saved(instance: RuleSet, raw: bool, **_: Any) -> None:
    """In the transaction: other rules may place what waits."""
    if not raw and instance.state == RuleSet.State.LIVE:
        waking.wake_all(timezone.now())
        waking.wake_unplaced(timezone.now())


@receiver(post_save, sender=Leave, dispatch_uid="distribution.leave_saved")
def leave_saved(instance: Leave, created: bool, raw: bool, **_: Any) -> None:
    """In the transaction: leave was cancelled, or ends sooner."""
    if not created and not raw:
        waking.wake_for(instance.rep_id, timezone.now())


# --- Promises in working time are worked out again when calendars change ---------------------------


# Before rows are deleted: afterwards nobody can tell whose they were.
@receiver((post_save, pre_delete), sender=WorkShift, dispatch_uid="distribution.clocks_of_shift")
@receiver((post_save, pre_delete), sender=HoursException, dispatch_uid="distribution.clocks_of_exception")
@receiver((post_save, pre_delete), sender=TeamHours, dispatch_uid="distribution.clocks_of_team_hours")
def clocks_of_hours(instance: WorkShift | HoursException | TeamHours, **_: Any) -> None:
    recounting.mark_stale(_counting_by(instance.hours))


@receiver((post_save, pre_delete), sender=WorkingHours, dispatch_uid="distribution.clocks_of_working_hours")
def clocks_of_working_hours(instance: WorkingHours, **_: Any) -> None:
    """Whether they are the default ones may have changed, so whoever has none of their own is asked as well."""
    recounting.mark_stale(_counting_by(instance) | Q(rep=None) | Q(rep__hours=None))


def _counting_by(hours: WorkingHours) -> Q:
    """Clocks that count by these hours; those of leads that nobody has count by the default ones."""
    counting = Q(rep__in=reps_using(hours))
    return counting | Q(rep=None) if hours.is_default else counting


@receiver((post_save, post_delete), sender=Leave, dispatch_uid="distribution.clocks_of_leave")
def clocks_of_leave(instance: Leave, **_: Any) -> None:
    recounting.mark_stale(Q(rep=instance.rep_id))


# Before the rep's row is locked: whoever stops a clock locks the clock first and the rep after it.
@receiver(pre_save, sender=Rep, dispatch_uid="distribution.clocks_of_rep")
def clocks_of_rep(instance: Rep, update_fields: Collection[str] | None = None, **_: Any) -> None:
    if instance.pk and (update_fields is None or {"hours", "time_zone"} & set(update_fields)):
        recounting.mark_stale(Q(rep=instance.pk))


@receiver(m2m_changed, sender=Team.members.through, dispatch_uid="distribution.clocks_of_team")
def clocks_of_team(instance: Team | User, action: str, pk_set: set[int] | None, **_: Any) -> None:
    """Who joins or leaves a team may get other hours."""
    if isinstance(instance, User):
        recounting.mark_stale(Q(rep__user=instance))
    elif action == "pre_clear":
        recounting.mark_stale(Q(rep__user__in=instance.members.all()))
    elif pk_set:
        recounting.mark_stale(Q(rep__user__in=pk_set))


@receiver(pre_delete, sender=Team, dispatch_uid="distribution.clocks_of_former_team")
def clocks_of_former_team(instance: Team, **_: Any) -> None:
    recounting.mark_stale(Q(rep__user__in=instance.members.all()))


@receiver((post_save, post_delete), sender=SLAPolicy, dispatch_uid="distribution.policy_changed")
@receiver((post_save, post_delete), sender=EscalationStep, dispatch_uid="distribution.step_changed")
def policies_changed(**_: Any) -> None:
    compiling.touch(compiling.POLICIES)
