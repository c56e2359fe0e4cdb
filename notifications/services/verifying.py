"""Makes sure that an address belongs to who entered it: by a code that goes there, or for e-mail by a signed link."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import DateTimeField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from notifications.channels import EMAIL, Message, SendError
from notifications.choosing import WEBHOOK, secret_for
from notifications.models import ContactAddress
from notifications.services.direct import send_now

CODE_LIFETIME: Final = timedelta(minutes=10)
LINK_LIFETIME: Final = timedelta(days=1)
RESEND_AFTER: Final = timedelta(minutes=1)
MOST_TRIES: Final = 5
DIGITS: Final = 6
KIND: Final = "verify"


def _signer() -> TimestampSigner:
    """Made when it is needed: without a SECRET_KEY the system check must be what speaks."""
    return TimestampSigner(salt="notifications.verify")


class VerifyError(Exception):
    """The address is not verified; the text says why."""


def set_address(user: User, channel: str, address: str, now: datetime) -> ContactAddress:
    """Keep an address and send there what verifies it. One that is changed is not verified any more.

    Raises:
        VerifyError: nothing was sent.
    """
    row, new = ContactAddress.objects.get_or_create(user=user, channel=channel, defaults={"address": address})
    other = ContactAddress.objects.filter(pk=row.pk).exclude(address=address)
    changed = other.update(address=address, verified_at=None, code_hash="", code_expires_at=None)
    if channel == WEBHOOK and (new or changed):
        new_secret(user)
    row.refresh_from_db()
    if row.verified_at is None:
        send_proof(row, now)
    return row


def new_secret(user: User) -> str:
    """Make the secret of a user's webhook anew; the one before signs nothing from now on. Empty without a webhook."""
    mine = ContactAddress.objects.filter(user=user, channel=WEBHOOK)
    mine.update(signing_salt=secrets.token_hex(16))
    return secret_for(user, WEBHOOK)


def forget_address(user: User, channel: str) -> None:
    """Remove an address. Its row stays without one: it says when the last code went out, so that removing and entering
    again is no way around the limit."""
    mine = ContactAddress.objects.filter(user=user, channel=channel)
    mine.update(address="", verified_at=None, code_hash="", code_expires_at=None)


def send_proof(row: ContactAddress, now: datetime) -> None:
    """Send a new code, or for e-mail a link. Once a minute at most, whatever the address.

    Raises:
        VerifyError: one was sent a moment ago, or it could not be sent.
    """
    waits = ContactAddress.objects.filter(verified_at=None)
    if row.channel == EMAIL:
        _note_sent(waits, row, now)
        _send(row, link_text(row), now)
    else:
        send_code(waits, row, now)


def send_code(rows: QuerySet[ContactAddress], row: ContactAddress, now: datetime, *, lifts_stop: bool = False) -> None:
    """Send a new code to an address that is among these rows. Once a minute at most, whatever the address.

    Args:
        lifts_stop: whoever enters the code may lift the stop of the address, so that one does not hold it.

    Raises:
        VerifyError: one was sent a moment ago, or it could not be sent.
    """
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    _note_sent(rows, row, now, code_hash=make_password(code), code_expires_at=now + CODE_LIFETIME)
    _send(row, code_text(code), now, lifts_stop=lifts_stop)


def _note_sent(rows: QuerySet[ContactAddress], row: ContactAddress, now: datetime, **code: Any) -> None:
    rested = Q(code_sent_at=None) | Q(code_sent_at__lte=now - RESEND_AFTER)
    mine = rows.filter(rested, pk=row.pk, address=row.address)
    if not mine.update(code_sent_at=now, code_tries=0, **code):
        raise VerifyError("A code or link went out less than a minute ago. Use it, or wait a moment.")


def _send(row: ContactAddress, text: str, now: datetime, *, lifts_stop: bool = False) -> None:
    secret = secret_for(row.user, row.channel)
    message = Message(row.address, "Confirm your address", text, uuid4(), KIND, now, secret=secret)
    try:
        send_now(row.channel, message, lifts_stop=lifts_stop)
    except SendError as error:
        raise VerifyError(f"Nothing was sent: {error.text}") from error


def code_text(code: str) -> str:
    return f"{code} is your LeadCRM code. It is good for {CODE_LIFETIME.seconds // 60} minutes. Tell it to nobody."


def link_text(row: ContactAddress) -> str:
    return (
        "Somebody, probably you, wants messages of LeadCRM to go to this address. To confirm, open this page and press "
        f"the button:\n\n{settings.SITE_URL}/my/notifications/verify/{token_of(row)}/\n\n"
        "The link is good for a day. If it was not you, do nothing."
    )


def token_of(row: ContactAddress) -> str:
    """Signs the row and its address: after a change of the address, older links verify nothing."""
    return _signer().sign_object([row.pk, row.address], compress=True)


def read_token(token: str) -> ContactAddress | None:
    """The address that a link verifies; None when it is none of ours, too old, or the address was changed."""
    try:
        pk, address = _signer().unsign_object(token, max_age=LINK_LIFETIME)
    except (BadSignature, ValueError, TypeError):
        return None
    return ContactAddress.objects.select_related("user").filter(pk=pk, address=address, user__is_active=True).first()


def verify_by_link(row: ContactAddress, now: datetime) -> None:
    """Note that an address was proved; again changes nothing."""
    ContactAddress.objects.filter(pk=row.pk, address=row.address, verified_at=None).update(verified_at=now)


def verify_by_code(row: ContactAddress, code: str, now: datetime) -> None:
    """Note that an address was proved by the code that went there.

    Raises:
        VerifyError: wrong, too old, or tried too often.
    """
    live = ContactAddress.objects.filter(pk=row.pk, code_expires_at__gt=now).exclude(code_hash="")
    # Counted before it is looked at, so that many tries at once are no way around the limit.
    if not live.filter(code_tries__lt=MOST_TRIES).update(code_tries=F("code_tries") + 1):
        raise VerifyError("This code is too old, or was tried too often. Ask for a new one.")
    row.refresh_from_db()
    if not check_password("".join(code.split()), row.code_hash):
        raise VerifyError(f"This is not the code. You can try {MOST_TRIES - row.code_tries} more times.")
    # One that was proved before stays so since then.
    proved = Coalesce("verified_at", Value(now, DateTimeField()))
    live.filter(code_hash=row.code_hash).update(verified_at=proved, code_hash="", code_expires_at=None)
