"""The default texts of messages to leads, by kind and language: subject and text."""

from collections.abc import Mapping
from typing import Final

from notifications.defaults.base import EMAIL, Words

FIRST_RESPONSE: Final[Mapping[str, Words]] = {
    "en": Words(
        "Your enquiry",
        "Hello{% if first_name %} {{ first_name }}{% endif %}, thank you for your enquiry{% if product %} about "
        "{{ product }}{% endif %}. My name is {{ owner }}, and I will {% if opens_time %}get in touch"
        "{% if opens_day %} on {{ opens_day }}{% endif %} from {{ opens_time }} on{% else %}get in touch shortly"
        "{% endif %}. You can simply reply to this message.",
    ),
    "de": Words(
        "Ihre Anfrage",
        "Guten Tag{% if name %} {{ name }}{% endif %}, vielen Dank für Ihre Anfrage{% if product %} zu {{ product }}"
        "{% endif %}. Mein Name ist {{ owner }}, und ich melde mich {% if opens_time %}{% if opens_day %}am "
        "{{ opens_day }} {% endif %}ab {{ opens_time }} Uhr{% else %}in Kürze{% endif %} bei Ihnen. Sie können "
        "einfach auf diese Nachricht antworten.",
    ),
    "es": Words(
        "Su consulta",
        "Hola{% if first_name %}, {{ first_name }}{% endif %}: gracias por su consulta{% if product %} sobre "
        "{{ product }}{% endif %}. Me llamo {{ owner }} y me pondré en contacto con usted {% if opens_time %}"
        "{% if opens_day %}el {{ opens_day }} {% endif %}a partir de las {{ opens_time }}{% else %}en breve"
        "{% endif %}. Puede responder a este mensaje.",
    ),
    "fr": Words(
        "Votre demande",
        "Bonjour{% if name %} {{ name }}{% endif %}, merci pour votre demande{% if product %} concernant {{ product }}"
        "{% endif %}. Je m'appelle {{ owner }} et je vous contacterai {% if opens_time %}{% if opens_day %}"
        "{{ opens_day }} {% endif %}à partir de {{ opens_time }}{% else %}sous peu{% endif %}. Vous pouvez simplement "
        "répondre à ce message.",
    ),
    "pt": Words(
        "O seu pedido",
        "Olá{% if first_name %}, {{ first_name }}{% endif %}. Agradecemos o seu pedido{% if product %} sobre "
        "{{ product }}{% endif %}. O meu nome é {{ owner }} e entrarei em contacto consigo {% if opens_time %}"
        "{% if opens_day %}{{ opens_day }} {% endif %}a partir das {{ opens_time }}{% else %}em breve{% endif %}. "
        "Pode responder a esta mensagem.",
    ),
}

HELD: Final[Mapping[str, Words]] = {
    "en": Words(
        "We have your enquiry",
        "Hello{% if first_name %} {{ first_name }}{% endif %}, thank you for your enquiry. {% if opens_time %}We open"
        "{% if opens_day %} on {{ opens_day }}{% endif %} at {{ opens_time }} and will "
        "{% if phone %}call you{% else %}get in touch{% endif %} then.{% else %}We will get in touch as soon as we "
        "can.{% endif %}",
    ),
    "de": Words(
        "Ihre Anfrage ist angekommen",
        "Guten Tag{% if name %} {{ name }}{% endif %}, vielen Dank für Ihre Anfrage. {% if opens_time %}Wir sind"
        "{% if opens_day %} am {{ opens_day }}{% endif %} ab {{ opens_time }} Uhr wieder da und "
        "{% if phone %}rufen Sie dann an{% else %}melden uns dann{% endif %}.{% else %}Wir melden uns so bald wie "
        "möglich.{% endif %}",
    ),
    "es": Words(
        "Hemos recibido su consulta",
        "Hola{% if first_name %}, {{ first_name }}{% endif %}: gracias por su consulta. {% if opens_time %}Abrimos"
        "{% if opens_day %} el {{ opens_day }}{% endif %} a las {{ opens_time }} y entonces "
        "{% if phone %}le llamaremos{% else %}le escribiremos{% endif %}.{% else %}Nos pondremos en contacto lo antes "
        "posible.{% endif %}",
    ),
    "fr": Words(
        "Nous avons bien reçu votre demande",
        "Bonjour{% if name %} {{ name }}{% endif %}, merci pour votre demande. {% if opens_time %}Nous ouvrons"
        "{% if opens_day %} {{ opens_day }}{% endif %} à {{ opens_time }} et nous "
        "{% if phone %}vous appellerons{% else %}vous répondrons{% endif %} à ce moment-là.{% else %}Nous vous "
        "contacterons dès que possible.{% endif %}",
    ),
    "pt": Words(
        "Recebemos o seu pedido",
        "Olá{% if first_name %}, {{ first_name }}{% endif %}. Agradecemos o seu pedido. {% if opens_time %}Abrimos"
        "{% if opens_day %} {{ opens_day }}{% endif %} às {{ opens_time }} e, nessa "
        "altura, {% if phone %}ligamos-lhe{% else %}respondemos-lhe{% endif %}.{% else %}Entraremos em contacto "
        "assim que possível.{% endif %}",
    ),
}

FOLLOW_UP: Final[Mapping[str, Words]] = {
    "en": Words(
        "Your enquiry",
        "Hello{% if first_name %} {{ first_name }}{% endif %}, this is {{ owner }}. I have not been able to reach you "
        "yet. When would suit you? A short reply to this message will do.",
    ),
    "de": Words(
        "Ihre Anfrage",
        "Guten Tag{% if name %} {{ name }}{% endif %}, hier ist {{ owner }}. Ich habe Sie noch nicht erreicht. Wann "
        "passt es Ihnen? Eine kurze Antwort auf diese Nachricht genügt.",
    ),
    "es": Words(
        "Su consulta",
        "Hola{% if first_name %}, {{ first_name }}{% endif %}: soy {{ owner }}. Todavía no he podido hablar con usted. "
        "¿Cuándo le viene bien? Basta con responder a este mensaje.",
    ),
    "fr": Words(
        "Votre demande",
        "Bonjour{% if name %} {{ name }}{% endif %}, ici {{ owner }}. Je n'ai pas encore pu vous joindre. Quel moment "
        "vous conviendrait\u00a0? Une courte réponse à ce message suffit.",
    ),
    "pt": Words(
        "O seu pedido",
        "Olá{% if first_name %}, {{ first_name }}{% endif %}. O meu nome é {{ owner }} e ainda não "
        "consegui falar consigo. Quando seria conveniente para si? Basta responder a esta mensagem.",
    ),
}

WORDS: Final[Mapping[str, Mapping[str, Words]]] = {
    "first_response": FIRST_RESPONSE,
    "first_response_held": HELD,
    "follow_up": FOLLOW_UP,
}

HOW_TO_END: Final[Mapping[str, str]] = {
    "en": "Reply STOP to get no more messages.",
    "de": "Antworten Sie STOPP, um keine Nachrichten mehr zu bekommen.",
    "es": "Responda PARAR para no recibir más mensajes.",
    "fr": "Répondez STOP pour ne plus recevoir nos messages.",
    "pt": "Responda PARAR para não receber mais mensagens.",
}


def words_to_lead(kind: str, channel: str, language: str) -> Words:
    """A message to a lead. One to a number says how to end them, as carriers ask."""
    words = WORDS[kind].get(language, WORDS[kind]["en"])
    if channel == EMAIL:
        return words
    return words._replace(text=f"{words.text} {HOW_TO_END.get(language, HOW_TO_END['en'])}")
