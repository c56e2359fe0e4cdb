"""Who gets a lead: people, places, pools, rules, and the record of every decision."""

from distribution.models.assignments import Assignment, Hold, Offer
from distribution.models.decisions import Decision, DecisionTrace
from distribution.models.ledger import CreditCorrection, RepCounter
from distribution.models.pools import Pool, PoolMember
from distribution.models.reps import Rep, Skill
from distribution.models.rules import Condition, RoutingRule, RuleSet
from distribution.models.stamps import ConfigStamp
from distribution.models.territories import Territory, TerritoryArea

__all__ = [
    "Assignment",
    "Condition",
    "ConfigStamp",
    "CreditCorrection",
    "Decision",
    "DecisionTrace",
    "Hold",
    "Offer",
    "Pool",
    "PoolMember",
    "Rep",
    "RepCounter",
    "RoutingRule",
    "RuleSet",
    "Skill",
    "Territory",
    "TerritoryArea",
]
