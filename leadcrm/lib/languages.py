"""Languages by code or name, in their own words or in ours. The facts stand in ``tables/``."""

import re
from collections.abc import Mapping
from functools import cache

from leadcrm.lib.places import read_table
from leadcrm.lib.text import Unreadable, clean, match_key, quoted

# de-AT, de_AT.UTF-8, zh-Hans-CN: what follows the language does not count.
_TAG = re.compile(r"([a-z]{2,3})([-_][a-z0-9]{1,8})+(\.[a-z0-9-]+)?", re.IGNORECASE)
# "de-AT;q=0.9, en;q=0.8": of a browser's list the first is wanted most.
_LIST = re.compile(r"[,;].*")


@cache
def languages() -> Mapping[str, str]:
    """The English name of every language of ISO 639-1 by its code."""
    return {row["code"]: row["name"] for row in read_table("languages")}


def language_code(raw: str) -> str:
    """The ISO 639-1 code for ``deu``, ``de-AT``, ``German``, ``Deutsch`` or a browser's list; blank stays blank.

    Raises:
        Unreadable: when it is no language we know.
    """
    text = _LIST.sub("", clean(raw)).strip()
    if not text:
        return ""
    tag = _TAG.fullmatch(text)
    code = _keys().get((tag[1] if tag else match_key(text)).lower())
    if code is None:
        raise Unreadable(f"{quoted(raw)} is not a language. Use a name or an ISO 639-1 code such as de.")
    return code


@cache
def _keys() -> Mapping[str, str]:
    rows = list(read_table("languages"))
    names = {match_key(name): row["code"] for row in rows for name in (row["name"], *row["aliases"].split("|"))}
    codes = {code: row["code"] for row in rows for code in (*row["alpha_3"].split("|"), row["code"])}
    return names | codes
