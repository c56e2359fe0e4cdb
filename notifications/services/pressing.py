"""Does what a link in a message was made for, once."""

from datetime import datetime

from distribution.errors import DistributionError
from distribution.selectors import acting_rep
from notifications import links
from notifications.models import ActionLink
from notifications.services import acting


def press(link: ActionLink, now: datetime, *, reason: str = "", until: datetime | None = None) -> tuple[bool, str]:
    """Do what a link is for. Returns whether it was done, and what happened in a sentence.

    A link is used up by what it did. When nothing could be done, because somebody was faster or there is no room, it
    can be tried again.
    """
    if not links.use(link, now):
        return False, "This link was used a moment ago."
    done = False
    try:
        done, said = _act(link, now, reason, until)
    finally:
        if not done:
            ActionLink.objects.filter(pk=link.pk, used_at=now).update(used_at=None)
    return done, said


def _act(link: ActionLink, now: datetime, reason: str, until: datetime | None) -> tuple[bool, str]:
    try:
        rep = acting_rep(link.user)
    except DistributionError as error:
        return False, str(error)
    if link.action == links.Action.DECLINE:
        return acting.decline(link.lead, rep, reason, now)
    if link.action == links.Action.SNOOZE and until is not None:
        return acting.snooze(link.lead, rep, until, now)
    return acting.accept(link.lead, rep, now)
