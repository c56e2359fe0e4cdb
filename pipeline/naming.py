"""Names of people and companies: taken apart, and compared."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from leadcrm.lib.text import clean, match_key

# Similar enough to be one company when a second sign, such as the country or the domain, agrees.
SAME_COMPANY = 0.9

_TITLES = frozenset(
    "dr prof professor mr mrs ms miss mx sir dame herr frau hr fr monsieur madame mme mlle m sr sra srta dott ing "
    "dipl mag signor signora drs ir rev shri smt".split()
)
# Small words that open a family name.
_PARTICLES = frozenset(
    "van von vom zu zur de del della der den des di da dos das du la le el al bin ibn ben bint ter ten af av st san "
    "santa mac o".split()
)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq"})
# What a company is by law, at the end of its name. Runs of single letters are joined first, so "S.p.A." is "spa".
_LEGAL = frozenset(
    """
    ab ad ag aktiengesellschaft aktiebolag aktieselskab aps as asa bhd bv bvba cc cia co companhia compania company corp
    corporation cv doo dd ead eeig eg ehf ek eood eu eurl ev gbr gesbr gesellschaft gmbh ggmbh gie hf holding holdings
    ihk inc incorporated is itd jsc kabushiki kaisha kda kdd kft kg kgaa kk ks lda limitada limited llc lllp llp lp ltd
    ltda mbh nl nv nyrt oao ob oe og ohg oo ood ooo ou oy oyj pao plc pllc pt pte pty public private proprietary pvt rt
    sa sab sabdecv sadecv sae sal sapa sarl sas sasu sc sca scarl scp scpa scs sdn se sec sgps sia sl sll slu snc soc
    sociedad sp sociedade societe societa spa spj spk spolka sprl spz zoo sro srl srls stiftung tbk tls uab ug ulc
    unlimited unltd verein vof wll yk zao zrt 株式会社 有限会社 有限公司 ооо оао зао пао ао тов прат
    """.split()
)
# What some countries write before the name.
_LEGAL_FIRST = frozenset(
    "ab ao as oao ooo pao zao oy pt the uab sia sc firma ооо оао зао пао ао тов 株式会社 有限会社".split()
)
_AND_WORDS = frozenset({"and", "und", "et", "och"})
_DIGITS = re.compile(r"\d+")


class PersonName(NamedTuple):
    first: str
    last: str


def split_name(full: str) -> PersonName:
    """First and last name of ``Dr. Anna van der Berg``, ``Berg, Anna`` or ``Anna``; a single word is a first name.

    Titles are left out; suffixes such as Jr. stay with the last name. Names in scripts without spaces stay whole.
    """
    last, comma, first = clean(full).partition(",")
    if comma and match_key(first) in _SUFFIXES:
        last, first = f"{last} {first.strip()}", ""
    elif comma and first.strip():
        return PersonName(" ".join(_without_titles(first.split())), " ".join(_without_titles(last.split())))
    words = _without_titles(f"{first} {last}".split())
    cut = _where_last_name_starts(words)
    return PersonName(" ".join(words[:cut]), " ".join(words[cut:]))


@lru_cache(maxsize=16384)
def name_key(full: str) -> str:
    """The form in which names of people are compared: order, titles, case, accents and punctuation do not count."""
    return " ".join(sorted(_without_titles(match_key(full).split())))


def _without_and(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in _AND_WORDS]


@lru_cache(maxsize=65536)
def company_key(name: str) -> str:
    """The form in which companies are compared: ``The ACME Corp., Inc.`` and ``Acme`` are one.

    Legal forms at either end, "and", case, accents and punctuation do not count. A name made of nothing else keeps
    one word.
    """
    spelled = match_key(name.replace("&", " and ").replace("+", " and "))
    # Once more, because letters may become such a word: E.T.
    words = _without_and(_joined_letters(_without_and(spelled.split())))
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    while len(words) > 1 and words[0] in _LEGAL_FIRST:
        words.pop(0)
    return " ".join(words)


def company_similarity(left: str, right: str) -> float:
    """How alike two company names are, from 0.0 to 1.0 (normalised edit distance on their keys, in either word order).

    Blank is like nothing. Names with different numbers are at most 0.5 alike: Studio 54 is not Studio 55.
    """
    one, other = company_key(left), company_key(right)
    if not one or not other:
        return 0.0
    score = max(fuzz.ratio(one.replace(" ", ""), other.replace(" ", "")), fuzz.token_sort_ratio(one, other)) / 100
    return score if _DIGITS.findall(one) == _DIGITS.findall(other) else min(score, 0.5)


def _without_titles(words: list[str]) -> list[str]:
    """The words after the titles; the last word is never a title, so that somebody called Mag keeps a name."""
    start = 0
    while start < len(words) - 1 and match_key(words[start]) in _TITLES:
        start += 1
    return words[start:]


def _where_last_name_starts(words: list[str]) -> int:
    """The index of the first word of the last name; it takes its particles and suffix along, never the first word."""
    start = len(words) - 1
    while start > 1 and match_key(words[start]) in _SUFFIXES:
        start -= 1
    while start > 1 and match_key(words[start - 1]) in _PARTICLES:
        start -= 1
    return max(start, 1)


def _joined_letters(words: list[str]) -> list[str]:
    """``a b volvo`` becomes ``ab volvo``: initials are one word however they were dotted."""
    joined: list[str] = []
    in_run = False
    for word in words:
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and in_run:
            joined[-1] += word
        else:
            joined.append(word)
        in_run = is_letter
    return joined
