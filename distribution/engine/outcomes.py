"""What can become of a lead, and what an admin can do about it."""

from dataclasses import dataclass
from typing import Final

ASSIGNED: Final = "assigned"
KEPT: Final = "kept"
OFFERED: Final = "offered"
QUEUED: Final = "queued"
HELD: Final = "held"
NO_RULE: Final = "no_rule"
NO_TARGET: Final = "no_target"
EMPTY_POOL: Final = "empty_pool"
NOBODY_ELIGIBLE: Final = "nobody_eligible"
NOBODY_AVAILABLE: Final = "nobody_available"
ALL_AT_CAPACITY: Final = "all_at_capacity"
ERROR: Final = "error"

# What a lead ends as when somebody has it or may take it.
DELIVERED: Final = (ASSIGNED, KEPT, OFFERED, QUEUED)


@dataclass(frozen=True, slots=True)
class Outcome:
    code: str
    label: str
    fix: str


OUTCOMES: Final = {
    outcome.code: outcome
    for outcome in (
        Outcome(ASSIGNED, "Assigned", ""),
        Outcome(KEPT, "Kept with its owner", ""),
        Outcome(OFFERED, "Offered", "Nobody has to do anything: the first to accept has it."),
        Outcome(QUEUED, "In a queue", "Someone of the team or pool takes it from the queue."),
        Outcome(HELD, "Waiting", "It is tried again by itself; make somebody available to speed it up."),
        Outcome(NO_RULE, "No rule matched", "Add a rule for such leads, or widen one."),
        Outcome(
            NO_TARGET, "The rule led nowhere", "Give the account or territory an owner, or let the rule fall back."
        ),
        Outcome(EMPTY_POOL, "Empty pool", "Add members to the pool."),
        Outcome(
            NOBODY_ELIGIBLE, "Nobody fits", "Add someone with the skill, language or territory, or relax the demand."
        ),
        Outcome(NOBODY_AVAILABLE, "Nobody is there", "Wait, bring someone back, or add a fallback pool."),
        Outcome(ALL_AT_CAPACITY, "Everyone is full", "Raise a capacity or cap, close old leads, or add people."),
        Outcome(ERROR, "Routing failed", "Look at the log; the lead is tried again by itself."),
    )
}
