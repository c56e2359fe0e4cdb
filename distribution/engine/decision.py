"""What was decided, and all that explains it. Built while deciding; never derived again."""

from dataclasses import dataclass, field

from distribution.engine.eligibility import Screening
from distribution.engine.facts import LeadFacts
from distribution.engine.ledger import UNIT
from distribution.engine.methods import Ranking
from distribution.engine.people import Member, Pool
from distribution.engine.rules import Look, Rule, RuleSet
from distribution.engine.territories import Located


@dataclass(frozen=True, slots=True)
class Attempt:
    """One target that was tried. ``via``: target, fallback or catch_all; ``result``: an outcome code.

    A single rep is tried as a pool of one with id 0. ``method`` is the pool's method or the kind of target.
    """

    rule: Rule | None
    via: str
    method: str
    result: str
    pool: Pool | None = None
    team_id: int | None = None
    screening: Screening = field(default_factory=Screening)
    ranking: Ranking | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one routing.

    ``reason`` says why no rule placed the lead, when none did. ``winner`` is set for assigned and kept; a winner
    with member id 0 is not taken from a pool. ``postings``: change of credit by member id, in billionths of a lead.
    """

    outcome: str
    rule_set: RuleSet
    facts: LeadFacts
    located: Located
    looks: tuple[Look, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    reason: str = ""
    winner: Member | None = None

    @property
    def final(self) -> Attempt | None:
        """The attempt that placed the lead, or the last one that failed."""
        return self.attempts[-1] if self.attempts else None

    @property
    def rule(self) -> Rule | None:
        final = self.final
        return final.rule if final else None

    @property
    def pool(self) -> Pool | None:
        """The real pool the lead goes to; none for a single rep or a team."""
        final = self.final
        pool = final.pool if final else None
        return pool if pool is not None and pool.id else None

    @property
    def postings(self) -> dict[int, int]:
        ranking = self.final.ranking if self.final and self.winner else None
        return ranking.postings if ranking else {}

    @property
    def answer(self) -> tuple[object, ...]:
        """What must be the same for two decisions to have the same effect."""
        final = self.final
        return (
            self.outcome,
            final and final.rule and final.rule.id,
            self.pool and self.pool.id,
            self.winner and self.winner.rep.id,
            final and final.team_id,
        )


def leads(units: int) -> str:
    """Credit for people: ``+0.67`` leads."""
    return f"{units / UNIT:+.2f}"
