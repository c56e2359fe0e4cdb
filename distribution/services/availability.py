"""Who is there: status, leave and pauses of reps. All of it leaves history rows, and is safe to run twice.

What is saved here wakes the leads that wait, by the receivers of these rows, as it does when an admin's form saves it.

Who may do this to whom is asked before: :func:`distribution.selectors.may_manage`.
"""

from datetime import datetime, timedelta
from typing import Any, Final, TypedDict, Unpack

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Model, Q
from django.utils import timezone

from distribution.errors import WrongState, WrongValue
from distribution.leavespan import span_text
from distribution.models import AwayReason, Leave, PoolMember, Rep

LONGEST_REASON: Final = 100
SEEN_EVERY: Final = timedelta(minutes=1)


class LeaveTerms(TypedDict, total=False):
    """What a leave says: see the columns of :class:`Leave`."""

    starts_at: datetime
    ends_at: datetime
    reason: str
    whole_days: bool
    cover: Rep | None
    lend_leads: bool


def set_away(
    rep: Rep, *, reason: str = "", until: datetime | None = None, actor: User | None, now: datetime | None = None
) -> None:
    """A rep takes no new leads for now.

    Args:
        reason: shown in decisions; one of the installation's reasons may bring its own end.
        until: available again from then on; None until changed.
        actor: who does it; None is the system.

    Raises:
        WrongValue: ``until`` has passed, or the reason is too long.
    """
    now = now or timezone.now()
    reason = _reason(reason)
    if until is not None and until <= now:
        raise WrongValue("until", "This moment has passed. Leave it empty, or choose one to come.")
    _set_status(rep, actor, Rep.Status.AWAY, reason, until or usual_end(reason, now))


def set_available(rep: Rep, *, actor: User | None) -> None:
    """A rep takes new leads again."""
    _set_status(rep, actor, Rep.Status.AVAILABLE, "", None)


def usual_end(reason: str, now: datetime) -> datetime | None:
    """Until when somebody is away who goes away now for a reason that brings its own end; None: until changed."""
    known = AwayReason.objects.filter(name__iexact=reason).first() if reason else None
    return now + timedelta(minutes=known.minutes) if known and known.minutes else None


def _set_status(rep: Rep, actor: User | None, status: str, reason: str, until: datetime | None) -> bool:
    """False when it was so already; then there is no history row either."""
    wanted = {"status": status, "away_reason": reason, "away_until": until}
    with transaction.atomic():
        fresh = Rep.objects.select_for_update(no_key=True).get(pk=rep.pk)
        changed = _save(fresh, wanted, actor)
    for name, value in wanted.items():
        setattr(rep, name, value)
    return changed


def _save(row: Model, wanted: dict[str, Any], actor: User | None) -> bool:
    """Write what differs, with a history row by ``actor``. False when nothing does."""
    differing = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in differing:
        setattr(row, name, wanted[name])
    if differing:
        _by(row, actor)
        row.save(update_fields=differing)
    return bool(differing)


def _by(row: Any, actor: User | None) -> None:
    """Whom the history row names, also outside of a request."""
    row._history_user = actor


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if len(reason) > LONGEST_REASON:
        raise WrongValue("reason", f"At most {LONGEST_REASON} characters; this has {len(reason)}.")
    return reason


def plan_leave(
    rep: Rep,
    *,
    actor: User | None,
    now: datetime | None = None,
    calendar_uid: str = "",
    **terms: Unpack[LeaveTerms],
) -> Leave:
    """Note when a rep is on leave; ``starts_at`` and ``ends_at`` must be among the terms.

    Args:
        calendar_uid: the entry of a calendar that it comes from. Such leave may overlap other leave.

    Raises:
        WrongValue: with the field that is wrong; nothing was changed.
    """
    now = now or timezone.now()
    origin = Leave.Origin.CALENDAR if calendar_uid else Leave.Origin.TYPED
    leave = Leave(rep=rep, origin=origin, calendar_uid=calendar_uid, created_by=actor, created_at=now)
    for name, value in terms.items():
        setattr(leave, name, value)
    with transaction.atomic():
        _check(leave, now)
        _by(leave, actor)
        leave.save(force_insert=True)
    return leave


def change_leave(
    leave: Leave, *, actor: User | None, now: datetime | None = None, **terms: Unpack[LeaveTerms]
) -> Leave:
    """Change the terms of a leave that is not over.

    Raises:
        WrongState: it is cancelled or over. WrongValue: with the field that is wrong.
    """
    now = now or timezone.now()
    with transaction.atomic():
        fresh = _lock(leave, now)
        began = fresh.starts_at <= now
        for name, value in terms.items():
            setattr(fresh, name, value)
        if began and fresh.starts_at > now:
            raise WrongValue("starts_at", "This leave has begun. Cancel it and plan another one.")
        _check(fresh, now)
        _by(fresh, actor)
        fresh.save(update_fields=list(terms))
    return fresh


def cancel_leave(leave: Leave, *, actor: User | None, now: datetime | None = None) -> None:
    """Take a leave back, or end it now when it has begun. Doing it again changes nothing.

    Raises:
        WrongState: it is over.
    """
    now = now or timezone.now()
    with transaction.atomic():
        fresh = Leave.objects.select_for_update(no_key=True, of=("self",)).get(pk=leave.pk)
        if fresh.cancelled_at is not None:
            return
        if fresh.ends_at <= now:
            raise WrongState("This leave is over.")
        _save(fresh, {"cancelled_at": now}, actor)


def _lock(leave: Leave, now: datetime) -> Leave:
    fresh = Leave.objects.select_for_update(no_key=True, of=("self",)).select_related("rep", "cover").get(pk=leave.pk)
    if fresh.cancelled_at is not None:
        raise WrongState("This leave was cancelled. Plan another one.")
    if fresh.ends_at <= now:
        raise WrongState("This leave is over. Plan another one.")
    return fresh


def _check(leave: Leave, now: datetime) -> None:
    leave.reason = _reason(leave.reason)
    if leave.starts_at is None or leave.ends_at is None:
        raise WrongValue("starts_at" if leave.starts_at is None else "ends_at", "Say from when, and until when.")
    if leave.ends_at <= leave.starts_at:
        raise WrongValue("ends_at", "The end must come after the start.")
    if leave.ends_at <= now:
        raise WrongValue("ends_at", "This leave would be over already. Choose an end to come.")
    _check_cover(leave)
    check_overlap(leave)


def _check_cover(leave: Leave) -> None:
    cover = leave.cover
    if cover is None and leave.lend_leads:
        raise WrongValue("cover", "Say who has the open leads meanwhile, or do not lend them.")
    if cover is not None and cover.pk == leave.rep_id:
        raise WrongValue("cover", "Nobody can stand in for themselves. Choose somebody else.")
    if cover is not None and not (cover.active and cover.user.is_active):
        raise WrongValue("cover", f"{cover.name} is not active. Choose somebody else.")


def check_overlap(leave: Leave) -> None:
    """Refuse leave that meets other leave of the same rep; what comes from a calendar may.

    Raises:
        WrongValue: with the dates of the other leave.
    """
    if leave.origin == Leave.Origin.CALENDAR:
        return
    typed = Leave.objects.filter(rep=leave.rep_id, cancelled_at=None, origin=Leave.Origin.TYPED)
    meets = Q(starts_at__lt=leave.ends_at, ends_at__gt=leave.starts_at)
    other = typed.filter(meets).exclude(pk=leave.pk).select_related("rep").order_by("starts_at").first()
    if other is not None:
        taken = f"There is leave already: {span_text(other)}."
        raise WrongValue("starts_at", f"{taken} Change that, or choose other dates.")


def pause_member(member: PoolMember, actor: User | None) -> None:
    """A rep takes no new leads from this pool for now. Doing it again changes nothing."""
    with transaction.atomic():
        _save(_member(member), {"paused": True}, actor)


def resume_member(member: PoolMember, actor: User | None) -> None:
    """A rep takes leads from this pool again."""
    with transaction.atomic():
        _save(_member(member), {"paused": False}, actor)


def _member(member: PoolMember) -> PoolMember:
    return PoolMember.objects.select_for_update(no_key=True).get(pk=member.pk)


def note_seen(user: User | AnonymousUser, now: datetime | None = None) -> None:
    """Note that a rep used the system; at most one write a minute."""
    if not user.is_authenticated:
        return
    now = now or timezone.now()
    stale = Q(last_seen_at=None) | Q(last_seen_at__lte=now - SEEN_EVERY)
    Rep.objects.filter(stale, user=user.pk).update(last_seen_at=now)
