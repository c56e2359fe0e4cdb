"""Admin pages of who gets a lead: people, places, pools, rules, and the record of every decision."""

from distribution.admin import (
    clocks,
    history,
    hours,
    leads,
    leave,
    policies,
    pools,
    reps,
    rules,
    rulesets,
    teams,
    territories,
)

__all__ = [
    "clocks",
    "history",
    "hours",
    "leads",
    "leave",
    "policies",
    "pools",
    "reps",
    "rules",
    "rulesets",
    "teams",
    "territories",
]
