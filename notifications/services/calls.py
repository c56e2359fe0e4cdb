"""Phone calls with leads: whose phone rings, who took it, how long they talked, and what the timeline says of it."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.selectors import decision_of, trace_of
from distribution.services import reassign_lead
from leadcrm.lib.text import clean
from notifications import guard
from notifications.models import Call, ContactAddress
from notifications.services import acting, inbound, switches
from notifications.services.sequences import end_runs
from notifications.twilioclient import missing_account
from pipeline.intake import InvalidLead
from pipeline.models import Event, Lead
from pipeline.services.activity import record_contact
from pipeline.services.events import record

logger = logging.getLogger(__name__)

PHONE: Final = "phone"
ANSWERED: Final = ("completed", "answered")
VOICEMAIL: Final = "voicemail"
UNKNOWN: Final = "unknown"
# A second click so soon after the first is the same wish.
SAME_WISH: Final = timedelta(minutes=1)


class CallRefused(Exception):
    """No call was made; the text says why."""


# --- Whose phone ---------------------------------------------------------------------------------


def phone_of(rep: Rep) -> str:
    """The rep's verified number; "" without one."""
    numbers = ContactAddress.objects.filter(user=rep.user_id, channel__in=(PHONE, "sms"), verified_at__isnull=False)
    return numbers.order_by("channel").values_list("address", flat=True).first() or ""


def next_rep(call: Call) -> tuple[Rep, str] | None:
    """The next rep to ring, with the number, and noted as rung: the owner, then those whom routing ranked after."""
    lead = Lead.objects.get(pk=call.lead_id)
    owner = Rep.objects.filter(user=lead.owner_id).values_list("pk", flat=True).first() if lead.owner_id else None
    wanted = [owner, *_ranked(lead)] if owner else _ranked(lead)
    fresh = [pk for pk in dict.fromkeys(wanted) if pk not in call.rung]
    reps = Rep.objects.filter(active=True, status=Rep.Status.AVAILABLE).in_bulk(fresh)
    for pk in fresh:
        if pk in reps and (number := phone_of(reps[pk])):
            call.rung = [*call.rung, pk]
            call.save(update_fields=["rung"])
            return reps[pk], number
    return None


def _ranked(lead: Lead) -> list[int]:
    """The reps who could have had the lead by its latest decision, the best first."""
    decision = decision_of(lead)
    trace = trace_of(decision) if decision else None
    attempts: list[dict[str, Any]] = trace["attempts"] if trace else []
    rows = attempts[-1]["candidates"] if attempts else []
    eligible = sorted((row for row in rows if row.get("eligible")), key=lambda row: int(row["rank"]))
    return [int(row["rep"]) for row in eligible]


# --- Incoming ------------------------------------------------------------------------------------


def open_incoming(sid: str, number: str, name: str) -> Call | None:
    """The call with this name, and its lead, known or made; None when leads that call are not taken.

    Must not run inside a transaction: a new lead is routed after its commit, and then its rep is rung.
    """
    known = Call.objects.filter(provider_id=sid).select_related("lead").first()
    if known is not None:
        return known
    lead = inbound.lead_at(number) or _new_caller(sid, number, name)
    if lead is None:
        return None
    defaults = {"lead": lead, "direction": Call.Direction.IN, "status": "ringing"}
    return Call.objects.get_or_create(provider_id=sid, defaults=defaults)[0]


def _new_caller(sid: str, number: str, name: str) -> Lead | None:
    there = Lead.objects.filter(source__slug=inbound.SOURCE, external_id=sid).first()
    if there is not None:
        return there
    try:
        return inbound.new_lead(number, "Called our number.", name, consent="", external_id=sid)
    except InvalidLead:
        # A withheld number, or one that is none: whoever calls is a lead all the same.
        return inbound.new_lead(
            "", f"Called our number from {number or 'a withheld one'}.", "", consent="", external_id=sid
        )


def take(call: Call, rep: Rep, now: datetime | None = None) -> bool:
    """A rep takes a call that came in, and with it the lead; False when somebody else has the call."""
    now = now or timezone.now()
    if not Call.objects.filter(pk=call.pk, rep=None, ended_at=None).update(rep=rep, status="in-progress"):
        return Call.objects.filter(pk=call.pk, rep=rep).exists()
    _give(Lead.objects.get(pk=call.lead_id), rep, now)
    return True


def _give(lead: Lead, rep: Rep, now: datetime) -> None:
    """Who talks to the lead has it. If that cannot be, they talk all the same."""
    try:
        if lead.owner_id != rep.user_id and lead.routing_state != Lead.RoutingState.CLAIMABLE:
            reassign_lead(lead.pk, to=rep, actor=rep.user, reason="answered the lead's call", now=now)
    except DistributionError as error:
        logger.info("lead %s was not given to who answered: %s", lead.pk, error)
    acting.accept(lead, rep, now)


def keep_recording(call: Call, url: str, seconds: int, now: datetime | None = None) -> None:
    """The caller left a message. Doing it again changes nothing."""
    now = now or timezone.now()
    with transaction.atomic():
        if not Call.objects.filter(pk=call.pk, recording_url="").update(recording_url=clean(url)[:500]):
            return
        words = f"Left a voicemail of {spoken(seconds)}."
        record(call.lead, Event.Kind.REPLIED, channel=PHONE, text=words, recording=clean(url)[:500], call=call.pk)
        finish(call, VOICEMAIL, None, now)


# --- Outgoing ------------------------------------------------------------------------------------


def request_call(lead: Lead, rep: Rep, now: datetime | None = None) -> Call:
    """Have the rep's phone ring, and then connect the lead. The same wish again within a minute is the same call.

    Raises:
        CallRefused: with a sentence.
    """
    now = now or timezone.now()
    problem = why_no_call(lead, rep)
    if problem:
        raise CallRefused(problem)
    with transaction.atomic():
        list(Rep.objects.select_for_update(no_key=True).filter(pk=rep.pk).values_list("pk"))
        recent = Call.objects.filter(lead=lead, rep=rep, direction=Call.Direction.OUT, ended_at=None)
        call = recent.filter(started_at__gt=now - SAME_WISH).first()
        if call is None:
            call = Call.objects.create(lead=lead, rep=rep, direction=Call.Direction.OUT, status="asked", started_at=now)
            _place_after_commit(call)
    return call


def _place_after_commit(call: Call) -> None:
    from notifications.tasks import place_call

    place_call.delay_on_commit(call.pk)


def missing() -> str:
    """Which setting calls lack; empty when none."""
    return missing_account() or ("" if settings.TWILIO_FROM else "TWILIO_FROM is not set.")


def why_no_call(lead: Lead, rep: Rep) -> str:
    """Why a rep cannot call a lead by a click; "" when it can be done."""
    stopped = switches.stop_of(PHONE)
    if missing():
        return f"Calls are not set up: {missing()}"
    if stopped:
        return stopped
    if not lead.phone:
        return "This lead has no phone number."
    if guard.consent_of(lead, PHONE) is False:
        return "This lead does not want to be called."
    return "" if phone_of(rep) else "You have no verified phone number. Add one to your preferences."


def claim_placing(call_id: int) -> Call | None:
    """Take a call that is to be placed; None when somebody did. It is never placed twice: better none than two."""
    if not Call.objects.filter(pk=call_id, status="asked", ended_at=None).update(status="placing"):
        return None
    return Call.objects.select_related("lead", "rep__user").get(pk=call_id)


# --- The end -------------------------------------------------------------------------------------


def hung_up(call: Call, status: str, now: datetime | None = None) -> bool:
    """A call is over, says the provider, who also tells how long both talked, if they did, by :func:`finish`: the two
    come in any order, so that only calls in which nobody talked end here."""
    talking = Call.objects.filter(pk=call.pk, status="in-progress").exists()
    return not talking and finish(call, "no-answer" if status in ANSWERED else status, None, now)


def begin_talking(call: Call) -> None:
    """The rep who asked for a call is being connected with the lead."""
    Call.objects.filter(pk=call.pk, ended_at=None).update(status="in-progress")


def finish(call: Call, status: str, seconds: int | None, now: datetime | None = None) -> bool:
    """Note how a call ended and what that means for the lead; False when that was noted before.

    Args:
        status: the provider's word, ``voicemail``, or ``unknown``.
        seconds: how long both talked; None when they did not.
    """
    now = now or timezone.now()
    with transaction.atomic():
        talked = seconds if status in ANSWERED and call.rep_id else None
        ended = Call.objects.filter(pk=call.pk, ended_at=None).update(ended_at=now, status=status[:20], seconds=talked)
        if not ended:
            return False
        _tell(call, status, talked, now)
    return True


def _tell(call: Call, status: str, talked: int | None, now: datetime) -> None:
    lead, actor = call.lead, call.rep.user if call.rep else None
    sentence = describe(call, status, talked)
    record(lead, Event.Kind.CALLED, actor=actor, call=call.pk, status=status, seconds=talked, sentence=sentence)
    if talked is not None and talked >= settings.CALL_CONTACT_SECONDS:
        # Whoever dialled: somebody of ours really talked to the lead.
        record_contact(lead, channel=PHONE, outbound=True, automatic=False, actor=actor, text=sentence)
    elif call.direction == Call.Direction.IN:
        if status not in (VOICEMAIL, UNKNOWN) and talked is None:
            record(lead, Event.Kind.REPLIED, channel=PHONE, text="Called, and nobody answered.", call=call.pk)
        end_runs([lead], "replied", now)


def describe(call: Call, status: str, talked: int | None) -> str:
    """A call in a sentence."""
    way = call.get_direction_display()
    if status == UNKNOWN:
        return f"{way} call: nobody reported how it went."
    if talked is None:
        return f"{way} call: {status.replace('-', ' ') or 'ended'}."
    return f"{way} call{f' with {call.rep.name}' if call.rep else ''}, {spoken(talked)}."


def spoken(seconds: int) -> str:
    """``3 min 12 s``, ``12 s``."""
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
