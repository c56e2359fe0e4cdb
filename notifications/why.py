"""Why a lead went to its reader, in the reader's language, where the reason can be told from its codes.

The stored sentence of a decision is English and tells everything. In other languages, and where there is little room, a
few words stand for it, with the pool and the rule.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from distribution.engine import outcomes, targets
from distribution.models import Decision
from distribution.selectors import trace_of
from notifications.defaults import LANGUAGES
from notifications.defaults.base import Language
from pipeline.models import Lead

# By the code of where a lead stands. What is not here was decided by a rule.
_BY_CODE: Final[Mapping[str, str]] = {
    outcomes.KEPT: "kept",
    outcomes.OFFERED: "offered",
    outcomes.QUEUED: "queued",
    "manual": "manual",
    "lent": "stands_in",
    "given_back": "given_back",
    "escalated": "escalated",
}
_OWNERS: Final = (targets.ACCOUNT_OWNER, targets.PREVIOUS_OWNER, targets.TERRITORY_OWNER, targets.REP)
# By how the rule chose: its pool's method, or the kind of its target.
_BY_METHOD: Final[Mapping[str, str]] = {
    **dict.fromkeys(("round_robin", "weighted", "priority_tiers"), "turn"),
    **{key: key for key in ("least_loaded", "equal_totals", *_OWNERS)},
}


class Why(NamedTuple):
    """``whole`` with pool and rule; both are empty when the reason has no words in the language."""

    short: str = ""
    whole: str = ""


def why_in(lead: Lead, language: str) -> Why:
    """Why a lead went to whom it went."""
    words = LANGUAGES.get(language, LANGUAGES["en"])
    if lead.routing_code in _BY_CODE:
        said = words.reasons[_BY_CODE[lead.routing_code]]
        return Why(said, f"{said}.")
    decision = _decision_for(lead) if lead.routing_code == outcomes.ASSIGNED else None
    code = _code_of(decision) if decision else ""
    return _placed(words, words.reasons[code], decision) if code and decision else Why()


def _decision_for(lead: Lead) -> Decision | None:
    """The latest decision, if the lead is still with whom it chose."""
    decisions = lead.decisions.select_related("pool", "rule", "winner").order_by("-pk")
    latest = decisions.filter(winner__isnull=False).first()
    return latest if latest and latest.winner and latest.winner.user_id == lead.owner_id else None


def _code_of(decision: Decision) -> str:
    code = _BY_METHOD.get(decision.method, "")
    return "stands_in" if code in _OWNERS and _stands_in(decision) else code


def _stands_in(decision: Decision) -> bool:
    """Whether it went to somebody in the place of the owner, which is all that is noted of owners."""
    trace: dict[str, Any] = trace_of(decision) or {}
    attempts = trace.get("attempts") or [{}]
    return bool(attempts[-1].get("note"))


def _placed(words: Language, said: str, decision: Decision) -> Why:
    pool = decision.pool.name if decision.pool else ""
    rule = decision.rule.name if decision.rule else ""
    places = ", ".join(f"{label} {name}" for label, name in ((words.pool, pool), (words.rule, rule)) if name)
    return Why(f"{said} ({pool})" if pool else said, f"{said} ({places})." if places else f"{said}.")
