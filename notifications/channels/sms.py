"""Text messages, through Twilio."""

import json
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException

from notifications.channels.base import Message, Receipt, mark_of
from notifications.twilioclient import client, missing_account, read_error, status_callback

# How far back a message is looked for that may have gone out already, in messages to one number.
LOOK_BACK: Final = 50
NOT_SENT: Final = frozenset({"failed", "undelivered", "canceled"})
# Twilio puts it before the texts of accounts that are tried out.
TRIAL: Final = "Sent from your Twilio trial account - "
# The clocks of two machines agree that well.
SKEW: Final = timedelta(seconds=30)


class Sms:
    key = "sms"
    label = "Text message"
    per_minute: int | None = 60
    bundles = True

    def unavailable(self) -> str:
        sender = settings.TWILIO_MESSAGING_SERVICE_SID or settings.TWILIO_FROM
        return missing_account() or ("" if sender else "TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID is not set.")

    def send(self, message: Message) -> Receipt:
        service = settings.TWILIO_MESSAGING_SERVICE_SID
        sender = {"messaging_service_sid": service} if service else {"from_": settings.TWILIO_FROM}
        return send_once(message, message.to, {**sender, "body": message.text})


def send_once(message: Message, to: str, what: dict[str, Any]) -> Receipt:
    """Send through Twilio. It has no token by which it would recognise a repeated message: where an attempt broke off,
    its list of messages is asked first."""
    callback = status_callback(message.token)
    try:
        sid = _sent_before(message, to, what.get("body")) if message.again else ""
        if not sid:
            sid = client().messages.create(to=to, **what, **({"status_callback": callback} if callback else {})).sid
    except (TwilioException, RequestException, json.JSONDecodeError) as error:
        raise read_error(error) from error
    return Receipt(str(sid))


def _sent_before(message: Message, to: str, body: str | None) -> str:
    """The id of a message that is this one: to the same number, since it was made, with a text that it had.

    What it says may be another text by now, as when one of several that went as one need not be said any more. Twilio
    fills in templates itself, so that those have no text to compare.
    """
    marks = None if body is None else {mark_of(body), *message.tried}
    since = message.at.replace(microsecond=0) - (SKEW if marks else timedelta())
    for found in client().messages.list(to=to, limit=LOOK_BACK):
        same = marks is None or mark_of((found.body or "").removeprefix(TRIAL)) in marks
        recent = found.date_created is not None and found.date_created >= since
        if same and recent and str(found.status) not in NOT_SENT:
            return str(found.sid)
    return ""
