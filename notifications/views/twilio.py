"""Where Twilio calls us about messages. Voice is in ``voice``."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from twilio.twiml.messaging_response import MessagingResponse

from leadcrm.lib.text import clean
from notifications.services import inbound, switches
from notifications.services.inbound import Incoming
from notifications.services.statuses import move
from notifications.signatures import from_twilio

TWIML: Final = "text/xml"
_WHATSAPP: Final = "whatsapp:"


@from_twilio
def message(request: HttpRequest) -> HttpResponse:
    """A text or WhatsApp message came in. It is answered at once where it asks for an answer."""
    incoming = read_incoming(request)
    answer = MessagingResponse()
    text = inbound.receive(incoming) if incoming.provider_id and incoming.sender else ""
    # The emergency stop holds answers too.
    if text and not switches.stop_of(incoming.channel):
        answer.message(text)
    return HttpResponse(str(answer), content_type=TWIML)


def read_incoming(request: HttpRequest) -> Incoming:
    """The message in what Twilio posted."""
    sent = request.POST
    sender, receiver = clean(sent.get("From", "")), clean(sent.get("To", ""))
    media = sent.get("NumMedia", "")
    return Incoming(
        channel="whatsapp" if sender.startswith(_WHATSAPP) else "sms",
        provider_id=clean(sent.get("MessageSid", ""))[:200],
        sender=sender.removeprefix(_WHATSAPP)[:254],
        receiver=receiver.removeprefix(_WHATSAPP)[:254],
        text=sent.get("Body", ""),
        media=int(media) if media.isascii() and media.isdigit() and len(media) < 4 else 0,
        profile=sent.get("ProfileName", ""),
        told=bool(sent.get("OptOutType")),
    )


@from_twilio
def status(request: HttpRequest) -> HttpResponse:
    """What became of a message of ours; ``message`` in the address is our own name of it."""
    sent, token = request.POST, read_token(request.GET.get("message", ""))
    if token is not None:
        move(token, sent.get("MessageStatus", ""), sid=sent.get("MessageSid", ""), error_code=sent.get("ErrorCode", ""))
    return HttpResponse(status=204)


def read_token(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
