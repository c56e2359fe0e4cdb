"""A stored decision as values ready to show, with or without the table behind it."""

from dataclasses import dataclass
from datetime import datetime

from distribution.explain import Explanation, explain, method_name, outcome_fix, outcome_label
from distribution.models import Assignment, Decision
from distribution.selectors import names_in, trace_of
from leadcrm.lib.moments import in_readers_zone
from pipeline.display import person
from pipeline.models import Lead


@dataclass(frozen=True, slots=True)
class Earlier:
    """One line of the list of a lead's decisions."""

    id: int
    at: datetime
    label: str
    sentence: str
    current: bool


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """``explanation`` is None when the table has been pruned. ``rule`` and the like are links for the admin.

    ``now``: how the lead stands, when something happened to it after the last decision, such as that somebody took it.
    """

    id: int
    now: str
    sentence: str
    outcome: str
    label: str
    reason: str
    fix: str
    at: datetime
    trigger: str
    actor: str
    duration: str
    rule_set: str
    rule: str
    pool: str
    method: str
    winner: str
    digest: str
    explanation: Explanation | None
    all: list[Earlier]


def build_decision_page(lead: Lead, decision: Decision) -> DecisionPage:
    """A decision of a lead, read by :func:`distribution.selectors.decision_of`."""
    trace, decisions = trace_of(decision), _all(lead, decision)
    return DecisionPage(
        id=decision.pk,
        now=_since(lead, decisions[0].sentence),
        sentence=in_readers_zone(decision.sentence),
        outcome=decision.outcome,
        label=outcome_label(decision.outcome),
        reason=outcome_label(decision.reason) if decision.reason != decision.outcome else "",
        fix=outcome_fix(decision.outcome),
        at=decision.at,
        trigger=trigger_label(decision.trigger),
        actor=person(decision.actor) if decision.actor else "the system",
        duration=duration(decision.duration_us),
        rule_set=str(decision.rule_set or ""),
        rule=str(decision.rule or ""),
        pool=str(decision.pool or ""),
        method=method_name(decision.method) if decision.method else "",
        winner=str(decision.winner or ""),
        digest=decision.digest,
        explanation=explain(trace, names_in(trace)) if trace else None,
        all=decisions,
    )


def trigger_label(trigger: str) -> str:
    return dict(Assignment.Trigger.choices).get(trigger, trigger)


def duration(microseconds: int) -> str:
    """How long deciding took: 0.8 ms."""
    return f"{microseconds / 1000:.1f} ms"


def _since(lead: Lead, last: str) -> str:
    words = in_readers_zone(lead.routing_sentence)
    return words if words != last else ""


def _all(lead: Lead, shown: Decision) -> list[Earlier]:
    rows = lead.decisions.order_by("-pk").values_list("pk", "at", "outcome", "sentence")
    return [
        Earlier(pk, at, outcome_label(outcome), in_readers_zone(words), pk == shown.pk)
        for pk, at, outcome, words in rows
    ]
