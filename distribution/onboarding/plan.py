"""What onboarding would do, before it does anything: the steps, and every value that is wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Generic, TypeVar

from distribution.onboarding.mapping import OnboardMapping


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    KEEP = "unchanged"


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that is wrong or missing, where it stands and what would be right.

    ``row`` counts as a spreadsheet does, the headings being row 1; 0 is the file as a whole. With ``refused`` the row
    is left out; else it is used as the sentence says. ``detail`` is what differs between problems that are else alike.
    """

    file: str
    row: int
    column: str
    wrong: str
    right: str
    refused: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WantedTeam:
    name: str
    manager: str


@dataclass(frozen=True, slots=True)
class WantedRep:
    """Blank parts are left as they are, or get the default when the rep is new."""

    name: str
    email: str = ""
    team: str = ""
    time_zone: str = ""
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """``fields`` holds plain columns of the account; ``owner`` and ``parent`` are names."""

    name: str
    external_id: str
    fields: dict[str, object]
    owner: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class WantedStage:
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class WantedDeal:
    """One opportunity. ``closed`` is set exactly when its stage is won or lost."""

    external_id: str
    stage: str
    owner: str
    account: str
    created: datetime | None
    closed: datetime | None
    value: Decimal | None
    currency: str
    texts: dict[str, str]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """One thing that should be there. ``id``: the row that is there already; ``changes``: what differs, in words."""

    wanted: T
    id: int | None = None
    changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.wanted if isinstance(self.wanted, str) else str(getattr(self.wanted, "name", self.wanted))

    @property
    def action(self) -> Action:
        if self.id is None:
            return Action.CREATE
        return Action.CHANGE if self.changes else Action.KEEP


@dataclass(slots=True)
class Plan:
    """``managers`` and ``reps`` are keyed by their match key; ids are those of users and reps."""

    mapping: OnboardMapping
    read: list[str] = field(default_factory=list)
    managers: list[Step[str]] = field(default_factory=list)
    teams: list[Step[WantedTeam]] = field(default_factory=list)
    products: list[Step[str]] = field(default_factory=list)
    reps: list[Step[WantedRep]] = field(default_factory=list)
    accounts: list[Step[WantedAccount]] = field(default_factory=list)
    stages: list[Step[WantedStage]] = field(default_factory=list)
    opportunities: list[Step[WantedDeal]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def sections(self) -> Iterator[tuple[str, list[Step[object]]]]:
        """The steps by what they make, in the order in which they are made."""
        for entry in fields(self):
            if entry.name in SECTIONS:
                yield entry.name, getattr(self, entry.name)

    def counts(self) -> dict[str, Counter[str]]:
        return {name: Counter(step.action.value for step in steps) for name, steps in self.sections()}

    @property
    def refused_rows(self) -> int:
        return len({(problem.file, problem.row) for problem in self.problems if problem.refused})

    @property
    def size(self) -> int:
        """How many things are to be created or changed."""
        return sum(step.action is not Action.KEEP for _, steps in self.sections() for step in steps)

    @property
    def has_work(self) -> bool:
        return self.size > 0


SECTIONS: Final = ("managers", "teams", "products", "reps", "accounts", "stages", "opportunities")
