"""What a rep does with a lead from outside the pages: by a reply or a link. Says in a sentence what came of it, in a
language that is asked for."""

from datetime import datetime
from typing import Final

from distribution.blind import called_by
from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.services import accept_lead, claim_lead, release_lead
from notifications import replies
from notifications.replies import in_language, in_words
from pipeline.display import person
from pipeline.errors import PipelineError
from pipeline.models import Lead
from pipeline.services.activity import snooze_lead

ENGLISH: Final = "en"


def accept(lead: Lead, rep: Rep, now: datetime, language: str = ENGLISH) -> tuple[bool, str]:
    """Take a lead on: one that is theirs, or that was offered to them. Doing it again changes nothing.

    Returns whether it is theirs now, and what happened.
    """
    try:
        if Lead.objects.filter(pk=lead.pk, routing_state=Lead.RoutingState.CLAIMABLE).exists():
            claim_lead(lead.pk, rep=rep, now=now)
        accept_lead(lead.pk, rep=rep, now=now)
    except DistributionError as error:
        return False, _too_late(lead, rep, language) or in_words(error, language)
    return True, in_language(replies.ACCEPTED, language).format(lead=lead)


def decline(lead: Lead, rep: Rep, reason: str, now: datetime, language: str = ENGLISH) -> tuple[bool, str]:
    """Give a lead back; the rules choose somebody else. Returns whether that was done, and what happened."""
    held = Lead.objects.filter(pk=lead.pk, closed_at=None, archived_at=None).first()
    if held is None or held.owner_id != rep.user_id:
        return False, _not_theirs(held, lead, rep, language)
    try:
        release_lead(lead.pk, actor=rep.user, reason=reason, now=now)
    except DistributionError as error:
        return False, in_words(error, language)
    return True, in_language(replies.DECLINED, language).format(lead=lead)


def _not_theirs(held: Lead | None, lead: Lead, rep: Rep, language: str) -> str:
    """Why a lead cannot be acted on as one's own; ``held``: the lead as it is, None when it is closed."""
    name = called_by(rep.user, lead)
    if held is None:
        return in_language(replies.CLOSED, language).format(lead=name)
    return _too_late(lead, rep, language) or in_language(replies.NOT_YOURS, language).format(lead=name)


def standing(lead: Lead, rep: Rep, language: str = ENGLISH) -> str:
    """Why a lead waits for no answer of the rep."""
    held = Lead.objects.filter(pk=lead.pk, closed_at=None, archived_at=None).first()
    if held is not None and held.owner_id == rep.user_id:
        return in_language(replies.YOURS, language).format(lead=lead)
    return _not_theirs(held, lead, rep, language)


def _too_late(lead: Lead, rep: Rep, language: str) -> str:
    """Who has the lead by now, when it is somebody else; "" otherwise."""
    now_with = Lead.objects.select_related("owner").get(pk=lead.pk).owner
    if now_with is None or now_with.pk == rep.user_id:
        return ""
    return in_language(replies.TOO_LATE, language).format(who=person(now_with), lead=called_by(rep.user, lead))


def snooze(lead: Lead, rep: Rep, until: datetime, now: datetime) -> tuple[bool, str]:
    """Let a lead of theirs rest until a moment. Returns whether that was done, and what happened."""
    held = Lead.objects.filter(pk=lead.pk, closed_at=None, archived_at=None).first()
    if held is None or held.owner_id != rep.user_id:
        return False, _not_theirs(held, lead, rep, ENGLISH)
    try:
        snooze_lead(held, until, "snoozed from a message", rep.user, now=now)
    except PipelineError as error:
        return False, str(error)
    return True, f"You have snoozed {lead}. Its promises wait until then."
