"""How the default texts are put together: per language a few words, per kind what happened; the rest is the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

# These have no subject of their own.
NUMBERS: Final = ("sms", "whatsapp")
EMAIL: Final = "email"


class Words(NamedTuple):
    """A message as templates."""

    subject: str
    text: str
    html: str = ""


class Opening(NamedTuple):
    """What a kind of message begins with: its subject, and a sentence that says more."""

    subject: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language. ``answer_by``, ``left``, ``late`` and ``from_source`` are templates; ``reasons`` are
    by code why a lead went to its reader (``notifications.why``); ``several`` is what messages in one are called.

    Leads, pools and people are of any gender and number, and times are moments as well as spans of any length: the
    words around them fit all of these.
    """

    name: str
    several: str
    role: str
    wants: str
    value: str
    place: str
    phone: str
    email: str
    score: str
    from_source: str
    clock: str
    answer_by: str
    left: str
    late: str
    why: str
    wrote: str
    accept: str
    decline: str
    snooze: str
    call: str
    open: str
    pool: str
    rule: str
    reasons: Mapping[str, str]
    openings: Mapping[str, Opening]
    colon: str = ":"


def words_for_people(language: Language, kind: str, channel: str) -> Words:
    """A message to one of our people: short, or for e-mail with all that is known."""
    opening = language.openings.get(kind, Opening("{{ sentence }}"))
    if channel == EMAIL:
        return Words(opening.subject, _long(language, opening), _html(language, opening))
    short = _short(language, kind, channel, opening)
    return Words(opening.subject, f"{opening.subject}\n{short}" if channel in NUMBERS else short)


def _clock(language: Language) -> str:
    return (
        f"{{% if answer_by %}}{{% if late_by %}}{language.late}{{% else %}}{language.answer_by}, "
        f"{language.left}{{% endif %}}{{% endif %}}"
    )


# Kinds that bring a lead to somebody. Who had it before is told by text message what is new only.
_NEW: Final = ("assigned", "offered")


def _short(language: Language, kind: str, channel: str, opening: Opening) -> str:
    """Enough to call, and one link, behind which the rest is. To numbers it fits into two text messages."""
    wanted = (
        f"{{% if product %}}{language.wants}{language.colon} {{{{ product|truncatechars:40 }}}}\n"
        "{% elif message %}{{ message|truncatechars:60 }}\n{% endif %}"
        f"{{% if score %}}{language.score} {{{{ score }}}} ({language.from_source})\n{{% endif %}}"
    )
    text = "{% if text %}{{ text|truncatechars:120 }}"
    said = f"{opening.sentence}{text}{{% endif %}}\n" if opening.sentence else f"{text}\n{{% endif %}}"
    why = "{% if why_short %}{{ why_short|truncatechars:60 }}\n{% endif %}"
    return (
        "{% if role or company %}{{ role|truncatechars:28 }}{% if role and company %}, {% endif %}"
        "{{ company|truncatechars:28 }}\n{% endif %}"
        "{% if phone %}{{ phone }}\n{% endif %}"
        f"{wanted if kind in _NEW or channel not in NUMBERS else ''}"
        f"{{% if late_by %}}{language.clock}{language.colon} {language.late}\n"
        f"{{% elif answer_by %}}{language.clock}{language.colon} {{{{ answer_by }}}}, {language.left}\n{{% endif %}}"
        f"{said}{why if kind in _NEW else ''}"
        f"{{% if link_accept %}}{language.accept}{language.colon} {{{{ link_accept }}}}"
        f"{{% elif link_open %}}{language.open}{language.colon} {{{{ link_open }}}}{{% endif %}}"
    )


def _facts(language: Language) -> dict[str, tuple[str, str]]:
    """The lines about a lead: the field that must be there, by what it is called and what is shown."""
    return {
        "role": (language.role, "{{ role }}{% if role and company %}, {% endif %}{{ company }}"),
        "product": (language.wants, "{{ product }}"),
        "value": (language.value, "{{ value }}"),
        "place": (language.place, "{{ place }}"),
        "phone": (language.phone, "{{ phone }}"),
        "email": (language.email, "{{ email }}"),
        "score": (language.score, f"{{{{ score }}}} ({language.from_source})"),
        "answer_by": (language.clock, _clock(language)),
        "why": (language.why, "{{ why }}"),
    }


def _condition(field: str) -> str:
    return "role or company" if field == "role" else field


def _long(language: Language, opening: Opening) -> str:
    facts = "".join(
        f"{{% if {_condition(field)} %}}{label}{language.colon} {shown}\n{{% endif %}}"
        for field, (label, shown) in _facts(language).items()
    )
    links = "".join(
        f"{{% if {field} %}}{label}{language.colon} {{{{ {field} }}}}\n{{% endif %}}"
        for field, label in _links(language).items()
    )
    return (
        f"{opening.subject}\n\n{opening.sentence}\n{{% if text %}}\n{{{{ text }}}}\n{{% endif %}}\n{facts}"
        f"{{% if message_lines %}}\n{language.wrote}{language.colon}\n{{{{ message_lines }}}}\n{{% endif %}}\n{links}"
    )


def _links(language: Language) -> dict[str, str]:
    return {
        "link_accept": language.accept,
        "link_call": language.call,
        "link_open": language.open,
        "link_decline": language.decline,
        "link_snooze": language.snooze,
    }


# Styles stand in the elements, because mail programs drop style sheets. The classes are for the dark mode of those that
# do not: see ``notifications.mailframe``.
_BUTTON: Final = (
    "display:inline-block;margin:0 6px 10px 0;padding:11px 18px;border-radius:8px;font-weight:600;"
    "text-decoration:none;border:1px solid "
)
_MAIN_BUTTON: Final = f"{_BUTTON}#7c1fd1;background:#7c1fd1;color:#ffffff"
_OTHER_BUTTON: Final = f"{_BUTTON}#c9ccd6;color:#1d2433"
_LABEL: Final = "padding:5px 14px 5px 0;color:#5b6475;vertical-align:top;white-space:nowrap"
_VALUE: Final = "padding:5px 0;vertical-align:top;word-break:break-word"
_QUOTE: Final = "margin:0 0 18px;padding:10px 14px;border-left:3px solid #c9ccd6;background:#f5f6f9"


def _html(language: Language, opening: Opening) -> str:
    rows = "".join(
        f'{{% if {_condition(field)} %}}<tr><td class="soft" style="{_LABEL}">{label}</td>'
        f'<td style="{_VALUE}">{shown}</td></tr>\n{{% endif %}}'
        for field, (label, shown) in _facts(language).items()
    )
    sentence = f'<p style="margin:0 0 14px">{opening.sentence}</p>\n' if opening.sentence else ""
    return (
        f'<h1 style="margin:0 0 10px;font-size:20px;line-height:1.3">{opening.subject}</h1>\n{sentence}'
        f'{{% if text %}}<p class="quote" style="{_QUOTE}">{{{{ text }}}}</p>\n{{% endif %}}'
        f'<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px">\n{rows}'
        "</table>\n"
        f'{{% if message_lines %}}<p class="soft" style="margin:0 0 4px;color:#5b6475">{language.wrote}</p>\n'
        f'<p class="quote" style="{_QUOTE}">{{{{ message_lines|linebreaksbr }}}}</p>\n{{% endif %}}'
        f'<p style="margin:0">{_buttons(language)}</p>'
    )


def _buttons(language: Language) -> str:
    """The first that there is stands out."""
    links = list(_links(language).items())
    accept, others = links[0], links[1:]
    main = (
        f'{{% if link_accept %}}<a href="{{{{ link_accept }}}}" style="{_MAIN_BUTTON}">{accept[1]}</a>\n{{% endif %}}'
    )
    return main + "".join(
        f'{{% if {field} %}}<a class="button" href="{{{{ {field} }}}}" '
        f'style="{_OTHER_BUTTON}">{label}</a>\n{{% endif %}}'
        for field, label in others
    )
