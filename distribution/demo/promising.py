"""What Ostrelle promises its leads from now on, and the rules that name it."""

from dataclasses import dataclass
from typing import Any, Final

from distribution.demo.company import Company
from distribution.models import EscalationStep, RoutingRule, RuleSet, SLAPolicy
from distribution.rulesets import clone_rule_set, publish_rule_set


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy as it stands in the admin; steps are (clock, percent of the promise, action)."""

    name: str
    promises: dict[str, Any]
    steps: tuple[tuple[str, int, str], ...]


HOT_LINE: Final = "Hot line"
_POLICIES: Final = (
    _Policy(
        "In working time",
        # Idle after two days of work.
        {"is_default": True, "accept_minutes": 30, "contact_minutes": 120, "idle_minutes": 960},
        (
            ("accept", 50, "remind"),
            ("accept", 100, "backup"),
            ("accept", 150, "manager"),
            ("accept", 200, "reassign"),
            ("contact", 75, "remind"),
            ("contact", 200, "reassign"),
            ("idle", 50, "remind"),
            ("idle", 100, "manager"),
            ("idle", 150, "reassign"),
        ),
    ),
    _Policy(
        "High priority",
        {"time": "clock", "min_priority": 10, "accept_minutes": 10, "contact_minutes": 30, "lead_minutes": 60},
        (
            ("accept", 50, "remind"),
            ("accept", 80, "backup"),
            ("accept", 150, "reassign"),
            ("contact", 75, "remind"),
            ("contact", 100, "manager"),
            ("lead", 100, "manager"),
        ),
    ),
    _Policy(
        HOT_LINE,
        # Whoever takes a call off the hot line has accepted it.
        {"time": "clock", "contact_minutes": 15, "lead_minutes": 30, "max_hops": 2},
        (("contact", 50, "remind"), ("contact", 100, "backup"), ("contact", 200, "reassign"), ("lead", 100, "manager")),
    ),
)


def build_promises(company: Company, live: RuleSet) -> None:
    """Write the policies, and publish rules that name one: leads from now on have clocks."""
    policies = {policy.name: _build_policy(policy) for policy in _POLICIES}
    draft = clone_rule_set(live, actor=company.admin)
    draft.name = "Ostrelle 2"
    draft.save(update_fields=["name"])
    rules = RoutingRule.objects.filter(rule_set=draft)
    rules.filter(pool__name="Hot line").update(sla_policy=policies[HOT_LINE])
    # Nobody without training can sell a robot: such leads wait for the first specialist who opens.
    rules.filter(pool__name="Robot specialists").update(if_unavailable="hold")
    publish_rule_set(draft, actor=company.admin)


def _build_policy(policy: _Policy) -> SLAPolicy:
    row = SLAPolicy.objects.create(name=policy.name, **policy.promises)
    EscalationStep.objects.bulk_create(
        EscalationStep(policy=row, clock=clock, after_percent=percent, action=action)
        for clock, percent, action in policy.steps
    )
    return row
