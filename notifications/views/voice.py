"""Where Twilio calls us about phone calls, and the button that asks for one. Every answer is TwiML."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from distribution.blind import called, hidden_from
from distribution.errors import NotYours
from distribution.models import Rep
from distribution.selectors import acting_rep
from leadcrm.lib.pages import PageRequest, back
from leadcrm.lib.text import clean
from notifications import twiml
from notifications.models import Call
from notifications.services import calls, inbound
from notifications.services.calls import CallRefused
from notifications.services.callsweep import OVER
from notifications.signatures import from_twilio
from notifications.views.twilio import TWIML
from pipeline.models import Lead
from pipeline.selectors import work_lead


def answer(text: str) -> HttpResponse:
    return HttpResponse(text, content_type=TWIML)


# --- Incoming ------------------------------------------------------------------------------------


@from_twilio
def incoming(request: HttpRequest) -> HttpResponse:
    """Somebody calls our number."""
    sid, number = clean(request.POST.get("CallSid", ""))[:200], clean(request.POST.get("From", ""))[:254]
    if inbound.rep_at("sms", number) is not None:
        return answer(twiml.hang_up("This number is for customers. Please call leads from their page."))
    call = calls.open_incoming(sid, number, request.POST.get("CallerName", "")) if sid else None
    return _ring(call) if call else answer(twiml.hang_up("This number takes no calls."))


def _ring(call: Call) -> HttpResponse:
    """Ring the next rep; without one, the caller may leave a message."""
    found = calls.next_rep(call)
    if found is None:
        return answer(twiml.voicemail(call, call.lead.language))
    rep, number = found
    return answer(twiml.ring_rep(call, rep.pk, number))


@from_twilio
def whisper(request: HttpRequest, uid: UUID, rep: int) -> HttpResponse:
    """A rep picked up a call that came in."""
    call = _call(uid)
    user = get_object_or_404(Rep.objects.select_related("user"), pk=rep).user
    hidden = call.lead_id in hidden_from(user, [call.lead_id])
    return answer(twiml.ask_to_take(call, rep, called(call.lead, hidden=True) if hidden else spoken_name(call.lead)))


@from_twilio
def taken(request: HttpRequest, uid: UUID, rep: int) -> HttpResponse:
    """The rep pressed a key."""
    mine = calls.take(_call(uid), get_object_or_404(Rep, pk=rep))
    return answer(twiml.go_on() if mine else twiml.hang_up("Somebody else has taken the call."))


@from_twilio
def ring_next(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A rep's phone has stopped ringing: they talked, or the next one is rung."""
    call = _call(uid)
    if call.rep_id is not None:
        calls.finish(call, "completed", _seconds(request))
        return answer(twiml.hang_up())
    if request.POST.get("CallStatus") in OVER:
        calls.finish(call, "no-answer", None)
        return answer(twiml.hang_up())
    return _ring(call)


@from_twilio
def recorded(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The caller left a message."""
    url, call = request.POST.get("RecordingUrl", ""), _call(uid)
    if url.startswith("https://"):
        calls.keep_recording(call, url, _number(request.POST.get("RecordingDuration", "")) or 0)
    return answer(twiml.hang_up())


# --- Outgoing ------------------------------------------------------------------------------------


@login_required
@require_POST
def call_lead(request: PageRequest, uid: UUID) -> HttpResponse:
    """The rep asks to be connected with a lead."""
    lead = work_lead(request.user, uid)
    try:
        calls.request_call(lead, acting_rep(request.user))
        messages.success(request, f"Your phone rings in a moment; take it, and you are connected with {lead}.")
    except (CallRefused, NotYours) as error:
        messages.error(request, str(error))
    return back(request, reverse("lead", args=[uid]))


@from_twilio
def connect(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The rep who asked for a call picked up."""
    call = _call(uid)
    return answer(twiml.ask_to_connect(call, spoken_name(call.lead)))


@from_twilio
def dial(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The rep pressed a key."""
    call = _call(uid)
    calls.begin_talking(call)
    return answer(twiml.dial_lead(call, call.lead.phone))


@from_twilio
def done(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The lead's phone has stopped ringing, or both have hung up."""
    calls.finish(_call(uid), request.POST.get("DialCallStatus", ""), _seconds(request))
    return answer(twiml.hang_up())


@from_twilio
def status(request: HttpRequest, uid: UUID | None = None) -> HttpResponse:
    """A call is over: one of ours by its own address, one that came in by Twilio's name of it."""
    state, sid = request.POST.get("CallStatus", ""), clean(request.POST.get("CallSid", ""))
    found = Call.objects.filter(uid=uid) if uid else Call.objects.filter(provider_id=sid).exclude(provider_id="")
    call = found.select_related("lead", "rep__user").first()
    if call is not None and state in OVER:
        calls.hung_up(call, state)
    return HttpResponse(status=204)


# --- Reading -------------------------------------------------------------------------------------


def spoken_name(lead: Lead) -> str:
    """Who it is, as it is said on the phone."""
    return ", ".join(part for part in (lead.name, lead.company) if part) or "somebody without a name"


def _call(uid: UUID) -> Call:
    return get_object_or_404(Call.objects.select_related("lead", "rep__user"), uid=uid)


def _seconds(request: HttpRequest) -> int | None:
    return _number(request.POST.get("DialCallDuration", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
