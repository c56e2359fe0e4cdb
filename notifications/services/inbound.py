"""Messages that come in: from leads, from people who will be one, and from reps who answer a message of ours."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from distribution.blind import called_by
from distribution.models import Rep
from leadcrm.lib.text import clean, clean_lines
from leadcrm.lib.transactions import retried
from notifications import replies
from notifications.links import LIFETIME, Action, actions_for
from notifications.models import ContactAddress, InboundMessage, Notification, Preference, Stop
from notifications.readerwords import ASKING
from notifications.services import acting, optouts
from notifications.services.sequences import end_runs
from notifications.stopwords import Wish, language_of, wish_of
from pipeline.errors import PipelineError
from pipeline.intake import ConsentInput, InvalidLead
from pipeline.models import Event, Lead, LeadSource
from pipeline.services.events import record
from pipeline.services.leads import create_lead

logger = logging.getLogger(__name__)

SOURCE: Final = "inbound"
LONGEST_TEXT: Final = 20_000
_COMMANDS: Final[Mapping[str, str]] = {"1": "accept", "accept": "accept", "2": "decline", "decline": "decline"}
# Messages that say that a lead waits for an answer of the rep.
MOST_ASKED: Final = 50
_TOLD: Final = (Notification.State.SENT, Notification.State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as a provider hands it over.

    sender, receiver: E.164. media: how many pictures and files came along. profile: the sender's own name, if known.
    told: the provider has answered a STOP or START by itself.
    """

    channel: str
    provider_id: str
    sender: str
    receiver: str
    text: str
    media: int = 0
    profile: str = ""
    told: bool = False


@retried
def receive(incoming: Incoming, now: datetime | None = None) -> str:
    """Keep a message and do what it asks for; returns what to answer at once, "" for nothing.

    The same message again changes nothing and is not answered again.
    """
    now = now or timezone.now()
    text = clean_lines(incoming.text)[:LONGEST_TEXT]
    with transaction.atomic():
        kept, new = InboundMessage.objects.get_or_create(
            provider_id=incoming.provider_id,
            defaults={
                "channel": incoming.channel,
                "sender": incoming.sender,
                "receiver": incoming.receiver,
                "text": text,
                "media": incoming.media,
                "at": now,
            },
        )
        return _handle(kept, incoming, now) if new else ""


def _handle(kept: InboundMessage, incoming: Incoming, now: datetime) -> str:
    wish = wish_of(kept.text)
    if wish != Wish.NONE:
        answer = _obey(kept, wish, now)
        if wish == Wish.STOP or answer:
            return "" if incoming.told else answer
    rep = rep_at(kept.channel, kept.sender)
    command = _COMMANDS.get(kept.text.strip(" .!").lower(), "")
    if rep is not None and (command or not _leads_at(kept.sender)):
        return _act(kept, rep, command, now)
    _from_lead(kept, incoming.profile, now)
    return ""


# --- STOP and START ------------------------------------------------------------------------------


def _obey(kept: InboundMessage, wish: Wish, now: datetime) -> str:
    """Do what the word asks for; the one confirmation, "" when that was so already."""
    change = optouts.stop if wish == Wish.STOP else optouts.start
    changed = change(kept.channel, kept.sender, words=kept.text, origin=f"{kept.channel} message", now=now)
    lead = lead_at(kept.sender)
    language = _wished(rep_at(kept.channel, kept.sender)) or (lead and lead.language) or _language_at(kept)
    if wish == Wish.STOP or changed:  # its line in the history is that of the consent
        kept.lead, kept.result = lead, f"{wish.upper()} was {'done' if changed else 'in force already'}."
        kept.save(update_fields=["lead", "result"])
    return replies.in_language(replies.STOPPED if wish == Wish.STOP else replies.STARTED, language) if changed else ""


def _wished(rep: Rep | None) -> str:
    """The language in which a rep wants messages; "" for nobody, and for one who chose none."""
    chosen = Preference.objects.filter(user=rep.user_id) if rep else Preference.objects.none()
    return chosen.values_list("language", flat=True).first() or ""


def _language_at(kept: InboundMessage) -> str:
    """The language of the words, or of the STOP that START undoes: that word is the same in all of them."""
    found = Stop.objects.filter(channel=kept.channel, address=kept.sender).order_by("-pk")
    return language_of(found.values_list("origin", flat=True).first() or kept.text)


# --- Reps ----------------------------------------------------------------------------------------


def rep_at(channel: str, address: str) -> Rep | None:
    """The rep whose verified number this is. A number verified for text messages is the same person on WhatsApp."""
    channels = {channel, "sms"}
    mine = ContactAddress.objects.filter(channel__in=channels, address=address, verified_at__isnull=False)
    return Rep.objects.select_related("user").filter(user__in=mine.values("user"), active=True).first()


def _act(kept: InboundMessage, rep: Rep, command: str, now: datetime) -> str:
    """Accept or decline the lead that the rep was told of last."""
    if not command:
        kept.result = f"{rep.name} wrote something that is no command."
        kept.save(update_fields=["result"])
        return replies.in_language(replies.COMMANDS, _wished(rep))
    answer = _answer(asked_of(rep, kept.channel, now), rep, command, now)
    kept.result = f"{rep.name}: {answer}"[:300]
    kept.save(update_fields=["result"])
    return answer


def asked_of(rep: Rep, channel: str, now: datetime) -> list[Notification]:
    """The messages that asked the rep for an answer, as long as the links in them were good; the latest first."""
    told = Notification.objects.filter(user=rep.user_id, channel=channel, state__in=_TOLD, lead__isnull=False)
    asking = told.filter(kind__in=ASKING, sent_at__gt=now - LIFETIME)
    return list(asking.select_related("lead").order_by("-sent_at", "-pk")[:MOST_ASKED])


def _answer(asked: list[Notification], rep: Rep, command: str, now: datetime) -> str:
    """Do what a rep replied to the latest message of which the lead still waits for that; what came of it.

    One message may ask about several leads. Which of them is meant nobody can know, so that nothing is done.
    """
    action = Action.ACCEPT if command == "accept" else Action.DECLINE
    waiting = [row for row in asked if row.lead and action in actions_for(rep.user, row.lead)]
    language = _wished(rep)
    if not waiting:
        return _late(asked, rep, language)
    first = waiting[0]
    meant = {row.lead_id: row.lead for row in waiting if _message(row) == _message(first)}
    if len(meant) > 1 or first.lead is None:
        names = ", ".join(called_by(rep.user, lead) for lead in meant.values() if lead)
        return replies.in_language(replies.SEVERAL, language).format(names)
    if action == Action.ACCEPT:
        return acting.accept(first.lead, rep, now, language)[1]
    return acting.decline(first.lead, rep, "declined by message", now, language)[1]


def _message(row: Notification) -> int:
    """What came as one message."""
    return row.bundled_into_id or row.pk


def _late(asked: list[Notification], rep: Rep, language: str) -> str:
    """Why nothing is done: who was faster with the lead that the rep was asked about last, or that it is theirs."""
    if not asked or asked[0].lead is None:
        return replies.in_language(replies.NO_LEAD, language)
    return acting.standing(asked[0].lead, rep, language)


# --- Leads ---------------------------------------------------------------------------------------


def _leads_at(number: str) -> bool:
    return Lead.objects.filter(phone=number, archived_at=None).exists()


def lead_at(number: str) -> Lead | None:
    """The lead with this number: an open one before a closed one, then the newest."""
    known = Lead.objects.select_related("source").filter(phone=number, archived_at=None)
    return known.order_by(F("closed_at").desc(nulls_first=True), "-created_at", "-pk").first() if number else None


def _from_lead(kept: InboundMessage, profile: str, now: datetime) -> None:
    lead = lead_at(kept.sender)
    if lead is not None:
        _attach(kept, lead, "Reply of a lead.", now)
        return
    try:
        kept.lead = new_lead(kept.sender, kept.text, profile, consent=kept.channel, external_id=kept.provider_id)
        kept.result = "A new lead." if kept.lead else "The source of inbound messages is switched off."
    except (InvalidLead, PipelineError) as error:
        logger.warning("inbound message %s did not become a lead: %s", kept.provider_id, error)
        kept.result = f"It did not become a lead: {error}"[:300]
    kept.save(update_fields=["lead", "result"])


def _attach(kept: InboundMessage, lead: Lead | None, result: str, now: datetime) -> None:
    """Put a message on the lead's timeline; what was under way to the lead ends."""
    kept.lead, kept.result = lead, result
    kept.save(update_fields=["lead", "result"])
    if lead is not None:
        record(lead, Event.Kind.REPLIED, channel=kept.channel, text=kept.text, media=kept.media, message=kept.pk)
        end_runs([lead], "replied", now)


def new_lead(number: str, text: str, profile: str, *, consent: str, external_id: str) -> Lead | None:
    """A lead out of somebody who wrote or called, through the normal intake; None when the source is switched off.

    Who writes to us over a channel wants an answer over it: that is kept as a consent, in the words that came.

    Args:
        number: E.164; "" when it was withheld. profile: the name of the sender, if known.
        consent: the channel; "" for none.

    Raises:
        InvalidLead: the number is none that can be kept.
    """
    source = inbound_source()
    if not source.active:
        return None
    first, _, last = clean(profile)[:100].partition(" ")
    words = text or "(no text)"
    given = [ConsentInput(consent, True, wording=words, origin="Wrote to our number")] if consent else []
    fields = {"first_name": first, "last_name": last, "phone": number, "message": text}
    with transaction.atomic():
        return create_lead(source=source, fields=fields, consents=given, external_id=external_id)


def inbound_source() -> LeadSource:
    """The source of leads that wrote or called; made when it is missing."""
    source, _ = LeadSource.objects.get_or_create(
        slug=SOURCE, defaults={"name": "Inbound messages and calls", "kind": LeadSource.Kind.PHONE}
    )
    return source
