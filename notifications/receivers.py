"""What this app does when something happened to a lead."""

from datetime import datetime
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from leadcrm.lib.wake import wake, wake_after_commit
from notifications import guard, tasks
from notifications.kinds import kinds_of
from notifications.services import sequences
from pipeline import signals
from pipeline.models import Event, Lead


@receiver(post_save, sender=Event, dispatch_uid="notifications.event_saved")
def event_saved(instance: Event, created: bool, raw: bool, **_: Any) -> None:
    """Something happened that somebody is told: a worker looks after the commit. No query, and never a failure."""
    if created and not raw and instance.fanned_out_at is None and kinds_of(instance.kind):
        wake_after_commit(tasks.fan_out)


@receiver(signals.events_stored, dispatch_uid="notifications.events_stored")
def events_stored(**_: Any) -> None:
    """After the commit: much happened at once."""
    wake(tasks.fan_out)


@receiver(signals.lead_contacted, dispatch_uid="notifications.lead_contacted")
def lead_contacted(lead: Lead, at: datetime, **_: Any) -> None:
    """In the transaction: somebody of ours reached out, so automatic messages end."""
    sequences.end_runs([lead], "contacted", at)


@receiver(signals.lead_closed, dispatch_uid="notifications.lead_closed")
def lead_closed(lead: Lead, at: datetime, **_: Any) -> None:
    """In the transaction: nothing more is written to a closed lead."""
    sequences.end_runs([lead], sequences.CLOSED, at)


@receiver(signals.closing_undone, dispatch_uid="notifications.closing_undone")
def closing_undone(lead: Lead, closed_at: datetime, **_: Any) -> None:
    """In the transaction: automatic messages go on as before."""
    sequences.take_up_runs(lead, closed_at)


@receiver(signals.stops_asked, dispatch_uid="notifications.stops_asked")
def stops_asked(lead: Lead, **_: Any) -> list[tuple[str, str]]:
    """Asked by pages: over which channels a lead gets nothing, and why."""
    return [(stop.channel, f"{stop.get_reason_display()}.") for stop in guard.stops_of(lead)]
