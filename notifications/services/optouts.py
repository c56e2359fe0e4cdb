"""STOP, START and unsubscribing: what people say about being written to. Takes effect with the next message."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from notifications.guard import consent_of
from notifications.models import Notification, Stop
from notifications.services.claiming import WAITING
from notifications.services.sequences import end_runs
from pipeline.models import Consent, Event, Lead

LONGEST_WORDS: Final = 100
_LABELS: Final = dict(Consent.Channel.choices)


def stop(
    channel: str, address: str, *, reason: Stop.Reason = Stop.Reason.WORD, words: str = "", origin: str, now: datetime
) -> bool:
    """Write no more to an address over a channel; False when that holds already.

    The leads with that address get a line in their history, and a consent record unless the address only does not work;
    their sequences end, and what is queued for them is not sent.

    Args:
        words: those that came, if any did. origin: how they came, or who entered it.
    """
    with transaction.atomic():
        _, new = Stop.objects.get_or_create(
            channel=channel,
            address=address,
            lifted_at=None,
            defaults={"at": now, "reason": reason, "origin": (words or origin)[:200]},
        )
        if new:
            leads = leads_of(channel, address)
            refusing = leads if reason != Stop.Reason.BOUNCED else ()
            Consent.objects.bulk_create(
                Consent(lead=lead, channel=channel, granted=False, wording=words, at=now, origin=origin)
                for lead in refusing
            )
            _tell(leads, channel, f"No more messages by {_name(channel)} to {address}: {_said(words or origin)}", now)
            end_runs(leads, "stopped", now)
            waiting = Notification.objects.filter(lead__in=leads, user=None, channel=channel, state__in=WAITING)
            waiting.update(state=Notification.State.SUPPRESSED, reason=f"{reason.label}.", next_at=None)
    return new


def start(channel: str, address: str, *, words: str = "", origin: str, now: datetime) -> bool:
    """Undo :func:`stop`; False when there is nothing to undo.

    What each lead had agreed to before holds again, and no more than that: neither a click of ours nor a word from a
    number makes a consent of leads that never gave one.

    Args: see :func:`stop`.
    """
    with transaction.atomic():
        lifted = Stop.objects.select_for_update().filter(channel=channel, address=address, lifted_at=None).first()
        if lifted is None:
            return False
        Stop.objects.filter(pk=lifted.pk).update(lifted_at=now, lifted_by=(words or origin)[:200])
        leads = leads_of(channel, address)
        renewed = [_renewed(lead, lifted, origin, now) for lead in leads]
        Consent.objects.bulk_create(consent for consent in renewed if consent)
        _tell(leads, channel, f"Messages again by {_name(channel)} to {address}: {_said(words or origin)}", now)
    return True


def leads_of(channel: str, address: str) -> QuerySet[Lead]:
    """The leads that are reached at an address."""
    return Lead.objects.filter(email=address) if channel == "email" else Lead.objects.filter(phone=address)


def _renewed(lead: Lead, lifted: Stop, origin: str, now: datetime) -> Consent | None:
    """What a lead had agreed to before a stop, as a new record; None when it had not, or said something since."""
    latest = list(lead.consents.filter(channel=lifted.channel).order_by("-at", "-pk")[:2])
    if len(latest) < 2 or latest[0].granted or latest[0].at != lifted.at or not latest[1].granted:
        return None
    before = latest[1]
    source = f"{origin}; agreed on {before.at:%Y-%m-%d}: {before.origin}"[:500]
    return Consent(
        lead=lead, channel=lifted.channel, granted=True, wording=before.wording, ip=before.ip, at=now, origin=source
    )


def _tell(leads: Iterable[Lead], channel: str, sentence: str, now: datetime) -> None:
    Event.objects.bulk_create(
        Event(
            lead=lead,
            kind=Event.Kind.CONSENT,
            at=now,
            data={"channel": channel, "granted": consent_of(lead, channel) is True, "sentence": sentence},
        )
        for lead in leads
    )


def _name(channel: str) -> str:
    return _LABELS.get(channel, channel)


def _said(words: str) -> str:
    return words.strip()[:LONGEST_WORDS] or "no words"
