"""Finds leads and accounts by name, company, e-mail or phone, as people type them.

First what contains the words, then, when that is little, what is spelled alike: by trigrams on PostgreSQL, among the
newest on SQLite.
"""

import re
from functools import reduce
from operator import add
from typing import Final, TypeVar

from django.contrib.auth.models import User
from django.contrib.postgres.lookups import TrigramWordSimilar
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet, TextField
from rapidfuzz import fuzz, process

from leadcrm.lib.text import clean, match_key
from pipeline.models import Account, Lead
from pipeline.selectors import visible_accounts, visible_leads

# By itself: as an app, django.contrib.postgres would ask each new connection for types that nothing here uses.
TextField.register_lookup(TrigramWordSimilar)

M = TypeVar("M", bound=Model)

SHORTEST: Final = 2
LONGEST: Final = 100
# How alike a word must be to one in the line, from 0 to 1: lets "Micheal" find Michael, which shares half its trigrams.
_ALIKE: Final = 0.45
# The same for SQLite's newest lines, from 0 to 100.
_ALIKE_PERCENT: Final = 75
_NEWEST: Final = 20_000
# So many of the newest that contain the words are put in order.
_RANKED: Final = 200
_PHONE: Final = re.compile(r"[\d\s+/().-]+")
_FEWEST_DIGITS: Final = 4


def search_leads(user: User, text: str, limit: int) -> list[Lead]:
    """The leads a user may read that fit what was typed, best first, at most `limit`."""
    leads = visible_leads(user).select_related("stage", "owner", "source")
    return _search(leads, text, limit)


def search_accounts(user: User, text: str, limit: int) -> list[Account]:
    """The accounts a user may read that fit what was typed, best first, at most `limit`."""
    return _search(visible_accounts(user).select_related("owner"), text, limit)


def _search(rows: QuerySet[M], text: str, limit: int) -> list[M]:
    text = clean(text)[:LONGEST]
    if digits := _digits(text):
        return list(rows.filter(search_text__text__contains=digits).order_by("-pk")[:limit])
    words = match_key(text).split()
    if len("".join(words)) < SHORTEST:
        return []
    found = _containing(rows, text.lower().split(), limit)
    if len(found) < limit:
        alike = _alike if connection.vendor == "postgresql" else _alike_among_newest
        known = {row.pk for row in found}
        found += [row for row in alike(rows, words, limit) if row.pk not in known]
    return found[:limit]


def _digits(text: str) -> str:
    """The digits of a phone number without what is written differently from place to place: +49 (0)30, 0049 30, 030."""
    if not _PHONE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= _FEWEST_DIGITS else ""


def _containing(rows: QuerySet[M], words: list[str], limit: int) -> list[M]:
    """Rows with all the words, or words that contain them: whole words first, then the newest."""
    every = (Q(search_text__text__contains=word) | Q(search_text__text__contains=match_key(word)) for word in words)
    newest = rows.filter(*every).order_by("-pk").values_list("pk", "search_text__text")[:_RANKED]
    wanted = set(match_key(" ".join(words)).split())
    best = sorted(newest, key=lambda found: -len(wanted.intersection(match_key(found[1]).split())))
    return _in_order(rows, [pk for pk, _ in best[:limit]])


def _alike(rows: QuerySet[M], words: list[str], limit: int) -> list[M]:
    every = (Q(search_text__text__trigram_word_similar=word) for word in words)
    ranks = (TrigramWordSimilarity(word, "search_text__text") for word in words)
    found = rows.filter(*every).order_by(reduce(add, ranks).desc(), "-pk")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(_ALIKE)])
        return list(found[:limit])


def _alike_among_newest(rows: QuerySet[M], words: list[str], limit: int) -> list[M]:
    newest = rows.order_by("-pk").values_list("pk", "search_text__text")[:_NEWEST]
    lines = {pk: match_key(line or "") for pk, line in newest}
    scores: dict[int, float] = dict.fromkeys(lines, 0)
    for word in words:  # in any order, each against what is left
        left = {pk: lines[pk] for pk in scores}
        found = process.extract(word, left, scorer=fuzz.partial_ratio, score_cutoff=_ALIKE_PERCENT, limit=None)
        scores = {pk: scores[pk] + score for _, score, pk in found}
    best = sorted(scores, key=lambda pk: (-scores[pk], -pk))
    return _in_order(rows, best[:limit])


def _in_order(rows: QuerySet[M], pks: list[int]) -> list[M]:
    found = rows.in_bulk(pks)
    return [found[pk] for pk in pks]
