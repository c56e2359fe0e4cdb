"""Places the calls that reps ask for."""

import logging

from django.conf import settings
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException

from notifications.models import Call
from notifications.services import calls
from notifications.twilioclient import client, read_error
from notifications.twiml import hook

logger = logging.getLogger(__name__)


def place(call_id: int) -> str:
    """Ring the rep who asked for a call. Not repeated when it fails: the rep sees it and asks again."""
    call = calls.claim_placing(call_id)
    if call is None or call.rep is None:
        return "nothing to do"
    try:
        made = client().calls.create(
            to=calls.phone_of(call.rep),
            from_=settings.TWILIO_FROM,
            url=hook("twilio-call-connect", call.uid),
            status_callback=hook("twilio-call-status", call.uid),
            timeout=settings.CALL_RING_SECONDS,
        )
    except (TwilioException, RequestException) as error:
        logger.warning("call %s could not be placed: %s", call.pk, read_error(error).text)
        calls.finish(call, "failed", None)
        return "failed"
    Call.objects.filter(pk=call.pk).update(provider_id=made.sid, status="ringing")
    return "ringing"
