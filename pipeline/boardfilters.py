"""What a board or table is narrowed to, as its address says it. What makes no sense is ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from leadcrm.lib.text import clean, match_key
from pipeline.boardorder import NOT_RESTING
from pipeline.models import Lead
from pipeline.signals import condition_from, territory_asked

LONGEST_TEXT: Final = 100
LARGEST_NUMBER: Final = 2**31 - 1
# How old a lead is: what people choose, its words, the days, and whether it is at least so old.
AGES: Final = {
    "1": ("Came in within a day", 1, False),
    "7": ("Came in within 7 days", 7, False),
    "30": ("Came in within 30 days", 30, False),
    "over7": ("Older than 7 days", 7, True),
    "over30": ("Older than 30 days", 30, True),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Blank ones narrow nothing. ``score``: at least so much."""

    owner: int = 0
    team: int = 0
    source: int = 0
    territory: int = 0
    score: int = 0
    age: str = ""
    overdue: bool = False
    unassigned: bool = False
    q: str = ""

    @property
    def query(self) -> dict[str, str]:
        """As the address says it: only what narrows."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: "1" if value is True else str(value) for name, value in values if value}

    @property
    def names_owner(self) -> bool:
        """Whether it says whose leads are meant."""
        return bool(self.owner or self.unassigned)

    def without(self, name: str) -> "Filters":
        """All but one of them."""
        return replace(self, **{name: getattr(Filters(), name)})

    def narrow(self, leads: QuerySet[Lead], now: datetime) -> QuerySet[Lead]:
        """Those of the leads that are asked for."""
        asked = self.query
        for name in asked:
            leads = leads.filter(_CONDITIONS[name](getattr(self, name), now))
        return leads


def read_filters(asked: Mapping[str, Any]) -> Filters:
    """The filters that an address or a form carries."""
    numbers = {name: _number(asked.get(name, "")) for name in ("owner", "team", "source", "territory", "score")}
    return Filters(
        **numbers,
        age=asked["age"] if asked.get("age") in AGES else "",
        overdue=asked.get("overdue") == "1",
        unassigned=asked.get("unassigned") == "1",
        q=clean(str(asked.get("q", "")))[:LONGEST_TEXT],
    )


def _number(text: Any) -> int:
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0


def _aged(key: str, now: datetime) -> Q:
    _, days, older = AGES[key]
    since = now - timedelta(days=days)
    return Q(created_at__lt=since) if older else Q(created_at__gte=since)


def _fits(text: str, now: datetime) -> Q:
    """Every word stands somewhere in what is searched of a lead, with or without its accents."""
    found = Q()
    for word in text.lower().split():
        found &= Q(search_text__text__contains=word) | Q(search_text__text__contains=match_key(word) or word)
    return found


def _lies_in(territory: int, now: datetime) -> Q:
    return condition_from(territory_asked, territory_id=territory)


_CONDITIONS: Final[Mapping[str, Any]] = {
    "owner": lambda value, now: Q(owner=value),
    "team": lambda value, now: Q(team=value),
    "source": lambda value, now: Q(source=value),
    "territory": _lies_in,
    "score": lambda value, now: Q(score__gte=min(value, LARGEST_NUMBER)),
    "age": _aged,
    "overdue": lambda value, now: NOT_RESTING & Q(due_at__lt=now, closed_at=None),
    "unassigned": lambda value, now: Q(owner=None),
    "q": _fits,
}
