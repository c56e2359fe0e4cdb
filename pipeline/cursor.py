"""How far an open page has heard of what happens.

The page keeps it sealed and hands it back with its next question: the numbers of events would tell how much happens
that is none of its reader's business.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct, error
from typing import Any, Final, Self

from django.db.models import Count, F, Func, Max, Q, Subquery

from leadcrm.lib.sealed import seal, unseal
from pipeline.models import Event

# Events are numbered when they are written and seen when they are committed: for so long one may still come before
# another that was seen already.
SETTLED: Final = timedelta(seconds=20)
# A page that asked for nothing for so long reads everything again.
FORGOTTEN: Final = timedelta(minutes=10)
# So many events before a page was read may have been under way then.
_UNDER_WAY: Final = 20
_NUMBERS: Final = Struct(">5q")


@dataclass(frozen=True, slots=True)
class Cursor:
    """``newest``: the latest event of which the page has heard. ``since``: the event after which some may not have been
    seen yet; of those up to the newest it has heard of so many (``known``). ``settling`` takes its place once it is
    old enough: it was the newest ``at`` this moment, in seconds since 1970.
    """

    newest: int
    since: int
    known: int
    settling: int
    at: int

    @classmethod
    def starting(cls, newest: int, known: int, now: datetime) -> Self:
        """Where a page begins that was read after these (:data:`LATEST`)."""
        return cls(newest, newest - _UNDER_WAY, known, newest, int(now.timestamp()))

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What a page hands back; None for what is none, and for one that is too old."""
        content = unseal(text, FORGOTTEN)
        try:
            return cls(*_NUMBERS.unpack(content)) if content else None
        except error:
            return None

    def __str__(self) -> str:
        return seal(_NUMBERS.pack(self.newest, self.since, self.known, self.settling, self.at))


# To be read with something that is read anyway: the latest event, and how many of those shortly before it are seen.
_NEWEST: Final = Event.objects.order_by("-pk").values("pk")[:1]
_RECENT: Final = Event.objects.filter(pk__gt=Subquery(_NEWEST) - _UNDER_WAY).order_by()
LATEST: Final[dict[str, Any]] = {
    "newest": Subquery(_NEWEST),
    "known": Subquery(_RECENT.annotate(all=Func(F("pk"), function="COUNT")).values("all")),
}


def latest(now: datetime) -> Cursor:
    """Where a page begins that is read from here on."""
    recent = list(Event.objects.order_by("-pk").values_list("pk", flat=True)[:_UNDER_WAY])
    newest = recent[0] if recent else 0
    return Cursor.starting(newest, sum(pk > newest - _UNDER_WAY for pk in recent), now)


def look(cursor: Cursor, now: datetime) -> tuple[Cursor, int | None]:
    """Where the page is now, and the event after which all others are news to it, if there are any. One query."""
    found = Event.objects.filter(pk__gt=cursor.since).aggregate(
        newest=Max("pk"),
        all=Count("pk"),
        heard=Count("pk", filter=Q(pk__lte=cursor.newest)),
        unsettled=Count("pk", filter=Q(pk__gt=cursor.settling)),
    )
    newest, late = max(cursor.newest, found["newest"] or 0), found["heard"] != cursor.known
    if now - datetime.fromtimestamp(cursor.at, now.tzinfo) < SETTLED:
        moved = Cursor(newest, cursor.since, found["all"], cursor.settling, cursor.at)
    else:
        moved = Cursor(newest, cursor.settling, found["unsettled"], newest, int(now.timestamp()))
    news = cursor.since if late else cursor.newest
    return moved, news if late or newest > cursor.newest else None
