"""Reps and pool members as the engine sees them: plain values, read once per decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

EQUAL_TOTALS: Final = "equal_totals"
CAP_PERIODS: Final = ("hour", "day", "week", "month")


# A rolling period reaches back so many minutes.
ROLLING_MINUTES: Final = {"hour": 60, "day": 24 * 60, "week": 7 * 24 * 60, "month": 30 * 24 * 60}


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` new leads per period; ``used`` so far.

    ``rolling``: the period is the time just past, and does not begin at midnight or on Monday. ``until``: when there is
    room again once it is used up; None when that is not known.
    """

    period: str
    limit: int
    used: int
    rolling: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave that holds now. ``until``: back from then on; ``cover``: the rep who stands in."""

    until: datetime
    reason: str = ""
    cover: int | None = None


@dataclass(frozen=True, slots=True)
class Rep:
    """A person who can own leads, as of now. ``active`` is false as well when the login is switched off.

    ``off_hours``: outside working hours, which begin at ``opens_at`` (None: not within a year). Who has no working
    hours is never outside them.
    """

    id: int
    user_id: int
    name: str
    team_id: int | None = None
    active: bool = True
    away: bool = False
    away_reason: str = ""
    away_until: datetime | None = None
    leave: Leave | None = None
    off_hours: bool = False
    opens_at: datetime | None = None
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    territories: frozenset[int] = frozenset()
    capacity: int | None = None
    open_leads: int = 0
    caps: tuple[Cap, ...] = ()
    last_assigned_at: datetime | None = None
    time_zone: str = "UTC"


@dataclass(slots=True)
class Member:
    """A rep's place in a pool. ``credit`` in billionths of a lead; ``total``: leads in the pool's period, counted only
    where the method is :data:`EQUAL_TOTALS`.

    Never changed; not frozen, because a batch makes one for every member and lead, and that would take twice as long.
    """

    id: int
    rep: Rep
    weight: int = 1
    tier: int = 1
    credit: int = 0
    paused: bool = False
    max_open: int | None = None
    open_leads: int = 0
    total: int = 0
    last_assigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relax:
    """A demand that a pool drops, the code of a soft filter, for leads that have waited for it so many minutes."""

    demand: str
    after: int = 0

    @property
    def wait(self) -> timedelta:
        return timedelta(minutes=self.after)


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool with its members, in the order of their ids.

    ``relax``: what it drops when nobody meets all demands, in this order. ``line``: leads wait for it whose turn has
    come; they go before one that comes in now.
    """

    id: int
    name: str
    method: str
    members: tuple[Member, ...] = ()
    team_id: int | None = None
    relax: tuple[Relax, ...] = ()
    offer_minutes: int = 15
    archived: bool = False
    line: bool = False
