"""My fairness: what each of a rep's pools gave and owes, in words and figures ready to show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from django.db.models import Prefetch
from django.utils.timezone import localtime

from distribution.engine.ledger import UNIT
from distribution.engine.methods import METHODS
from distribution.fairness import MINE, OTHER, Record, Turn, read_record
from distribution.models import PoolMember, Rep, RepCounter
from distribution.periods import period_starts
from distribution.plotting import Plot, plot
from distribution.shares import expected_shares, in_percent
from pipeline.models import Lead

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
    """One lead of the pool. ``mine``: the rep got it; ``lead``: its uid, as far as the rep still has it."""

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
    """``counts``: new leads by period of the rep's own calendar. ``pool``: the one that is looked at."""

    days: int
    counts: list[tuple[str, int]]
    pools: list[PoolLine]
    pool: PoolPage | None


def pool_lines(rep: Rep) -> list[PoolLine]:
    """The pools of a rep, in order of their names; two queries."""
    return [_pool_line(member) for member in _memberships(rep)]


def build_fairness(rep: Rep, pool_id: int, days: int, now: datetime) -> FairnessPage:
    """What there is to say about all pools of a rep, and in full about one of them.

    Args:
        pool_id: the pool to look at; the first one when the rep is not in it.
        days: how far to look back, one of ``DAYS``; anything else is ``USUAL``.
    """
    members = _memberships(rep)
    days = days if days in DAYS else USUAL
    chosen = next((member for member in members if member.pool_id == pool_id), members[0] if members else None)
    return FairnessPage(
        days=days,
        counts=_counts(rep, now),
        pools=[_pool_line(member) for member in members],
        pool=_pool_page(chosen, days, now) if chosen else None,
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


def _pool_line(member: PoolMember) -> PoolLine:
    pool, share = member.pool, _share_of(member)
    return PoolLine(
        id=pool.pk,
        name=pool.name,
        method=METHODS[pool.method].label,
        weight=member.weight,
        share=in_percent(share) if share is not None else "",
        owed=owed_words(member.credit) if METHODS[pool.method].posts else "",
        paused=member.paused,
    )


def owed_words(credit: int) -> str:
    """What a credit, in billionths of a lead, means to the rep."""
    tenths = _tenths(credit)
    if not tenths:
        return "you are even"
    return f"owes you {_leads(tenths)}" if tenths > 0 else f"you are {_leads(-tenths)} ahead"


def _tenths(units: int) -> int:
    """Billionths of a lead in tenths."""
    return round(Fraction(10 * units, UNIT))


def _leads(tenths: int) -> str:
    return f"{tenths / 10:.1f} of a lead" if tenths < 10 else f"{tenths / 10:.1f} leads"


# --- One pool ------------------------------------------------------------------------------------


def _pool_page(member: PoolMember, days: int, now: datetime) -> PoolPage:
    record = read_record(member, now - timedelta(days=days))
    method = METHODS[member.pool.method]
    line = _pool_line(member)
    return PoolPage(
        line=line,
        ledger=method.posts,
        help=method.help,
        words=list(_words(record, line, days, ledger=method.posts)),
        skips=record.skips(),
        shares=_share_plot(record, now) if method.posts and record.turns else None,
        owed=_owed_plot(record, now) if method.posts and record.turns else None,
        days=_days(record),
        turns=_turn_lines(record.turns[: -MOST_TURNS - 1 : -1]),
    )


def _words(record: Record, line: PoolLine, days: int, *, ledger: bool) -> Iterable[str]:
    """The story in a few sentences, the least surprising first."""
    total, could = len(record.turns), record.could
    if not total:
        yield f"No lead came to this pool in the last {days} days."
        return
    if record.full:
        yield f"Of the latest {total:,} leads of this pool you could take {could:,}."
    else:
        yield f"In the last {days} days {_count(total, 'lead')} came to this pool, and you could take {could:,}."
    if ledger:
        yield f"Your share of those, by weight, was {_tenths(record.fair) / 10:.1f} leads. You got {record.got:,}."
        yield from _standing(record)
    elif could:
        yield f"You got {record.got:,} of them. This pool counts no turns: {line.method.lower()} decides each time."
    if skipped := total - could:
        yield (
            f"{_count(skipped, 'lead')} went by while you could not take {'it' if skipped == 1 else 'them'}. "
            "That cost you nothing: your place in line stayed as it was."
        )
    if record.returned:
        yield f"{_count(record.returned, 'lead')} that you returned as invalid gave the turn back."
    if record.by_hand:
        yield f"{_count(record.by_hand, 'turn')} changed hands because a manager passed a lead on."


def _standing(record: Record) -> Iterable[str]:
    """How the standing came about, and how far it ever was from fair. The tenths that are told add up."""
    now, corrected = _tenths(record.moments[-1].credit), _tenths(record.corrected)
    began = now - corrected - _tenths(record.fair) + 10 * record.got
    yield f"When this time began {_stood(began)}." + (f" {_by_correction(corrected)}" if corrected else "")
    yield f"So {_stands(now)} now. You were never more than {_leads(_tenths(record.farthest))} away from your share."


def _stands(tenths: int) -> str:
    words = owed_words(tenths * UNIT // 10)
    return f"the pool {words}" if words.startswith("owes") else words


def _stood(tenths: int) -> str:
    return _stands(tenths).replace("owes", "owed").replace("you are", "you were")


def _by_correction(tenths: int) -> str:
    way = "for you" if tenths > 0 else "against you"
    return f"Turns that were given back or changed hands count {_leads(abs(tenths))} {way}."


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"


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


def _turn_lines(turns: Sequence[Turn]) -> list[TurnLine]:
    leads = Lead.objects.filter(uid__in=[turn.lead for turn in turns if turn.lead])
    names = {lead.uid: str(lead) for lead in leads}
    return [_turn_line(turn, names) for turn in turns]


def _turn_line(turn: Turn, names: Mapping[UUID, str]) -> TurnLine:
    if turn.outcome == MINE:
        return TurnLine(turn.at, f"You got {names[turn.lead] if turn.lead else 'it'}", True, turn.lead)
    if turn.outcome == OTHER:
        more = " before you" if turn.winner else ""
        return TurnLine(turn.at, f"{turn.winner or 'Offered to all'}{more}", False, None)
    return TurnLine(turn.at, f"Skipped: {turn.why}", False, None)
