"""Sends what has no row and goes at once, such as a test or a code. What holds other messages holds it too."""

from django.utils import timezone

from notifications.channels import CHANNELS, Message, Receipt, SendError
from notifications.guard import refuse_stopped
from notifications.services import switches


def send_now(channel: str, message: Message, *, lifts_stop: bool = False) -> Receipt:
    """Send a message at once, or not at all.

    Args:
        lifts_stop: it is the code by which its receiver may lift the stop of the address, so that one does not hold it.

    Raises:
        SendError: it did not go; the text says why.
    """
    way = CHANNELS[channel]
    held = way.unavailable() or switches.stop_of(channel)
    if held:
        raise SendError(held, "unavailable", permanent=True)
    if not lifts_stop:
        refuse_stopped(channel, message.to)
    if switches.take_place(channel, timezone.now()) is not None:
        raise SendError(switches.FULL, "full", permanent=False)
    return way.send(message)
