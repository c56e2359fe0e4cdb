"""Stops of the addresses of our own people, and how they lift them: by a code that goes there once more.

Who may lift what:

- STOP by text message: whoever has the number, by START. An administrator.
- An address that does not work: whoever it belongs to, when the code arrives there. An administrator.
- Unsubscribed by the link in an e-mail: whoever it belongs to, in the same way, unless a lead has that address: its no
  is not for us to undo. An administrator.
- Entered because somebody asked for it: an administrator.

The code is the one message that goes to a stopped address, and only to one that was known to be theirs before the stop:
proved by them, or entered by an administrator as that of their account.
"""

import logging
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from notifications.channels import EMAIL
from notifications.choosing import address_of
from notifications.guard import normal_address, stop_of
from notifications.models import ContactAddress, Stop
from notifications.services.optouts import leads_of, start
from notifications.services.verifying import VerifyError, send_code

logger = logging.getLogger(__name__)


class OwnStop(NamedTuple):
    """A stop of an address of somebody's own; ``obstacle``: why that one may not lift it, "" when they may."""

    stop: Stop
    obstacle: str


def own_stop(user: User, channel: str) -> OwnStop | None:
    """What keeps messages from somebody's address of a channel."""
    row = ContactAddress.objects.filter(user=user, channel=channel).exclude(address="").first()
    address = address_of(user, channel) or (row.address if row else "")
    stop = stop_of(channel, address) if address else None
    return OwnStop(stop, _obstacle(stop, user, row)) if stop else None


def _obstacle(stop: Stop, user: User, row: ContactAddress | None) -> str:
    if stop.reason == Stop.Reason.WORD:
        return "Send START from there to undo it."
    if stop.reason == Stop.Reason.ASKED:
        return "An administrator entered it, and can lift it."
    if not _was_theirs(stop, user, row):
        return "This address was not confirmed as yours before that. An administrator can lift it."
    if stop.reason == Stop.Reason.LINK and leads_of(stop.channel, stop.address).exists():
        return "A lead has the same address. An administrator can lift it."
    return ""


def _was_theirs(stop: Stop, user: User, row: ContactAddress | None) -> bool:
    of_account = stop.channel == EMAIL and normal_address(EMAIL, user.email) == stop.address
    return of_account or bool(row and row.verified_at and row.verified_at <= stop.at)


def ask_code(user: User, channel: str, now: datetime) -> ContactAddress:
    """Send a code to the own address that is stopped. Once a minute at most.

    Raises:
        VerifyError: there is nothing to lift, or not for them; or nothing was sent.
    """
    own = own_stop(user, channel)
    if own is None or own.obstacle:
        raise VerifyError(own.obstacle if own else "This address is on no stop list.")
    mine = ContactAddress.objects.filter(user=user, channel=channel)
    row = _row_for(mine, user, channel)
    if normal_address(channel, row.address) != own.stop.address:
        raise VerifyError("Confirm or remove the address that you entered first.")
    send_code(mine, row, now, lifts_stop=True)
    return row


def _row_for(mine: QuerySet[ContactAddress], user: User, channel: str) -> ContactAddress:
    """The address of an account has no row until it is proved."""
    ContactAddress.objects.get_or_create(user=user, channel=channel)
    mine.filter(address="").update(address=user.email)
    return mine.get()


def lift_own(row: ContactAddress, now: datetime) -> bool:
    """Lift the stop of an address that was proved once more just now; False when there is none, or not for them."""
    with transaction.atomic():
        own = own_stop(row.user, row.channel)
        if own is None or own.obstacle or normal_address(row.channel, row.address) != own.stop.address:
            return False
        if not _lock(own.stop):
            return False
        logger.info("user %s lifts stop %s of an address of their own", row.user_id, own.stop.pk)
        return start(own.stop.channel, own.stop.address, origin=f"{row.user.get_username()}, by a code", now=now)


def _lock(stop: Stop) -> bool:
    """Locked, it stays the one that was judged."""
    return Stop.objects.select_for_update(no_key=True).filter(pk=stop.pk, lifted_at=None).first() is not None
