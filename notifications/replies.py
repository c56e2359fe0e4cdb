"""What is answered at once to a message that came in, in the language of whoever wrote."""

from collections.abc import Mapping
from typing import Final, TypeVar

from distribution.errors import Full

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
COMMANDS: Final[Mapping[str, str]] = {
    "en": "Reply 1 to accept or 2 to decline the latest lead you were told of.",
    "de": "Antworten Sie mit 1, um den letzten gemeldeten Lead anzunehmen, oder mit 2, um ihn abzulehnen.",
    "es": "Responda 1 para aceptar o 2 para rechazar el último lead del que se le avisó.",
    "fr": "Répondez 1 pour accepter ou 2 pour refuser le dernier lead qui vous a été signalé.",
    "pt": "Responda 1 para aceitar ou 2 para recusar o último lead de que foi avisado.",
}
SEVERAL: Final[Mapping[str, str]] = {
    "en": "Several leads wait: {}. Use the links in the message to say which one you mean.",
    "de": "Mehrere Leads warten: {}. Sagen Sie mit den Links in der Nachricht, welchen Sie meinen.",
    "es": "Esperan varios leads: {}. Use los enlaces del mensaje para indicar a cuál se refiere.",
    "fr": "Plusieurs leads attendent : {}. Utilisez les liens du message pour indiquer celui que vous visez.",
    "pt": "Vários leads aguardam: {}. Use as ligações da mensagem para indicar a qual se refere.",
}
NO_LEAD: Final[Mapping[str, str]] = {
    "en": "You were told of no lead over this number that could be accepted or declined.",
    "de": "Über diese Nummer wurde Ihnen kein Lead gemeldet, den Sie annehmen oder ablehnen könnten.",
    "es": "Por este número no se le avisó de ningún lead que pueda aceptar o rechazar.",
    "fr": "Aucun lead à accepter ou à refuser ne vous a été signalé par ce numéro.",
    "pt": "Por este número não foi avisado de nenhum lead que possa aceitar ou recusar.",
}

# --- What came of a command; {lead} and {who} are names ---------------------------------------------

ACCEPTED: Final[Mapping[str, str]] = {
    "en": "You have accepted {lead}.",
    "de": "Sie haben {lead} angenommen.",
    "es": "Ha aceptado {lead}.",
    "fr": "Vous avez accepté {lead}.",
    "pt": "Aceitou {lead}.",
}
DECLINED: Final[Mapping[str, str]] = {
    "en": "You have declined {lead}. It goes to somebody else.",
    "de": "Sie haben {lead} abgelehnt. Jemand anders bekommt den Lead.",
    "es": "Ha rechazado {lead}. El lead pasa a otra persona.",
    "fr": "Vous avez refusé {lead}. Le lead passe à quelqu'un d'autre.",
    "pt": "Recusou {lead}. O lead passa para outra pessoa.",
}
CLOSED: Final[Mapping[str, str]] = {
    "en": "{lead} is closed.",
    "de": "{lead} ist abgeschlossen.",
    "es": "{lead}: este lead está cerrado.",
    "fr": "{lead} : ce lead est clos.",
    "pt": "{lead}: este lead está fechado.",
}
NOT_YOURS: Final[Mapping[str, str]] = {
    "en": "{lead} is not yours.",
    "de": "{lead} gehört nicht Ihnen.",
    "es": "{lead}: este lead no es suyo.",
    "fr": "{lead} : ce lead n'est pas le vôtre.",
    "pt": "{lead}: este lead não é seu.",
}
YOURS: Final[Mapping[str, str]] = {
    "en": "{lead} is yours, and accepted. Give it back on its page.",
    "de": "{lead} gehört Ihnen und ist angenommen. Zurückgeben können Sie den Lead auf seiner Seite.",
    "es": "{lead}: este lead es suyo y está aceptado. Puede devolverlo en su página.",
    "fr": "{lead} : ce lead est à vous, et accepté. Vous pouvez le rendre sur sa page.",
    "pt": "{lead}: este lead é seu e está aceite. Pode devolvê-lo na página dele.",
}
TOO_LATE: Final[Mapping[str, str]] = {
    "en": "Too late: {who} has {lead} now.",
    "de": "Zu spät: {who} hat {lead} jetzt.",
    "es": "Demasiado tarde: {who} ya tiene {lead}.",
    "fr": "Trop tard : {who} a déjà {lead}.",
    "pt": "Tarde demais: {who} já tem {lead}.",
}
FULL: Final[Mapping[str, str]] = {
    "de": "Sie können gerade keinen weiteren Lead annehmen: Ihre Grenze ist erreicht.",
    "es": "Ahora no puede aceptar otro lead: ha alcanzado su límite.",
    "fr": "Vous ne pouvez pas accepter d'autre lead maintenant : votre limite est atteinte.",
    "pt": "Agora não pode aceitar outro lead: atingiu o seu limite.",
}
NOT_NOW: Final[Mapping[str, str]] = {
    "de": "Das geht gerade nicht. Öffnen Sie den Lead, um zu sehen, warum.",
    "es": "Ahora no es posible. Abra el lead para ver el motivo.",
    "fr": "Ce n'est pas possible maintenant. Ouvrez le lead pour voir pourquoi.",
    "pt": "Agora não é possível. Abra o lead para ver o motivo.",
}


def in_language(texts: Mapping[str, T], language: str) -> T:
    """Of texts by language the one in this language, else in English."""
    return texts.get(language, texts["en"])


def in_words(error: Exception, language: str) -> str:
    """Why something was refused: in English what the error says, else as much of that as can be told."""
    return (FULL if isinstance(error, Full) else NOT_NOW).get(language) or str(error)
