"""A decision in one sentence that a rep can read."""

from collections.abc import Callable, Sequence
from typing import Final

from distribution.engine import outcomes, targets
from distribution.engine.decision import Attempt, Decision, leads
from distribution.engine.eligibility import Refusal
from distribution.engine.methods import METHODS
from distribution.engine.people import Member

MOST_NAMED: Final = 3
FALLBACK: Final = "its fallback"


def sentence(decision: Decision) -> str:
    """What happened and why, with the rule, the pool, the method and the people who were passed over."""
    final, winner = decision.final, decision.winner
    if winner is not None:
        return _assigned(decision, final, winner) if final else _kept(winner)
    if final is not None and decision.outcome in _WAITING:
        return _WAITING[decision.outcome](decision, final)
    return _nobody(decision)


def _assigned(decision: Decision, final: Attempt, winner: Member) -> str:
    parts = [*_where(decision, final), final.note, _why_first(final, winner)]
    return f"Assigned to {winner.rep.name}: {', '.join(filter(None, parts))}{_skipped(final)}."


def _kept(winner: Member) -> str:
    return f"Kept with {winner.rep.name}, who has an open lead of the same person; no turn taken."


def _offered(decision: Decision, final: Attempt) -> str:
    count = len(final.screening.eligible)
    people = final.screening.eligible[0].rep.name if count == 1 else f"{count} people"
    return f"Offered to {people}: {', '.join(_where(decision, final))}; the first to accept has it{_skipped(final)}."


def _queued(decision: Decision, final: Attempt) -> str:
    queue = "the team's queue" if final.team_id else "the pool's queue"
    return f"Waiting in {queue} to be taken: {', '.join(_where(decision, final))}{_unplaced(decision)}."


def _held(decision: Decision, final: Attempt) -> str:
    return f"Waiting until someone is available: {', '.join(_where(decision, final))}{_skipped(final)}."


_WAITING: Final[dict[str, Callable[[Decision, Attempt], str]]] = {
    outcomes.OFFERED: _offered,
    outcomes.QUEUED: _queued,
    outcomes.HELD: _held,
}


def _nobody(decision: Decision) -> str:
    label = outcomes.OUTCOMES[decision.outcome].label
    tried = _all_tried(decision.attempts, decision.outcome)
    return f"{label}: {tried}." if tried else f"{label}."


def _where(decision: Decision, final: Attempt) -> list[str]:
    """What was tried before in vain, and then the rule, the pool and the method."""
    before = decision.attempts[:-1]
    place = ", ".join(_place(final))
    if before:
        own_fallback = final.via == "fallback" and before[-1].rule == final.rule
        place = f"{_all_tried(before)}; so {FALLBACK if own_fallback else place}"
    elif final.rule is None:
        place = f"no rule placed it, {place}"
    return [part for part in (place, _pool(final), method_label(final.method)) if part]


def _place(attempt: Attempt) -> list[str]:
    """Which rule sent the lead, and whether to its fallback."""
    place = f"rule “{attempt.rule.name}”" if attempt.rule else "catch-all"
    return [place, FALLBACK] if attempt.via == "fallback" else [place]


def _pool(attempt: Attempt) -> str:
    """The name of the pool; a single rep is tried as a pool without an id."""
    return f"pool “{attempt.pool.name}”" if attempt.pool and attempt.pool.id else ""


def method_label(key: str) -> str:
    """The name of a pool's method or of a kind of target, as it stands inside a sentence."""
    label = METHODS[key].label if key in METHODS else targets.TARGETS.get(key, key)
    return label[0].lower() + label[1:]


def _why_first(final: Attempt, winner: Member) -> str:
    """Why the winner came before the others."""
    if final.ranking is None or not _pool(final):
        return ""
    if len(final.ranking.order) == 1:
        return "the only one who could take it"
    turn = final.ranking.turns.get(winner.id)
    if turn is None:
        return final.ranking.why.get(winner.id, "")
    most = max(other.credited for other in final.ranking.turns.values())
    return f"{'most owed' if turn.credited == most else 'due first'} ({leads(turn.credited)})"


def _skipped(attempt: Attempt) -> str:
    people = _people(attempt.screening.refused)
    return f"; skipped: {people}" if people else ""


def _people(refused: Sequence[tuple[Member, Refusal]]) -> str:
    named = [f"{member.rep.name} {reason.phrase}" for member, reason in refused[:MOST_NAMED]]
    if len(refused) > MOST_NAMED:
        named.append(f"{len(refused) - MOST_NAMED} more")
    return ", ".join(named)


def _unplaced(decision: Decision) -> str:
    alone = len(decision.attempts) == 1
    return f"; {outcomes.OUTCOMES[decision.reason].label.lower()}" if decision.reason and alone else ""


def _all_tried(attempts: Sequence[Attempt], said: str = "") -> str:
    """What was tried in vain, from the first on. ``said``: the outcome that need not be said again."""
    named = [_tried(attempt, said) for attempt in attempts[:MOST_NAMED]]
    if len(attempts) > MOST_NAMED:
        named.append(f"{len(attempts) - MOST_NAMED} more in vain")
    return "; ".join(named)


def _tried(attempt: Attempt, said: str) -> str:
    return f"{', '.join(filter(None, (*_place(attempt), _pool(attempt))))}: {_in_vain(attempt, said)}"


def _in_vain(attempt: Attempt, said: str) -> str:
    result, people = outcomes.OUTCOMES[attempt.result].label.lower(), _people(attempt.screening.refused)
    if attempt.note or not people:
        return attempt.note or result
    return people if attempt.result == said else f"{result} ({people})"
