"""WhatsApp, through Twilio: free text within 24 hours of the receiver's last message, approved templates always."""

import json
from typing import Any

from django.conf import settings

from notifications.channels.base import Message, Receipt
from notifications.channels.sms import send_once
from notifications.twilioclient import missing_account


class WhatsApp:
    key = "whatsapp"
    label = "WhatsApp"
    per_minute: int | None = 60
    bundles = True

    def unavailable(self) -> str:
        return missing_account() or ("" if settings.TWILIO_WHATSAPP_FROM else "TWILIO_WHATSAPP_FROM is not set.")

    def send(self, message: Message) -> Receipt:
        what: dict[str, Any] = {"from_": _prefixed(settings.TWILIO_WHATSAPP_FROM)}
        if message.content_sid:
            what |= {
                "content_sid": message.content_sid,
                "content_variables": json.dumps(dict(message.content_variables)),
            }
        else:
            what |= {"body": message.text}
        return send_once(message, _prefixed(message.to), what)


def _prefixed(number: str) -> str:
    return f"whatsapp:{number.removeprefix('whatsapp:')}"
