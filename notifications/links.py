"""Links in messages by which their receiver does one thing without signing in.

The address carries the signed number of a row; the row says for whom, for which lead, for what, until when, and whether
it was used. So a link can be neither made up, nor changed into another, nor used twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.utils import timezone

from distribution.models import Rep
from notifications.models import ActionLink
from pipeline.models import Lead

Action = ActionLink.Action

LIFETIME: Final = timedelta(days=2)


def page_of(lead: Lead) -> str:
    return f"{settings.SITE_URL}/leads/{lead.uid}/"


def action_links(user: User, lead: Lead, now: datetime | None = None) -> dict[str, str]:
    """The addresses by action that a message to this user may carry, of those that make sense now."""
    now = now or timezone.now()
    return {row.action: url_of(row) for row in _rows(user, lead, actions_for(user, lead), now)}


def actions_for(user: User, lead: Lead) -> Sequence[Action]:
    """What a user can do with a lead from a message: only what a rep can do, and only while the lead is open."""
    if lead.closed_at or lead.archived_at or not Rep.objects.filter(user=user, active=True).exists():
        return ()
    if lead.owner_id == user.pk:
        return (Action.SNOOZE,) if lead.accepted_at else (Action.ACCEPT, Action.DECLINE, Action.SNOOZE)
    return (Action.ACCEPT,) if lead.routing_state == Lead.RoutingState.CLAIMABLE else ()


def _rows(user: User, lead: Lead, actions: Sequence[Action], now: datetime) -> list[ActionLink]:
    """One row per action. A message that is tried again carries the same links."""
    fresh = ActionLink.objects.filter(user=user, lead=lead, used_at=None, expires_at__gt=now + LIFETIME / 2)
    known = {row.action: row for row in fresh.order_by("pk")} if actions else {}
    missing = [
        ActionLink(action=action, user=user, lead=lead, expires_at=now + LIFETIME, created_at=now)
        for action in actions
        if action not in known
    ]
    known |= {row.action: row for row in ActionLink.objects.bulk_create(missing)}
    return [known[action] for action in actions]


def url_of(link: ActionLink) -> str:
    return f"{settings.SITE_URL}/act/{token_of(link)}/"


def _signer() -> Signer:
    """Made when it is needed: without a SECRET_KEY the system check must be what speaks."""
    return Signer(salt="notifications.act")


def token_of(link: ActionLink) -> str:
    return _signer().sign(str(link.pk))


def read_token(token: str) -> ActionLink | None:
    """The link that a token stands for, also when it has expired or was used; None when nobody of us signed it."""
    try:
        pk = int(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None
    return ActionLink.objects.select_related("user", "lead__owner", "lead__source").filter(pk=pk).first()


def use(link: ActionLink, now: datetime) -> bool:
    """Take a link as used; False when it was before, or has expired. One of two who press at once is first."""
    fresh = ActionLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now, user__is_active=True)
    return fresh.update(used_at=now) == 1
