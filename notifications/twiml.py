"""What Twilio is told to do with a call, in its own markup language. Nothing here reads or writes."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.urls import reverse
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from notifications.models import Call

# Twilio's names of the languages that we speak.
VOICES: Final[Mapping[str, str]] = {"en": "en-GB", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "pt": "pt-PT"}
VOICEMAIL: Final[Mapping[str, str]] = {
    "en": "Thank you for calling. Nobody can take your call at the moment. Please leave a message after the tone.",
    "de": "Danke für Ihren Anruf. Zurzeit ist niemand frei. Bitte hinterlassen Sie nach dem Ton eine Nachricht.",
    "es": "Gracias por su llamada. Ahora mismo nadie puede atenderle. Deje un mensaje después de la señal.",
    "fr": "Merci de votre appel. Personne n'est disponible pour le moment. Laissez un message après le signal.",
    "pt": "Obrigado pela sua chamada. De momento ninguém pode atender. Deixe uma mensagem após o sinal.",
}
LONGEST_VOICEMAIL: Final = 180  # seconds
_ASK_SECONDS: Final = 10
_LEAD_RINGS: Final = 45  # seconds


def hook(name: str, *args: object) -> str:
    """The public address of a webhook."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}"


def ring_rep(call: Call, rep_id: int, number: str) -> str:
    """Ring a rep; who picks up hears who calls before the two are connected."""
    answer = VoiceResponse()
    dial = Dial(
        timeout=settings.CALL_RING_SECONDS,
        caller_id=settings.TWILIO_FROM,
        action=hook("twilio-call-next", call.uid),
        method="POST",
    )
    dial.number(number, url=hook("twilio-call-whisper", call.uid, rep_id), method="POST")
    answer.append(dial)
    return str(answer)


def ask_to_take(call: Call, rep_id: int, who: str) -> str:
    """Say who calls, and wait for a key: a mailbox presses none."""
    return _ask(f"A call from {who}. Press any key to take it.", hook("twilio-call-taken", call.uid, rep_id))


def ask_to_connect(call: Call, who: str) -> str:
    """Say whom the rep asked to call, and wait for a key."""
    return _ask(f"Your call to {who}. Press any key to be connected.", hook("twilio-call-dial", call.uid))


def _ask(words: str, action: str) -> str:
    answer = VoiceResponse()
    gather = Gather(num_digits=1, timeout=_ASK_SECONDS, action=action, method="POST")
    gather.say(words, language=VOICES["en"])
    answer.append(gather)
    answer.hangup()
    return str(answer)


def dial_lead(call: Call, number: str) -> str:
    answer = VoiceResponse()
    dial = Dial(
        timeout=_LEAD_RINGS,
        caller_id=settings.TWILIO_FROM,
        action=hook("twilio-call-done", call.uid),
        method="POST",
    )
    dial.number(number)
    answer.append(dial)
    return str(answer)


def voicemail(call: Call, language: str) -> str:
    answer = VoiceResponse()
    spoken = language if language in VOICES else "en"
    answer.say(VOICEMAIL[spoken], language=VOICES[spoken])
    answer.record(
        action=hook("twilio-call-recorded", call.uid), method="POST", max_length=LONGEST_VOICEMAIL, play_beep=True
    )
    answer.hangup()
    return str(answer)


def go_on() -> str:
    """Nothing more to say: the two are connected, or the call goes on as it was."""
    return str(VoiceResponse())


def hang_up(words: str = "") -> str:
    answer = VoiceResponse()
    if words:
        answer.say(words, language=VOICES["en"])
    answer.hangup()
    return str(answer)
