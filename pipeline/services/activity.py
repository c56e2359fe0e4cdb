"""What people and the system did with a lead: contacts, notes, snoozing. Promises listen to the signals sent here."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from leadcrm.lib.moments import moment_text
from pipeline.errors import BadWish, StaleLead, WrongStage
from pipeline.models import Event, Lead
from pipeline.signals import lead_contacted, lead_snoozed, lead_touched, lead_woken, touch_undone

CHANNELS: Final = {
    "phone": "Phone",
    "email": "E-mail",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "chat": "Chat",
    "video": "Video call",
    "meeting": "Meeting",
    "letter": "Letter",
    "other": "Another way",
}
LONGEST_TEXT: Final = 10_000
LONGEST_REASON: Final = 200
LONGEST_SNOOZE: Final = timedelta(days=366)
# How far the clock of somebody who tells us of a contact may be ahead of ours.
_AHEAD: Final = timedelta(minutes=1)


def record_contact(
    lead: Lead,
    *,
    channel: str,
    outbound: bool,
    automatic: bool,
    actor: User | None,
    text: str = "",
    at: datetime | None = None,
) -> bool:
    """Put a contact on the timeline. Somebody of ours who really reaches out stamps the lead as contacted, once; the
    lead's reply and automatic messages never do.

    Args:
        channel: one of ``CHANNELS``.
        outbound: from us to the lead. automatic: sent by the system, nobody of ours wrote or called.
        at: when it happened, for contacts that are noted down afterwards; None for now.

    Returns:
        Whether it was the first real contact.

    Raises:
        BadWish: an unknown channel, or a moment that is still to come or before the lead came in.
    """
    moment = _moment(lead, at)
    if channel not in CHANNELS:
        raise BadWish("channel", f"{channel!r} is no channel. Use one of {', '.join(CHANNELS)}.")
    data = {"channel": channel, "text": text.strip()[:LONGEST_TEXT]}
    if not outbound or automatic:
        kind = Event.Kind.MESSAGED if outbound else Event.Kind.REPLIED
        Event.objects.create(lead=lead, kind=kind, at=moment, actor=actor, data=data)
        return False
    with transaction.atomic():
        lock_lead(lead)
        first = _stamp(lead, moment)
        Event.objects.create(
            lead=lead, kind=Event.Kind.CONTACTED, at=moment, actor=actor, data={**data, "first": first}
        )
        lead_contacted.send(Lead, lead=lead, actor=actor, at=moment)
    return first


def _moment(lead: Lead, at: datetime | None) -> datetime:
    now = timezone.now()
    if at is None:
        return now
    if at > now + _AHEAD:
        raise BadWish("at", "This is still to come. Give the moment at which it happened.")
    if at < lead.created_at:
        raise BadWish("at", f"The lead came in on {moment_text(lead.created_at)}. Give a later moment.")
    return min(at, now)


def lock_lead(lead: Lead) -> None:
    """Who listens locks the promises of the lead: the lead comes first, as everywhere."""
    list(Lead.objects.select_for_update(no_key=True).filter(pk=lead.pk).values_list("pk"))


def _stamp(lead: Lead, at: datetime) -> bool:
    """Note the first contact; False when the lead had been contacted before."""
    fresh = Lead.objects.filter(pk=lead.pk, first_contacted_at=None)
    if not fresh.update(first_contacted_at=at, version=F("version") + 1):
        return False
    lead.first_contacted_at, lead.version = at, lead.version + 1
    return True


def add_note(lead: Lead, text: str, *, actor: User | None) -> Event:
    """Put a note on the timeline. It is no contact.

    Raises:
        BadWish: there is no text.
    """
    text = text.strip()
    if not text:
        raise BadWish("text", "Write something.")
    with transaction.atomic():
        lock_lead(lead)
        note = Event.objects.create(lead=lead, kind=Event.Kind.NOTED, actor=actor, data={"text": text[:LONGEST_TEXT]})
        touch(lead, actor)
    return note


def touch(lead: Lead, actor: User | None) -> list[Any]:
    """Say, in the transaction of what was done, that somebody worked on a lead. Returns what :func:`untouch` asks
    for, as JSON."""
    if actor is None:
        return []
    answers = lead_touched.send(Lead, lead=lead, actor=actor, at=timezone.now())
    return [answer for _, answer in answers if answer is not None]


def untouch(lead: Lead, touches: Iterable[Any]) -> None:
    """Say, in the transaction of an undoing, that nobody had worked on a lead."""
    for answer in touches:
        touch_undone.send(Lead, lead=lead, touch=answer)


# --- Snoozing ------------------------------------------------------------------------------------


def snooze_lead(lead: Lead, until: datetime, reason: str, actor: User | None, *, now: datetime | None = None) -> None:
    """Let an open lead rest until a moment: all its promises wait. Snoozing it again changes until when. The reason may
    be empty.

    Raises:
        BadWish: a moment that has passed or lies too far ahead; WrongStage: the lead is closed;
            StaleLead: it was changed meanwhile.
    """
    now = now or timezone.now()
    reason = reason.strip()[:LONGEST_REASON]
    if lead.closed_at or lead.archived_at:
        raise WrongStage("This lead is closed, so nothing waits.")
    if not now < until <= now + LONGEST_SNOOZE:
        raise BadWish("until", "Give a moment that is still to come, within a year.")
    with transaction.atomic():
        same = Lead.objects.filter(pk=lead.pk, version=lead.version, closed_at=None, archived_at=None)
        if not same.update(snoozed_until=until, version=F("version") + 1):
            raise StaleLead
        lead.snoozed_until, lead.version = until, lead.version + 1
        data = {"until": until.isoformat(), "reason": reason}
        Event.objects.create(lead=lead, kind=Event.Kind.SNOOZED, at=now, actor=actor, data=data)
        lead_snoozed.send(Lead, lead=lead, actor=actor, at=now)


def wake_lead(lead: Lead, *, actor: User | None = None, now: datetime | None = None) -> bool:
    """Let a snoozed lead's promises go on; False when it was not snoozed."""
    now = now or timezone.now()
    with transaction.atomic():
        snoozed = Lead.objects.filter(pk=lead.pk, snoozed_until__isnull=False)
        if not snoozed.update(snoozed_until=None, version=F("version") + 1):
            return False
        Event.objects.create(lead=lead, kind=Event.Kind.WOKEN, at=now, actor=actor)
        lead_woken.send(Lead, lead=lead, actor=actor, at=now)
    lead.refresh_from_db(fields=["snoozed_until", "version"])
    return True


def wake_due(limit: int = 500, *, now: datetime | None = None) -> int:
    """Wake the leads whose time has come, the longest overdue first. Returns how many."""
    now = now or timezone.now()
    due = Lead.objects.filter(snoozed_until__lte=now).order_by("snoozed_until", "pk")
    return sum(wake_lead(lead, now=now) for lead in due[:limit])
