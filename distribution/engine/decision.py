"""What was decided, and the trace that explains it. Built while deciding; never derived again."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from distribution.engine.eligibility import Refusal, Screening
from distribution.engine.facts import LeadFacts, is_blank
from distribution.engine.ledger import UNIT
from distribution.engine.methods import Ranking
from distribution.engine.people import Member, Pool
from distribution.engine.rules import Check, Look, Rule, RuleSet
from distribution.engine.territories import Located

SCHEMA_VERSION: Final = 1


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
        return self.final.rule if self.final else None

    @property
    def pool(self) -> Pool | None:
        """The real pool the lead goes to; none for a single rep or a team."""
        pool = self.final.pool if self.final else None
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


def render_trace(decision: Decision) -> dict[str, Any]:
    """The trace as JSON-ready data, schema version 1."""
    winner = decision.winner
    return {
        "schema": SCHEMA_VERSION,
        "rule_set": {"id": decision.rule_set.id, "version": decision.rule_set.version, "name": decision.rule_set.name},
        "facts": {key: plain(value) for key, value in sorted(decision.facts.values.items()) if not is_blank(value)},
        "territory": decision.located.best.name if decision.located.best else None,
        "territories": sorted(decision.located.all),
        "rules": [_look(look, decision) for look in decision.looks],
        "attempts": [_attempt(attempt) for attempt in decision.attempts],
        "outcome": decision.outcome,
        "reason": decision.reason,
        "winner": {"rep": winner.rep.id, "name": winner.rep.name} if winner else None,
    }


def plain(value: object) -> Any:
    """A fact as JSON knows it: numbers as they are, Decimal and dates as texts, tuples and sets as lists."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _look(look: Look, decision: Decision) -> dict[str, Any]:
    return {
        "id": look.rule.id,
        "name": look.rule.name,
        "result": look.result,
        "reason": look.reason,
        "checks": [_check(check, decision) for check in look.checks],
    }


def _check(check: Check, decision: Decision) -> dict[str, Any]:
    condition = check.condition
    is_place = condition.field == "territory"
    actual = decision.located.all if is_place else decision.facts.values.get(condition.field)
    return {
        "field": condition.field,
        "operator": condition.operator,
        "value": condition.value,
        "actual": actual if isinstance(actual, str) else plain(actual),
        "holds": check.holds,
        "error": check.error,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    pool = attempt.pool
    return {
        "rule": attempt.rule.id if attempt.rule else None,
        "via": attempt.via,
        "method": attempt.method,
        "result": attempt.result,
        "note": attempt.note or (attempt.ranking.note if attempt.ranking else ""),
        "pool": {"id": pool.id, "name": pool.name} if pool else None,
        "team": attempt.team_id,
        "relaxed": [{"demand": step.demand, "after": step.after} for step in attempt.screening.dropped],
        "candidates": _candidates(attempt),
    }


def _candidates(attempt: Attempt) -> list[dict[str, Any]]:
    refused = [_refused(member, reason) for member, reason in attempt.screening.refused]
    if attempt.ranking is None:
        return refused
    ranking = attempt.ranking
    return [_eligible(member, rank, ranking) for rank, member in enumerate(ranking.order, 1)] + refused


def _eligible(member: Member, rank: int, ranking: Ranking) -> dict[str, Any]:
    row = _person(member, eligible=True, why=ranking.why.get(member.id, ""))
    row["rank"] = rank
    turn = ranking.turns.get(member.id)
    if turn is not None:
        row["share"] = turn.share
        row["before"] = turn.before
        row["owed"] = turn.credited
        row["after"] = turn.before + ranking.postings[member.id]
    return row


def _refused(member: Member, reason: Refusal) -> dict[str, Any]:
    row = _person(member, eligible=False, why=reason.phrase)
    row["code"] = reason.code
    if reason.until is not None:
        row["until"] = reason.until.isoformat()
    return row


def _person(member: Member, eligible: bool, why: str) -> dict[str, Any]:
    rep, last = member.rep, member.last_assigned_at
    return {
        "rep": rep.id,
        "member": member.id or None,
        "name": rep.name,
        "eligible": eligible,
        "why": why,
        "weight": member.weight,
        "tier": member.tier,
        "open": rep.open_leads,
        "capacity": rep.capacity,
        "last": last.isoformat() if last else None,
    }


def leads(units: int) -> str:
    """Credit for people: ``+0.67`` leads."""
    return f"{units / UNIT:+.2f}"
