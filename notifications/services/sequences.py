"""First responses and follow-ups: which sequence a lead gets, when its next message is due, and when it ends."""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from leadcrm.lib.wake import wake_after_commit
from notifications import guard
from notifications.channels import CHANNELS
from notifications.content import is_approved
from notifications.models import Notification, Sequence, SequenceRun, SequenceStep
from notifications.services.claiming import WAITING
from notifications.services.telling import store
from notifications.verdicts import Outcome
from pipeline.models import Event, Lead

logger = logging.getLogger(__name__)

KEY: Final = "sequence:"
CLOSED: Final = "closed"
_STARTS: Final[Mapping[str, str]] = {
    Event.Kind.ASSIGNED: Sequence.Start.ASSIGNED,
    Event.Kind.REASSIGNED: Sequence.Start.ASSIGNED,
    Event.Kind.HELD: Sequence.Start.HELD,
}
Leads = QuerySet[Lead] | Iterable[Lead]


# --- Beginning -----------------------------------------------------------------------------------


def in_use() -> list[Sequence]:
    """The sequences that may be started."""
    return list(Sequence.objects.filter(active=True).order_by("pk").prefetch_related("steps"))


def begin(event: Event, now: datetime, known: Collection[Sequence] | None = None) -> bool:
    """Start the sequence that an event asks for. A lead gets each sequence once, and one at a time.

    Args:
        known: those in use, for whoever begins many.

    Returns whether one was started.
    """
    start, known = _STARTS.get(event.kind), in_use() if known is None else known
    if start is None or not known:
        return False
    with transaction.atomic():
        if start == Sequence.Start.ASSIGNED:
            _stop(SequenceRun.objects.filter(lead=event.lead_id, sequence__start=Sequence.Start.HELD), "assigned", now)
        sequence = sequence_for(event.lead, start, known)
        if sequence is None or _too_old(event, sequence) or _came_again(event.lead):
            return False
        if SequenceRun.objects.filter(lead=event.lead_id, sequence=sequence).exists():
            return False
        run = SequenceRun(
            sequence=sequence, lead_id=event.lead_id, started_at=event.at, next_at=_first_at(sequence, now)
        )
        # Somebody else may do the same at this moment: the constraints of the table decide.
        SequenceRun.objects.bulk_create([run], ignore_conflicts=True)
        _wake_after_commit()
    return True


def _wake_after_commit() -> None:
    from notifications.tasks import sweep_sequences

    wake_after_commit(sweep_sequences)


def sequence_for(lead: Lead, start: str, known: Iterable[Sequence]) -> Sequence | None:
    """The sequence of the lead's source, else the one for all sources."""
    fitting = [one for one in known if one.start == start and one.source_id in (lead.source_id, None)]
    return min(fitting, key=lambda found: (found.source_id is None, found.pk), default=None)


def _too_old(event: Event, sequence: Sequence) -> bool:
    """Nobody is thanked for an enquiry of last year because a colleague takes it over."""
    return event.at - event.lead.created_at > timedelta(days=sequence.max_age_days)


def _came_again(lead: Lead) -> bool:
    """Nobody is welcomed twice: who has an open lead hears of that one only."""
    first = lead.duplicate_of
    return first is not None and first.closed_at is None and first.archived_at is None


def _first_at(sequence: Sequence, now: datetime) -> datetime:
    first = next(iter(sequence.steps.all()), None)
    return now + timedelta(hours=first.after_hours if first else 0)


# --- Going on ------------------------------------------------------------------------------------


def sweep_sequences(limit: int = 500, *, now: datetime | None = None) -> int:
    """Take the next step of every run that is due; returns how many messages that made. Several may run at once."""
    now = now or timezone.now()
    due = SequenceRun.objects.filter(ended_at=None, next_at__lte=now).order_by("next_at", "pk")
    return sum(_advance_safely(pk, now) for pk in list(due.values_list("pk", flat=True)[:limit]))


def _advance_safely(pk: int, now: datetime) -> bool:
    try:
        return advance(pk, now)
    except Exception:
        # One run that fails must not stop the others; it is due again with the next sweep.
        logger.exception("step of sequence run %s failed", pk)
        return False


def advance(pk: int, now: datetime) -> bool:
    """Send the next message of a run if it is due, and say when the one after it is. False when nothing was sent."""
    with transaction.atomic():
        due = SequenceRun.objects.filter(pk=pk, ended_at=None, next_at__lte=now)
        run = due.select_related("sequence", "lead").first()
        if run is None:
            return False
        over, steps = guard.why_over(run), list(run.sequence.steps.all())
        if over:
            _stop(due, over, now)
            return False
        if run.next_step >= len(steps):  # steps were taken out since
            _end(due, "done", now)
            return False
        step, following = steps[run.next_step], steps[run.next_step + 1 : run.next_step + 2]
        if not _claim(run, following, now):
            return False
        return _send(run, step, now)


def _claim(run: SequenceRun, following: list[SequenceStep], now: datetime) -> bool:
    """Move the run on, unless somebody else did."""
    mine = SequenceRun.objects.filter(pk=run.pk, next_step=run.next_step, ended_at=None)
    if not following:
        return mine.update(next_step=run.next_step + 1, next_at=None, ended_at=now, end="done") == 1
    next_at = now + timedelta(hours=following[0].after_hours)
    return mine.update(next_step=run.next_step + 1, next_at=next_at) == 1


def _send(run: SequenceRun, step: SequenceStep, now: datetime) -> bool:
    row = build_message(run.lead, step.kind, key=f"{KEY}{run.pk}:{run.next_step}", run=run, now=now)
    store([row], now)
    if row.state == Notification.State.SUPPRESSED:
        _end(SequenceRun.objects.filter(pk=run.pk), "unreachable", now)
    return row.state == Notification.State.QUEUED


def use_next_channel(failed: Notification, now: datetime) -> None:
    """Send by the next channel of its policy what certainly did not reach the lead, while its sequence may go on."""
    certain = SequenceRun.objects.filter(messages__pk=failed.pk, messages__unsure=False)
    run = certain.select_related("lead").first()
    if run is None or guard.why_over(run):
        return
    order = list(guard.policy_of(run.lead).channels)
    left = order[order.index(failed.channel) + 1 :] if failed.channel in order else []
    row = build_message(run.lead, failed.kind, key=f"{failed.key}:{failed.channel}", run=run, channels=left, now=now)
    if row.state == Notification.State.QUEUED:
        store([row], now)


def build_message(
    lead: Lead,
    kind: str,
    *,
    key: str,
    run: SequenceRun | None = None,
    channels: Collection[str] | None = None,
    now: datetime,
) -> Notification:
    """An unsaved message to a lead, over the first channel of its policy, or of ``channels``, that may carry it; else
    suppressed."""
    policy, reasons = guard.policy_of(lead), []
    row = Notification(kind=kind, key=key, run=run, lead=lead, language=lead.language)
    for row.channel in policy.channels if channels is None else channels:
        reason = _obstacle(row, lead, guard.address_of(lead, row.channel), now)
        if not reason:
            row.next_at = now
            return row
        reasons.append(f"{row.channel}: {reason}")
    row.channel, row.state = str(next(iter(policy.channels), "email")), Notification.State.SUPPRESSED
    row.reason = " ".join(reasons)[:300] or "No channel is chosen for messages to leads."
    return row


def _obstacle(row: Notification, lead: Lead, address: str, now: datetime) -> str:
    """Why a message cannot go over its channel, now or later; "" when it can."""
    if not address:
        return "There is no address."
    missing = CHANNELS[row.channel].unavailable() if row.channel in CHANNELS else "There is no such channel."
    if missing:
        return missing
    verdict = guard.check(lead, row.channel, address, now, approved_template=is_approved(row))
    return verdict.reason if verdict.outcome == Outcome.SUPPRESSED else ""


# --- Ending --------------------------------------------------------------------------------------


def end_runs(leads: Leads, why: str, now: datetime) -> None:
    """End what is under way to these leads, and take back what waits to be sent.

    Args:
        why: ``replied``, ``contacted``, ``closed``, ``stopped``, ``assigned``.
    """
    with transaction.atomic():
        _stop(SequenceRun.objects.filter(lead__in=leads), why, now)


def _stop(runs: QuerySet[SequenceRun], why: str, now: datetime) -> None:
    """End runs; their messages that wait are taken back, also those of runs that had taken their last step.

    One that is being tried at this moment cannot be; but as its run ended like this, the guard lets it go no further.
    """
    found = list(runs.values_list("pk", flat=True))
    _end(SequenceRun.objects.filter(pk__in=found), why, now)
    unsent = Notification.objects.filter(run__in=found, state__in=(*WAITING, Notification.State.SENDING))
    SequenceRun.objects.filter(pk__in=unsent.values("run"), end="done").update(end=why)
    unsent.filter(state__in=WAITING).update(
        state=Notification.State.SUPPRESSED, reason=_ended_because(why), next_at=None
    )


def _ended_because(why: str) -> str:
    return f"The sequence ended: {why}."


def _end(runs: QuerySet[SequenceRun], why: str, now: datetime) -> None:
    """When the next message would have been due stays told: see :func:`take_up_runs`."""
    runs.filter(ended_at=None).update(ended_at=now, end=why)


def take_up_runs(lead: Lead, closed_at: datetime) -> None:
    """The lead was closed by mistake at this moment: what ended with that goes on; the guard asks again what may go."""
    ended = SequenceRun.objects.filter(lead=lead, end=CLOSED)
    taken_back = Notification.objects.filter(
        run__in=ended, state=Notification.State.SUPPRESSED, reason=_ended_because(CLOSED)
    )
    taken_back.update(state=Notification.State.QUEUED, reason="", next_at=closed_at)
    ended.filter(ended_at__lt=closed_at).update(end="done")
    ended.filter(ended_at=closed_at).update(ended_at=None, end="")
    _wake_after_commit()
