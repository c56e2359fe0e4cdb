"""What each member of a pool may expect, and what is odd about a pool: for admin pages, from what is stored."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from distribution.engine import ledger
from distribution.engine.methods import METHODS
from distribution.models import Pool, PoolMember


def expected_shares(method: str, members: Sequence[PoolMember]) -> dict[int, Fraction]:
    """The share of the pool's leads each member gets in the long run, by member id, when all of them are there.

    Members who get none are left out, and so are all of them where the method promises no share: whoever claims or
    pulls gets the lead. With least loaded and equal totals, equal shares are what the method aims at.

    Args:
        members: with their reps.
    """
    if method in ("claim", "pull"):
        return {}
    sharing = [member for member in members if takes_leads(member)]
    if method == "priority_tiers" and sharing:
        first = min(member.tier for member in sharing)
        sharing = [member for member in sharing if member.tier == first]
    split = ledger.shares([_weight(method, member) for member in sharing])
    shares = zip(sharing, split, strict=True)
    return {member.pk: Fraction(share, ledger.UNIT) for member, share in shares if share}


def takes_leads(member: PoolMember) -> bool:
    """Whether a member takes part at all: not retired, not paused, and a person who is active."""
    return member.retired_at is None and not member.paused and member.rep.active


def _weight(method: str, member: PoolMember) -> int:
    if method in ("weighted", "priority_tiers"):
        return member.weight
    return min(member.weight, 1)


def oddities(pool: Pool, members: Iterable[PoolMember]) -> list[str]:
    """What an admin should know about a pool, one sentence each; empty when it is fine."""
    present = [member for member in members if member.retired_at is None]
    if not present:
        return ["Nobody is in this pool: leads sent here go nowhere."]
    sharing = [member for member in present if takes_leads(member)]
    if not sharing:
        return ["Everyone in this pool is paused or not active: leads sent here wait."]
    if METHODS[pool.method].posts and not any(member.weight for member in sharing):
        return ["All weights are 0: everyone counts the same."]
    return []


def in_percent(share: Fraction | None) -> str:
    return "-" if share is None else f"{float(share):.1%}"


def in_leads(credit: int) -> str:
    """A credit in leads: ``+0.67`` is owed two thirds of one."""
    return f"{credit / ledger.UNIT:+.2f}"


def hint(pool: Pool, shares: Mapping[int, Fraction]) -> str:
    """A pool's shares in a phrase: ``25.0% each``, ``from 10.0% to 40.0%``."""
    if not shares:
        return "whoever takes it" if pool.method in ("claim", "pull") else "-"
    low, high = min(shares.values()), max(shares.values())
    if in_percent(low) == in_percent(high):
        return f"{in_percent(low)} each" if len(shares) > 1 else in_percent(low)
    return f"{in_percent(low)} to {in_percent(high)}"
