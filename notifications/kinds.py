"""What people are told: one entry per kind of message. To add one: an entry here and a default text for it.

An entry names the events that cause it, and a function that says who is told of one such event. A kind without events
is told by a call of ``services.telling.tell``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from distribution.engine.registry import Registry
from distribution.models import Assignment, Offer, Rep
from notifications import outdated
from notifications.channels import EMAIL, IN_APP
from notifications.models import Notification
from pipeline.models import Event

URGENT, NORMAL, LOW = Notification.Urgency.URGENT, Notification.Urgency.NORMAL, Notification.Urgency.LOW

Recipients = Callable[[Event], Iterable[int | None]]
# Why a message need not be said any more; empty when it must.
Outdated = Callable[[Notification], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message.

    key: stored in data, never rename it. events: what causes it. to: who is told, in words. recipients: their user ids
    (None and repeats do no harm). channels: how they are told who wish nothing else; the app is always among them.
    awaits: whether the backup channel is used when the lead is not accepted in time. by_backup: it goes by the backup
    channel of who has one. outdated: asked right before it is sent.
    """

    key: str
    label: str
    urgency: Notification.Urgency
    to: str
    recipients: Recipients
    events: tuple[Event.Kind, ...] = ()
    channels: tuple[str, ...] = (IN_APP, EMAIL)
    awaits: bool = False
    by_backup: bool = False
    outdated: Outdated = outdated.never


# --- Who is told ---------------------------------------------------------------------------------


def admins() -> list[int]:
    """Who answers for the installation."""
    return list(User.objects.filter(is_active=True, is_superuser=True).values_list("pk", flat=True))


def the_admins(event: Event) -> list[int]:
    return admins()


def nobody(event: Event) -> list[int]:
    """For kinds that no event causes."""
    return []


def managers(event: Event) -> Iterable[int | None]:
    """Who answers for a lead: the manager of its team, else the admins."""
    team = event.lead.team
    return [team.manager_id] if team and team.manager_id else admins()


def new_owner(event: Event) -> Iterable[int | None]:
    if event.kind == Event.Kind.MOVED_ON:
        return [] if _told_beside(event, Event.Kind.ASSIGNED) else [event.data.get("to_user")]
    user = event.data.get("user")
    return [] if user == event.actor_id else [user]


def _told_beside(event: Event, *kinds: Event.Kind) -> bool:
    """Whether the same moment of the lead has an event that says where it went."""
    return Event.objects.filter(lead=event.lead_id, at=event.at, kind__in=kinds).exists()


def last_owner(event: Event) -> Iterable[int | None]:
    ends = (Assignment.End.REASSIGNED, Assignment.End.LENT)
    ended = Assignment.objects.filter(lead=event.lead_id, ended_at=event.at, end__in=ends)
    return [user for user in ended.values_list("rep__user", flat=True) if user != event.actor_id]


def named(event: Event) -> Iterable[int | None]:
    """Whom an event of a promise names: the owner, the manager, or both."""
    users: list[int] = event.data.get("tell", [])
    return users


def named_or_admins(event: Event) -> Iterable[int | None]:
    return named(event) or admins()


def receiver(event: Event) -> Iterable[int | None]:
    """Whom an event names as having the lead now."""
    return [event.data.get("user")]


def owner_unless_actor(event: Event) -> Iterable[int | None]:
    return [] if event.lead.owner_id == event.actor_id else [event.lead.owner_id]


def who_answers(event: Event) -> Iterable[int | None]:
    return [event.lead.owner_id] if event.lead.owner_id else managers(event)


def who_does(event: Event) -> Iterable[int | None]:
    return named(event) or managers(event)


def mentioned(event: Event) -> Iterable[int | None]:
    return [user for user in event.data.get("mentions", ()) if user != event.actor_id]


def offered_to(event: Event) -> Iterable[int | None]:
    """Reps by name, or else the members of the pool or team whose queue it is in."""
    if event.kind == Event.Kind.MOVED_ON and _told_beside(event, Event.Kind.OFFERED, Event.Kind.QUEUED):
        return ()
    offers = Offer.objects.filter(lead=event.lead_id, offered_at=event.at)
    queues = offers.filter(rep=None)
    reps = Rep.objects.filter(active=True)
    by_pool = Q(memberships__pool__in=queues.values("pool"), memberships__retired_at=None, memberships__paused=False)
    asked = reps.filter(Q(offers__in=offers) | by_pool | Q(user__lead_teams__in=queues.values("team")))
    return set(asked.values_list("user", flat=True))


def too_late(event: Event) -> Iterable[int | None]:
    lost = Offer.objects.filter(lead=event.lead_id, ended_at=event.at, end=Offer.End.LOST, rep__isnull=False)
    return lost.exclude(rep__user=event.data.get("user")).values_list("rep__user", flat=True)


# --- The kinds -----------------------------------------------------------------------------------

KINDS: Final[Registry[Kind]] = Registry("kind of message")

THE_LEAD: Final = "the lead"
_TEAM: Final = "the manager of the lead's team, else the admins"
_TOLD = Event.Kind

for _kind in (
    Kind(
        "assigned",
        "New lead",
        URGENT,
        "the new owner, unless they took it themselves",
        new_owner,
        (_TOLD.ASSIGNED, _TOLD.REASSIGNED, _TOLD.MOVED_ON),
        awaits=True,
        outdated=outdated.not_theirs,
    ),
    Kind(
        "reassigned_away",
        "Lead given to somebody else",
        NORMAL,
        "the last owner, unless they passed it on themselves; who stood in, when the leave is over",
        last_owner,
        (_TOLD.REASSIGNED, _TOLD.RELEASED, _TOLD.MOVED_ON, _TOLD.GIVEN_BACK),
        outdated=outdated.theirs_again,
    ),
    Kind("lent", "Lead lent to you", NORMAL, "who stands in", receiver, (_TOLD.LENT,), outdated=outdated.not_theirs),
    Kind(
        "given_back",
        "Lead back with you",
        NORMAL,
        "the owner",
        receiver,
        (_TOLD.GIVEN_BACK,),
        outdated=outdated.not_theirs,
    ),
    Kind(
        "offered",
        "Lead up for claim",
        URGENT,
        "everyone it is offered to",
        offered_to,
        (_TOLD.OFFERED, _TOLD.QUEUED, _TOLD.MOVED_ON),
        awaits=True,
        outdated=outdated.not_free,
    ),
    Kind(
        "claimed_by_other",
        "Lead claimed by somebody else",
        LOW,
        "everyone it was offered to by name, except who took it",
        too_late,
        (_TOLD.ASSIGNED,),
        channels=(IN_APP,),
        outdated=outdated.theirs_again,
    ),
    Kind(
        "reminder",
        "Reminder",
        URGENT,
        "the owner",
        named,
        (_TOLD.REMINDED,),
        outdated=outdated.promise_over_or_not_theirs,
    ),
    Kind(
        "warning",
        "Promise about to break",
        URGENT,
        "the owner, by the backup channel",
        named,
        (_TOLD.BACKUP,),
        by_backup=True,
        outdated=outdated.promise_over_or_not_theirs,
    ),
    Kind(
        "broken",
        "Promise broken",
        URGENT,
        "the owner and the manager of the team",
        named,
        (_TOLD.BROKEN,),
        outdated=outdated.kept_after_all,
    ),
    Kind(
        "set_away",
        "Set away",
        URGENT,
        "who was set away, and the manager",
        named,
        (_TOLD.SET_AWAY,),
        outdated=outdated.back_again,
    ),
    Kind(
        "escalated",
        "Lead about to be lost",
        URGENT,
        _TEAM,
        named_or_admins,
        (_TOLD.ESCALATED,),
        outdated=outdated.promise_over,
    ),
    Kind(
        "woken",
        "Back from snoozing",
        URGENT,
        "the owner, unless they woke it themselves",
        owner_unless_actor,
        (_TOLD.WOKEN,),
        outdated=outdated.not_theirs_or_snoozed,
    ),
    Kind(
        "held",
        "Lead waits for somebody",
        NORMAL,
        _TEAM,
        managers,
        (_TOLD.HELD,),
        (IN_APP,),
        outdated=outdated.not_waiting,
    ),
    Kind("returned", "Lead returned as invalid", LOW, _TEAM, managers, (_TOLD.RETURNED,)),
    Kind("reply", "The lead replied", URGENT, f"the owner, else {_TEAM}", who_answers, (_TOLD.REPLIED,)),
    Kind("consent", "Consent changed", NORMAL, f"the owner, else {_TEAM}", who_answers, (_TOLD.CONSENT,)),
    Kind(
        "task_due",
        "Reminder of a task",
        NORMAL,
        f"who is to do it, else {_TEAM}",
        who_does,
        (_TOLD.TASK_DUE,),
        outdated=outdated.task_over,
    ),
    Kind("mention", "You were mentioned", NORMAL, "everyone whom the note names", mentioned, (_TOLD.NOTED,)),
    Kind("step_failed", "Escalation failed", URGENT, "the admins", the_admins, (_TOLD.STEP_FAILED,)),
    # Raised by what comes later: the audit of pools, and the watch over sources.
    Kind("weekly_audit", "Weekly audit", LOW, "the admins", nobody, channels=(EMAIL,)),
    Kind("source_quiet", "A source went quiet", NORMAL, "the admins", nobody),
    # To the lead itself, step by step of a sequence.
    Kind("first_response", "First response", NORMAL, THE_LEAD, nobody, channels=()),
    Kind("first_response_held", "First response while waiting", NORMAL, THE_LEAD, nobody, channels=()),
    Kind("follow_up", "Follow-up", NORMAL, THE_LEAD, nobody, channels=()),
    Kind("delivery_failing", "Messages do not go out", URGENT, "the admins, once per channel and hour", nobody),
):
    KINDS.add(_kind.key, _kind)


def kinds_of(event: str) -> list[Kind]:
    """What an event of this kind causes."""
    return [entry for entry in KINDS.values() if event in entry.events]
