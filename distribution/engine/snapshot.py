"""The world as one decision sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from distribution.engine.people import Pool, Rep
from distribution.engine.rules import RuleSet
from distribution.engine.territories import TerritoryIndex


class Missing(Exception):
    """The decision needs a pool or rep that the snapshot does not hold: load it and decide again."""

    def __init__(self, kind: str, id: int) -> None:
        super().__init__(f"{kind} {id} is not in the snapshot")
        self.kind = kind
        self.id = id


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a decision may look at beside the lead's facts.

    ``keeper_id``: the rep who has an open lead of the same person. ``had``: reps who already had this lead.
    Pools and reps are filled in as the decision asks for them (see :class:`Missing`).
    """

    now: datetime
    rule_set: RuleSet
    territories: TerritoryIndex = field(default_factory=TerritoryIndex)
    pools: Mapping[int, Pool] = field(default_factory=dict)
    reps: Mapping[int, Rep] = field(default_factory=dict)
    keeper_id: int | None = None
    account_owner_id: int | None = None
    previous_owner_id: int | None = None
    had: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()

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
