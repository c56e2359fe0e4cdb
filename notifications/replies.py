"""What is answered at once to a message that came in, in the language of whoever wrote."""

from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

STOPPED: Final[Mapping[str, str]] = {
    "en": "You will get no more messages from this number. Reply START to get them again.",
    "de": "Sie bekommen von dieser Nummer keine Nachrichten mehr. Mit START bekommen Sie sie wieder.",
    "es": "No recibirá más mensajes de este número. Responda START para volver a recibirlos.",
    "fr": "Vous ne recevrez plus de messages de ce numéro. Répondez START pour en recevoir à nouveau.",
    "pt": "Não receberá mais mensagens deste número. Responda START para voltar a recebê-las.",
}
STARTED: Final[Mapping[str, str]] = {
    "en": "You get our messages again. Reply STOP to end them.",
    "de": "Sie bekommen unsere Nachrichten wieder. Mit STOPP beenden Sie sie.",
    "es": "Vuelve a recibir nuestros mensajes. Responda PARAR para dejar de recibirlos.",
    "fr": "Vous recevez à nouveau nos messages. Répondez STOP pour ne plus les recevoir.",
    "pt": "Volta a receber as nossas mensagens. Responda PARAR para deixar de as receber.",
}
COMMANDS: Final = "Reply 1 to accept or 2 to decline the latest lead you were told of."
SEVERAL: Final = "Several leads wait: {}. Use the links in the message to say which one you mean."
NO_LEAD: Final = "You were told of no lead over this number that could be accepted or declined."


def in_language(texts: Mapping[str, T], language: str) -> T:
    """Of texts by language the one in this language, else in English."""
    return texts.get(language, texts["en"])
