"""The world as one decision sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from distribution.engine.people import Pool, Rep
from distribution.engine.rules import RuleSet
from distribution.engine.territories import TerritoryIndex


class Missing(Exception):
    """The decision needs a pool, rep or owner that the snapshot does not hold: load it and decide again."""

    def __init__(self, kind: str, id: int) -> None:
        super().__init__(f"{kind} {id} is not in the snapshot")
        self.kind = kind
        self.id = id


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a decision may look at beside the lead's facts.

    ``keepers``, ``account_owner`` and ``previous_owner`` are users: who have open leads of the same person, who owns
    the account, who had a lead of the person last. ``had``: reps who already had this lead. Pools, reps and owners
    (by user, None for a user who cannot own leads) are filled in as the decision asks for them (see
    :class:`Missing`). ``waits``: the pool that the lead waits for, and since when.
    """

    now: datetime
    rule_set: RuleSet
    territories: TerritoryIndex = field(default_factory=TerritoryIndex)
    pools: Mapping[int, Pool] = field(default_factory=dict)
    reps: Mapping[int, Rep] = field(default_factory=dict)
    owners: Mapping[int, Rep | None] = field(default_factory=dict)
    keepers: tuple[int, ...] = ()
    account_owner: int | None = None
    previous_owner: int | None = None
    had: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    waits: Mapping[int, datetime] = field(default_factory=dict)

    def waited(self, pool_id: int) -> timedelta:
        """For how long the lead has waited for a pool."""
        return self.now - self.waits.get(pool_id, self.now)

    def pool(self, id: int) -> Pool:
        try:
            return self.pools[id]
        except KeyError:
            raise Missing("pool", id) from None

    def rep(self, id: int) -> Rep:
        try:
            return self.reps[id]
        except KeyError:
            raise Missing("rep", id) from None

    def owner(self, user_id: int | None) -> Rep | None:
        if user_id is None:
            return None
        try:
            return self.owners[user_id]
        except KeyError:
            raise Missing("owner", user_id) from None
