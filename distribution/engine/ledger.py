"""The opportunity ledger: what a pool owes each member, and whose turn it is.

For each lead every eligible member is credited its share of one lead, and the winner is debited one lead. Credits
are integers of a billionth of a lead, so that every posting sums to exactly zero.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

UNIT: Final = 10**9


class Turn(NamedTuple):
    """One candidate's standing: share and credits in billionths of a lead, ``before`` and with the share credited.

    ``ready``: owed enough to be served. ``deadline``: how many more leads may go to others before the credit would
    exceed its limit.
    """

    share: int
    before: int
    credited: int
    ready: bool
    deadline: int


def shares(weights: Sequence[int]) -> list[int]:
    """Split one lead by weight into integers that sum to exactly one lead, by largest remainder.

    All weights zero counts as equal. Ties of the remainder go to the earlier place.
    """
    total = sum(weights)
    if total == 0:
        return shares([1] * len(weights)) if weights else []
    result = [UNIT * weight // total for weight in weights]
    missing = UNIT - sum(result)
    if missing:
        remainders = [UNIT * weight % total for weight in weights]
        for i in sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)[:missing]:
            result[i] += 1
    return result


# A pool has the same weights for every lead.
_split: Final = lru_cache(maxsize=1024)(shares)


def turns(weights: Sequence[int], credits: Sequence[int]) -> list[Turn]:
    """How each candidate stands for the next lead.

    Tijdeman's rule (R. Tijdeman, The chairman assignment problem, Discrete Mathematics 32, 1980): among those whose
    credit, their share included, is at least 1/(2k-2), the one goes first whose credit would exceed 1 - 1/(2k-2) in
    the fewest further leads. For a constant set it keeps every credit within 1 - 1/(2k-2) of zero, whoever goes first
    among equal deadlines. Overdue counts as due now: only changing sets lead there, and then the most owed goes first.
    """
    split = _split(tuple(weights))
    sharing = len(split) - split.count(0)
    spread = max(2 * sharing - 2, 1)
    limit = UNIT * (spread - 1)
    result = []
    for share, before in zip(split, credits, strict=True):
        credited = before + share
        ready = share > 0 and (sharing == 1 or credited * spread >= UNIT)
        deadline = max(0, (limit - spread * credited) // (spread * share)) if ready else 0
        result.append(Turn(share, before, credited, ready, deadline))
    return result


def postings(stands: Sequence[Turn], winner: int) -> list[int]:
    """The change of each candidate's credit when the one at place ``winner`` gets the lead. Sums to zero."""
    return [turn.share - (UNIT if place == winner else 0) for place, turn in enumerate(stands)]
