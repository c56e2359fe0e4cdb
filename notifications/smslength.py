"""How many text messages a text is paid as (3GPP TS 23.038): by its alphabet, its length, and what joining costs."""

import unicodedata
from dataclasses import dataclass
from typing import Final

# The default alphabet of GSM takes 7 bits per character; its extension table takes two of them.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
GSM, UCS2 = "GSM-7", "UCS-2"
# Characters in a text that is one message, and in each part of one that is several: a header tells the parts apart.
_ROOM: Final = {GSM: (160, 153), UCS2: (70, 67)}


# Signs that only look better: one of them would more than halve the room of the whole text.
_PLAIN: Final = str.maketrans(
    {**dict.fromkeys("“”„‟«»″", '"'), **dict.fromkeys("‘’‚‛‹›′", "'"), **dict.fromkeys("‐‑‒–—−", "-")}
    | {"…": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "•": "-"}
)


def plain_signs(text: str) -> str:
    """A text with quotation marks, dashes and dots that fit the alphabet of text messages. Letters stay."""
    return text.translate(_PLAIN)


def without_accents(text: str) -> str:
    """A text whose letters outside the alphabet lose their accents, if all of it fits the alphabet then."""
    fitting = "".join(char if char in _BASIC else unicodedata.normalize("NFD", char)[0] for char in text)
    return fitting if sms_length(fitting).alphabet == GSM else text


@dataclass(frozen=True, slots=True)
class SmsLength:
    """``units``: what the text takes of the room. ``outside``: the characters that made it UCS-2."""

    alphabet: str
    units: int
    segments: int
    outside: str = ""

    def __str__(self) -> str:
        parts = "1 message" if self.segments == 1 else f"{self.segments} messages"
        why = f", because of {' '.join(self.outside[:5])}" if self.outside else ""
        return f"{self.units} characters, {parts} ({self.alphabet}{why})"


def sms_length(text: str) -> SmsLength:
    """Count a text as networks do."""
    outside = "".join(dict.fromkeys(char for char in text if char not in _BASIC and char not in _EXTENDED))
    if outside:
        sizes = [len(char.encode("utf-16-be")) // 2 for char in text]
        return SmsLength(UCS2, sum(sizes), _segments(sizes, UCS2), outside)
    sizes = [2 if char in _EXTENDED else 1 for char in text]
    return SmsLength(GSM, sum(sizes), _segments(sizes, GSM))


def _segments(sizes: list[int], alphabet: str) -> int:
    """How many messages it takes. No character is torn apart between two of them."""
    alone, part = _ROOM[alphabet]
    if sum(sizes) <= alone:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return segments
