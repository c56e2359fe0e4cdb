"""The ways in which messages go out. To add one: a class in a file of its own, and a line here."""

from typing import Final

from distribution.engine.registry import Registry
from notifications.channels.apprise import Apprise
from notifications.channels.base import Channel, Message, Receipt, SendError
from notifications.channels.email import Email
from notifications.channels.in_app import InApp
from notifications.channels.push import Push
from notifications.channels.sms import Sms
from notifications.channels.webhook import Webhook
from notifications.channels.whatsapp import WhatsApp

__all__ = ["CHANNELS", "EMAIL", "IN_APP", "Channel", "Message", "Receipt", "SendError"]

CHANNELS: Final[Registry[Channel]] = Registry("channel")
for _channel in (InApp(), Email(), Sms(), WhatsApp(), Push(), Apprise(), Webhook()):
    CHANNELS.add(_channel.key, _channel)

IN_APP: Final = InApp.key
EMAIL: Final = Email.key
