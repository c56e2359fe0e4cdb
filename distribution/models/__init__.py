"""Who gets a lead: people, places, pools, rules, and the record of every decision."""

from distribution.models.assignments import Assignment, Hold, Offer
from distribution.models.decisions import Decision, DecisionTrace
from distribution.models.hours import (
    AwayReason,
    HoursException,
    Leave,
    LeaveCalendar,
    Loan,
    TeamHours,
    WorkingHours,
    WorkShift,
)
from distribution.models.ledger import CreditCorrection, RepCounter
from distribution.models.pools import Pool, PoolMember, PoolWake
from distribution.models.reps import Rep, Skill
from distribution.models.rules import Condition, RoutingRule, RuleSet
from distribution.models.sla import ClockKind, EscalationStep, SLAClock, SLAPolicy, StepTaken
from distribution.models.stamps import ConfigStamp
from distribution.models.territories import Territory, TerritoryArea

__all__ = [
    "Assignment",
    "AwayReason",
    "ClockKind",
    "Condition",
    "ConfigStamp",
    "CreditCorrection",
    "Decision",
    "DecisionTrace",
    "EscalationStep",
    "Hold",
    "HoursException",
    "Leave",
    "LeaveCalendar",
    "Loan",
    "Offer",
    "Pool",
    "PoolMember",
    "PoolWake",
    "Rep",
    "RepCounter",
    "RoutingRule",
    "RuleSet",
    "SLAClock",
    "SLAPolicy",
    "Skill",
    "StepTaken",
    "TeamHours",
    "Territory",
    "TerritoryArea",
    "WorkShift",
    "WorkingHours",
]
