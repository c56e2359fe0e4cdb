"""A decision in one sentence that a rep can read."""

from collections.abc import Callable
from typing import Final

from distribution.engine import outcomes, targets
from distribution.engine.decision import Attempt, Decision, leads
from distribution.engine.methods import METHODS

MOST_NAMED: Final = 3


def sentence(decision: Decision) -> str:
    """What happened and why, with the rule, the pool, the method and the people who were passed over."""
    return _SENTENCES[decision.outcome](decision)


def _assigned(decision: Decision) -> str:
    assert decision.winner is not None
    parts = [*_where(decision), _why_first(decision)]
    return f"Assigned to {decision.winner.rep.name}: {', '.join(filter(None, parts))}{_skipped(decision)}."


def _kept(decision: Decision) -> str:
    assert decision.winner is not None
    return f"Kept with {decision.winner.rep.name}, who has an open lead of the same person; no turn taken."


def _offered(decision: Decision) -> str:
    final = decision.final
    assert final is not None
    count = len(final.screening.eligible)
    people = final.screening.eligible[0].rep.name if count == 1 else f"{count} people"
    return f"Offered to {people}: {', '.join(_where(decision))}; the first to accept has it{_skipped(decision)}."


def _queued(decision: Decision) -> str:
    final = decision.final
    assert final is not None
    queue = "the team's queue" if final.team_id else "the pool's queue"
    return f"Waiting in {queue} to be taken: {', '.join(_where(decision))}{_unplaced(decision)}."


def _held(decision: Decision) -> str:
    return f"Waiting until someone is available: {', '.join(_where(decision))}{_skipped(decision)}."


def _nobody(decision: Decision) -> str:
    label = outcomes.OUTCOMES[decision.outcome].label
    tried = [attempt for attempt in decision.attempts if attempt.pool or attempt.note]
    if not tried:
        return f"{label}."
    return f"{label}: {'; '.join(_tried(attempt) for attempt in tried[-MOST_NAMED:])}."


def _where(decision: Decision) -> list[str]:
    """The rule, the pool and the method."""
    final = decision.final
    assert final is not None
    place = f"rule “{final.rule.name}”" if final.rule else "no rule placed it, catch-all"
    via = "its fallback" if final.via == "fallback" else ""
    pool = f"pool “{decision.pool.name}”" if decision.pool else ""
    return [part for part in (place, via, pool, method_label(final.method)) if part]


def method_label(key: str) -> str:
    """The name of a pool's method or of a kind of target, as it stands inside a sentence."""
    label = METHODS[key].label if key in METHODS else targets.TARGETS.get(key, key)
    return label[0].lower() + label[1:]


def _why_first(decision: Decision) -> str:
    """Why the winner came before the others."""
    final, winner = decision.final, decision.winner
    if final is None or winner is None or final.ranking is None or decision.pool is None:
        return ""
    if len(final.ranking.order) == 1:
        return "the only one who could take it"
    turn = final.ranking.turns.get(winner.id)
    if turn is None:
        return final.ranking.why.get(winner.id, "")
    most = max(other.credited for other in final.ranking.turns.values())
    return f"{'most owed' if turn.credited == most else 'due first'} ({leads(turn.credited)})"


def _skipped(decision: Decision) -> str:
    final = decision.final
    refused = final.screening.refused if final else []
    named = [f"{member.rep.name} {reason.phrase}" for member, reason in refused[:MOST_NAMED]]
    if len(refused) > MOST_NAMED:
        named.append(f"{len(refused) - MOST_NAMED} more")
    return f"; skipped: {', '.join(named)}" if named else ""


def _unplaced(decision: Decision) -> str:
    return f"; {outcomes.OUTCOMES[decision.reason].label.lower()}" if decision.reason else ""


def _tried(attempt: Attempt) -> str:
    place = f"rule “{attempt.rule.name}”" if attempt.rule else "catch-all"
    pool = f", pool “{attempt.pool.name}”" if attempt.pool else ""
    detail = attempt.note or outcomes.OUTCOMES[attempt.result].label.lower()
    return f"{place}{pool}: {detail}"


_SENTENCES: Final[dict[str, Callable[[Decision], str]]] = {
    outcomes.ASSIGNED: _assigned,
    outcomes.KEPT: _kept,
    outcomes.OFFERED: _offered,
    outcomes.QUEUED: _queued,
    outcomes.HELD: _held,
    outcomes.NO_RULE: _nobody,
    outcomes.NOBODY_ELIGIBLE: _nobody,
    outcomes.NOBODY_AVAILABLE: _nobody,
    outcomes.ALL_AT_CAPACITY: _nobody,
}
