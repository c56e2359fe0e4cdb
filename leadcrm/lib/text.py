"""Text from outside: made safe to store, to compare and to export."""

import re
import unicodedata
from functools import lru_cache

# What cannot be seen but breaks comparisons or reverses what is shown: soft hyphen, zero-width space, direction marks,
# embeddings, overrides and isolates, word joiner, byte order mark. Joiners stay: emoji, Persian and Hindi need them.
_INVISIBLE = {0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF}
# Surrogates cannot be written as UTF-8, so no database takes them.
_UNSTORABLE = {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {ord(char) for char in "\t\n\v\f\r\x85"}
_REMOVED = re.compile("[" + "".join(f"\\U{code:08x}" for code in sorted(_INVISIBLE | _UNSTORABLE)) + "]")
# What is refused and not only removed: whoever sent it meant something else. A text with NUL is no text for PostgreSQL.
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_NO_LETTERS = re.compile(r"[\W_]+")
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_BREAKING_SPACES = re.compile(r"[^\S\u00a0\u202f]+")

# Letters that Unicode does not take apart into a base letter and an accent.
_STROKED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# What makes a spreadsheet take a cell for a formula, in ASCII and in full width.
_FORMULA_START = frozenset("=+-@\t\r\n＝＋－＠")
# E.164. A plus and digits alone are a number for a spreadsheet, which runs nothing; with 15 digits it keeps them all.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_QUOTE = 40


class Unreadable(ValueError):
    """A value from outside that cannot be used. Its text says, for people, what was wrong and what would be right."""


def unstorable(text: str) -> str:
    """What stands in a text and cannot be stored by any database, in words; empty when there is nothing."""
    found = _NO_TEXT.search(text)
    if found is None:
        return ""
    name = "NUL" if found[0] == "\0" else f"half of a surrogate pair (U+{ord(found[0]):X})"
    return f"Contains a character that cannot be stored: {name}."


def clean(text: str, *, no_break: bool = False) -> str:
    """One line of text, fit to store and to show: no control or invisible characters, NFC, single spaces.

    Args:
        no_break: spaces at which no line breaks stay such, as in texts of our own.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown = unicodedata.normalize("NFC", _REMOVED.sub("", text))
    return _BREAKING_SPACES.sub(" ", shown).strip(" ") if no_break else " ".join(shown.split())


def clean_lines(text: str, *, no_break: bool = False) -> str:
    """Like ``clean`` for text of several lines, such as a message: breaks stay, never two empty lines in a row."""
    lines = "\n".join(clean(line, no_break=no_break) for line in _LINE_BREAK.split(text))
    return re.sub("\n{3,}", "\n\n", lines).strip()


@lru_cache(maxsize=16384)
def match_key(text: str) -> str:
    """The form in which names are looked up and compared: no case, accents, punctuation or surplus spaces.

    Stricter than how rules compare texts, where punctuation counts.
    """
    return " ".join(_NO_LETTERS.sub(" ", _bare(clean(text)).replace("'", "")).split())


def _bare(text: str) -> str:
    """Letters without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_STROKED)


def csv_safe(value: object) -> str:
    """A value as a CSV cell that no spreadsheet runs as a formula.

    Text that starts like a formula gets a leading apostrophe (OWASP, CSV injection). Numbers keep their sign, and what
    is a whole phone number in E.164 its plus: an apostrophe would make it another value for whoever reads the file.
    """
    if value is None:
        return ""
    text = str(value)
    guarded = isinstance(value, str) and _starts_like_formula(text) and not _PHONE.fullmatch(text)
    return f"'{text}" if guarded else text


def _starts_like_formula(text: str) -> bool:
    return text.lstrip(" ")[:1] in _FORMULA_START and text.strip(" ") != ""


def without_csv_guard(cell: str) -> str:
    """Undoes ``csv_safe``, so that what was exported can be imported again; also where others guard phone numbers."""
    return cell[1:] if cell.startswith("'") and _starts_like_formula(cell[1:]) else cell


def quoted(text: str) -> str:
    """Text as an error message repeats it: on one line, in quotes, cut when long."""
    line = clean(text)
    return f'"{line[:_LONGEST_QUOTE]}…"' if len(line) > _LONGEST_QUOTE else f'"{line}"'
