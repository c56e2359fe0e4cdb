"""STOP, START and unsubscribing: what people say about being written to. Takes effect with the next message."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from notifications.models import Notification, Stop
from notifications.services.sequences import end_runs
from pipeline.models import Consent, Event, Lead

LONGEST_WORDS: Final = 100
_LABELS: Final = dict(Consent.Channel.choices)
_WAITING: Final = (Notification.State.QUEUED, Notification.State.RETRY)


def stop(channel: str, address: str, *, origin: str, now: datetime) -> bool:
    """Write no more to an address over a channel; False when that holds already.

    The leads with that address get a consent record and a line in their history, their sequences end, and what is
    queued for them is not sent.

    Args:
        origin: the words that came, or who entered it.
    """
    with transaction.atomic():
        _, new = Stop.objects.get_or_create(
            channel=channel, address=address, lifted_at=None, defaults={"at": now, "origin": origin[:200]}
        )
        if new:
            leads = leads_of(channel, address)
            _record(leads, channel, address, granted=False, origin=origin, now=now)
            end_runs(leads, "stopped", now)
            waiting = Notification.objects.filter(lead__in=leads, user=None, channel=channel, state__in=_WAITING)
            waiting.update(state=Notification.State.SUPPRESSED, reason="The receiver said STOP.", next_at=None)
    return new


def start(channel: str, address: str, *, origin: str, now: datetime) -> bool:
    """Undo :func:`stop`; False when there is nothing to undo."""
    with transaction.atomic():
        lifted = Stop.objects.filter(channel=channel, address=address, lifted_at=None).update(lifted_at=now)
        if lifted:
            _record(leads_of(channel, address), channel, address, granted=True, origin=origin, now=now)
    return lifted > 0


def leads_of(channel: str, address: str) -> QuerySet[Lead]:
    """The leads that are reached at an address."""
    return Lead.objects.filter(email=address) if channel == "email" else Lead.objects.filter(phone=address)


def _record(leads: QuerySet[Lead], channel: str, address: str, *, granted: bool, origin: str, now: datetime) -> None:
    found = list(leads)
    Consent.objects.bulk_create(
        Consent(lead=lead, channel=channel, granted=granted, wording=origin, at=now, origin=f"{channel} message")
        for lead in found
    )
    words = f"{'Messages again' if granted else 'No more messages'} by {_LABELS.get(channel, channel)} to {address}"
    data = {
        "channel": channel,
        "granted": granted,
        "sentence": f"{words}: {origin.strip()[:LONGEST_WORDS] or 'no words'}",
    }
    Event.objects.bulk_create(Event(lead=lead, kind=Event.Kind.CONSENT, at=now, data=data) for lead in found)
