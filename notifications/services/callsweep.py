"""Ends calls whose last report never came: asks the provider how they went, and gives them up after a while."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioException

from notifications.models import Call
from notifications.services import calls
from notifications.twilioclient import client, missing_account, read_error

logger = logging.getLogger(__name__)

# Most calls are over by then, and their reports come within seconds.
ASK_AFTER: Final = timedelta(minutes=15)
# Twilio's words for a call that is over: https://www.twilio.com/docs/voice/api/call-resource#call-status-values
OVER: Final = ("completed", "busy", "failed", "no-answer", "canceled")


def sweep_calls(limit: int = 100, *, now: datetime | None = None) -> int:
    """End the calls that were over without our being told, the oldest first. Returns how many ended."""
    now = now or timezone.now()
    open_calls = Call.objects.filter(ended_at=None, started_at__lte=now - ASK_AFTER).order_by("started_at", "pk")
    return sum(_end(call, now) for call in open_calls.select_related("lead", "rep__user")[:limit])


def _end(call: Call, now: datetime) -> bool:
    if call.status == "asked":  # nobody took it up, and now it is too late to ring
        return calls.finish(call, "failed", None, now)
    found = ask_provider(call)
    if found is not None:
        return calls.finish(call, *found, now)
    too_old = call.started_at <= now - timedelta(minutes=settings.CALL_UNKNOWN_MINUTES)
    return too_old and calls.finish(call, calls.UNKNOWN, None, now)


def ask_provider(call: Call) -> tuple[str, int | None] | None:
    """How a call ended, by the provider's word, and how many seconds both talked; None when that cannot be said yet."""
    if not call.provider_id or missing_account():
        return None
    try:
        status = str(client().calls(call.provider_id).fetch().status)
        if status not in OVER:
            return None
        seconds = _talked(call) if call.status == "in-progress" else None
    except (TwilioException, RequestException, json.JSONDecodeError) as error:
        logger.warning("nothing is known of call %s: %s", call.pk, read_error(error).text)
        return None
    return ("no-answer" if status == "completed" and seconds is None else status), seconds


def _talked(call: Call) -> int | None:
    """The second leg of a call is the talk: its reps were rung one by one, and who took it has the longest."""
    legs: list[Any] = client().calls.list(parent_call_sid=call.provider_id, limit=20)
    return max((int(leg.duration or 0) for leg in legs if leg.status == "completed"), default=None)
