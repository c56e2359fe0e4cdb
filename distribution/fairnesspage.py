"""The fairness of a rep: what each of a rep's pools gave and owes, in words and figures ready to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Prefetch
from django.utils.timezone import localtime

from distribution.engine.ledger import UNIT
from distribution.engine.methods import METHODS
from distribution.fairness import MINE, OTHER, Record, Turn, read_record
from distribution.fairnesswords import OF_THEM, TO_YOU, Voice, owed_words, story, turn_words
from distribution.models import PoolMember, Rep, RepCounter
from distribution.periods import period_starts
from distribution.plotting import Plot, plot
from distribution.shares import expected_shares, in_percent
from pipeline.selectors import visible_leads

DAYS: Final = (7, 30, 90)
USUAL: Final = 30
MOST_TURNS: Final = 20


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One pool of a rep: the share by weight when all are there, and what it owes, in words."""

    id: int
    name: str
    method: str
    weight: int
    share: str
    owed: str
    paused: bool


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day: leads that the rep could take and got, the fair share of them, and what was owed at its end."""

    day: date
    could: int
    got: int
    fair: str
    owed: str
    skipped: int


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One lead of the pool. ``mine``: the rep got it; ``lead``: its uid, as far as the rep still has it and
    the reader may see it."""

    at: datetime
    words: str
    mine: bool
    lead: UUID | None


@dataclass(frozen=True, slots=True)
class PoolPage:
    """A pool in full. ``ledger``: the pool counts turns."""

    line: PoolLine
    ledger: bool
    help: str
    words: list[str]
    skips: list[tuple[str, int]]
    shares: Plot | None
    owed: Plot | None
    days: list[DayLine]
    turns: list[TurnLine]


@dataclass(frozen=True, slots=True)
class FairnessPage:
    """``own``: the reader's, else ``name`` says whose. ``counts``: new leads by period of the rep's own calendar.
    ``pool``: the one that is looked at."""

    own: bool
    name: str
    voice: Voice
    days: int
    counts: list[tuple[str, int]]
    pools: list[PoolLine]
    pool: PoolPage | None


@dataclass(frozen=True, slots=True)
class About:
    """Who reads, and how the page speaks to them of the rep."""

    reader: User
    voice: Voice


def pool_lines(rep: Rep) -> list[PoolLine]:
    """The reader's own pools, in order of their names; two queries."""
    return [_pool_line(member, TO_YOU) for member in _memberships(rep)]


def build_fairness(rep: Rep, reader: User, pool_id: int, days: int, now: datetime) -> FairnessPage:
    """What there is to say about all pools of a rep, and in full about one of them.

    Args:
        reader: the rep, or somebody who looks after them.
        pool_id: the pool to look at; the first one when the rep is not in it.
        days: how far to look back, one of ``DAYS``; anything else is ``USUAL``.
    """
    members = _memberships(rep)
    days = days if days in DAYS else USUAL
    chosen = next((member for member in members if member.pool_id == pool_id), members[0] if members else None)
    own = rep.user_id == reader.pk
    about = About(reader, TO_YOU if own else OF_THEM)
    return FairnessPage(
        own=own,
        name=rep.name,
        voice=about.voice,
        days=days,
        counts=_counts(rep, now),
        pools=[_pool_line(member, about.voice) for member in members],
        pool=_pool_page(chosen, about, days, now) if chosen else None,
    )


def _memberships(rep: Rep) -> list[PoolMember]:
    """Where a rep gets leads from, with all who share them."""
    everyone = Prefetch("pool__members", PoolMember.objects.select_related("rep").order_by("pk"))
    mine = rep.memberships.filter(retired_at=None, pool__archived_at=None).select_related("pool", "rep")
    return list(mine.order_by("pool__name").prefetch_related(everyone))


def _counts(rep: Rep, now: datetime) -> list[tuple[str, int]]:
    starts = period_starts(now, rep.time_zone)
    found = {
        (row.period, row.starts_at): row.count
        for row in RepCounter.objects.filter(rep=rep, starts_at__in=starts.values())
    }
    words = {"day": "today", "week": "this week", "month": "this month"}
    return [(words[period], found.get((period, starts[period]), 0)) for period in words]


def _share_of(member: PoolMember) -> Fraction | None:
    return expected_shares(member.pool.method, member.pool.members.all()).get(member.pk)  # type: ignore[arg-type]


def _pool_line(member: PoolMember, voice: Voice) -> PoolLine:
    pool, share = member.pool, _share_of(member)
    return PoolLine(
        id=pool.pk,
        name=pool.name,
        method=METHODS[pool.method].label,
        weight=member.weight,
        share=in_percent(share) if share is not None else "",
        owed=owed_words(member.credit, voice) if METHODS[pool.method].posts else "",
        paused=member.paused,
    )


# --- One pool ------------------------------------------------------------------------------------


def _pool_page(member: PoolMember, about: About, days: int, now: datetime) -> PoolPage:
    record = read_record(member, now - timedelta(days=days))
    method = METHODS[member.pool.method]
    line = _pool_line(member, about.voice)
    return PoolPage(
        line=line,
        ledger=method.posts,
        help=method.help,
        words=list(story(record, method.label.lower(), days, about.voice, ledger=method.posts)),
        skips=record.skips(),
        shares=_share_plot(record, now) if method.posts and record.turns else None,
        owed=_owed_plot(record, now) if method.posts and record.turns else None,
        days=_days(record),
        turns=_turn_lines(record.turns[: -MOST_TURNS - 1 : -1], about),
    )


def _share_plot(record: Record, now: datetime) -> Plot:
    got = [(moment.at, float(moment.got)) for moment in record.moments]
    fair = [(moment.at, moment.fair / UNIT) for moment in record.moments]
    return plot({"fair": fair, "got": got}, now)


def _owed_plot(record: Record, now: datetime) -> Plot:
    owed = [(moment.at, moment.credit / UNIT) for moment in record.moments]
    marks = [(moment.at, moment.credit / UNIT, moment.corrected) for moment in record.moments if moment.corrected]
    return plot({"owed": owed}, now, low=-1.2, high=1.2, band=1, marks=marks)


def _days(record: Record) -> list[DayLine]:
    """The figures behind the plots, by day in the reader's zone, the newest first."""
    ends = {localtime(moment.at).date(): moment for moment in record.moments}
    by_day: dict[date, list[Turn]] = {}
    for moment in record.moments:
        if moment.corrected:
            by_day.setdefault(localtime(moment.at).date(), [])
    for turn in record.turns:
        by_day.setdefault(localtime(turn.at).date(), []).append(turn)
    owed = record.began
    lines = []
    for day, turns in sorted(by_day.items()):
        owed = ends[day].credit if day in ends else owed
        lines.append(_day_line(day, turns, owed))
    return lines[::-1]


def _day_line(day: date, turns: Sequence[Turn], owed: int) -> DayLine:
    could = [turn for turn in turns if turn.outcome in (MINE, OTHER)]
    return DayLine(
        day=day,
        could=len(could),
        got=sum(turn.outcome == MINE for turn in turns),
        fair=f"{sum(turn.share for turn in could) / UNIT:.2f}",
        owed=f"{owed / UNIT:+.2f}",
        skipped=len(turns) - len(could),
    )


def _turn_lines(turns: Sequence[Turn], about: About) -> list[TurnLine]:
    """Leads are named as far as the reader may see them."""
    uids = [turn.lead for turn in turns if turn.lead]
    names = {lead.uid: str(lead) for lead in visible_leads(about.reader).filter(uid__in=uids)} if uids else {}
    return [
        TurnLine(
            at=turn.at,
            words=turn_words(turn, names.get(turn.lead, "") if turn.lead else "", about.voice),
            mine=turn.mine,
            lead=turn.lead if turn.lead in names else None,
        )
        for turn in turns
    ]
