"""What a pool gave a member and what it owes, from the decisions that are kept: for the page on which reps see it.

Nothing is decided again. The credit after each decision is what its trace says; the lines of corrections lie between.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from distribution.engine import outcomes
from distribution.engine.eligibility import FILTERS
from distribution.engine.ledger import UNIT
from distribution.models import CreditCorrection, Decision, PoolMember

# Decisions that are looked at; more say no more, and cost more.
MOST: Final = 300
MINE: Final = "mine"
OTHER: Final = "other"
SKIPPED: Final = "skipped"


@dataclass(frozen=True, slots=True)
class Turn:
    """One lead of the pool as one member saw it.

    Attributes:
        outcome: ``MINE``, ``OTHER`` (could take it, somebody else got it) or ``SKIPPED``.
        why: why it was skipped, in a phrase; ``code``: the filter's.
        share, change: of the credit, in billionths of a lead.
        lead: its uid, as far as the member has the lead.
    """

    at: datetime
    outcome: str
    code: str
    why: str
    share: int
    change: int
    winner: str
    lead: UUID | None

    @property
    def mine(self) -> bool:
        return self.outcome == MINE


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a member stood after something: leads ``got`` by turns and the ``fair`` share so far, both since the
    beginning, and the ``credit``; the last two in billionths of a lead. ``corrected``: what was corrected, as opposed
    to a turn."""

    at: datetime
    got: int
    fair: int
    credit: int
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What happened to a member of a pool over a while.

    ``moments`` begins with where the member stood before; ``full`` says that there were more decisions than are looked
    at; ``returned`` and ``by_hand``: turns given back, and turns that changed hands by hand.
    """

    turns: Sequence[Turn]
    moments: Sequence[Moment]
    full: bool
    returned: int
    by_hand: int

    @property
    def could(self) -> int:
        return sum(turn.outcome != SKIPPED for turn in self.turns)

    @property
    def got(self) -> int:
        return sum(turn.outcome == MINE for turn in self.turns)

    @property
    def fair(self) -> int:
        """The sum of the shares, in billionths of a lead."""
        return sum(turn.share for turn in self.turns)

    @property
    def began(self) -> int:
        """What was owed at the beginning, in billionths of a lead."""
        return self.moments[0].credit

    @property
    def corrected(self) -> int:
        """What corrections changed, in billionths of a lead."""
        return self.moments[-1].credit - self.began - self.fair + self.got * UNIT

    @property
    def farthest(self) -> int:
        """The most that the member was ever owed, or ahead, in billionths of a lead."""
        return max((abs(moment.credit) for moment in self.moments), default=0)

    def skips(self) -> list[tuple[str, int]]:
        """Why leads were skipped, by reason, the most frequent first."""
        counted = Counter(turn.code for turn in self.turns if turn.outcome == SKIPPED)
        return [(FILTERS[code].label if code in FILTERS else code, count) for code, count in counted.most_common()]


def read_record(member: PoolMember, since: datetime) -> Record:
    """What happened to a member, read with its rep, since a moment; two queries."""
    placed = Decision.objects.filter(
        pool=member.pool_id, outcome__in=(outcomes.ASSIGNED, outcomes.OFFERED), at__gte=since, trace__isnull=False
    )
    columns = ("at", "winner_id", "winner__name", "lead__uid", "lead__owner_id", "trace__data")
    rows = list(placed.order_by("-pk").values_list(*columns)[: MOST + 1])
    turns = [turn for row in reversed(rows[:MOST]) if (turn := _turn(member, *row))]
    begin = turns[0].at if len(rows) > MOST and turns else since
    corrections = list(member.corrections.filter(at__gte=begin).select_related("decision").order_by("at", "pk"))
    return Record(
        turns=turns,
        moments=_moments(member, turns, corrections, begin),
        full=len(rows) > MOST,
        returned=sum(row.kind == CreditCorrection.Kind.REFUND and _was_mine(row, member) for row in corrections),
        by_hand=sum(row.kind == CreditCorrection.Kind.MANUAL for row in corrections),
    )


def _turn(
    member: PoolMember,
    at: datetime,
    winner_id: int | None,
    winner: str | None,
    uid: UUID,
    owner_id: int | None,
    trace: Mapping[str, Any],
) -> Turn | None:
    """A decision as a member saw it; None when the member was not asked, such as before joining."""
    rows = trace["attempts"][-1]["candidates"] if trace["attempts"] else ()
    row = next((row for row in rows if row["member"] == member.pk), None)
    if row is None:
        return None
    mine = row["eligible"] and winner_id == member.rep_id
    return Turn(
        at=at,
        outcome=MINE if mine else OTHER if row["eligible"] else SKIPPED,
        code=row.get("code", ""),
        why=row["why"] if not row["eligible"] else "",
        share=row.get("share", 0),
        change=row["after"] - row["before"] if "after" in row else 0,
        winner=winner or "",
        lead=uid if mine and owner_id == member.rep.user_id else None,
    )


def _moments(
    member: PoolMember, turns: Iterable[Turn], corrections: Iterable[CreditCorrection], begin: datetime
) -> list[Moment]:
    """Where the member stood after each turn and correction. The end is known: it is the credit of now."""
    steps = [(turn.at, turn.outcome == MINE, turn.share, turn.change, "") for turn in turns if turn.outcome != SKIPPED]
    steps += [(row.at, False, 0, row.amount, str(row.get_kind_display())) for row in corrections]
    steps.sort(key=lambda step: step[0])
    got, fair, credit = 0, 0, member.credit - sum(change for _, _, _, change, _ in steps)
    moments = [Moment(begin, got, fair, credit)]
    for at, mine, share, change, corrected in steps:
        got, fair, credit = got + mine, fair + share, credit + change
        moments.append(Moment(at, got, fair, credit, corrected))
    return moments


def _was_mine(row: CreditCorrection, member: PoolMember) -> bool:
    return row.decision is not None and row.decision.winner_id == member.rep_id
