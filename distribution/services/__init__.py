"""Who has a lead: the only writers of assignments, credits and counters. All are safe to run twice."""

from distribution.services.assigning import assign_lead, route_new_lead
from distribution.services.batch import BatchResult, assign_leads
from distribution.services.covering import sweep_cover
from distribution.services.handling import (
    accept_lead,
    exclude_lead,
    reassign_lead,
    release_lead,
    return_lead,
)
from distribution.services.ladders import sweep_clocks
from distribution.services.sweeping import sweep_holds, sweep_offers, sweep_unassigned
from distribution.services.taking import claim_lead, pull_next

__all__ = [
    "BatchResult",
    "accept_lead",
    "assign_lead",
    "assign_leads",
    "claim_lead",
    "exclude_lead",
    "pull_next",
    "reassign_lead",
    "release_lead",
    "return_lead",
    "route_new_lead",
    "sweep_clocks",
    "sweep_cover",
    "sweep_holds",
    "sweep_offers",
    "sweep_unassigned",
]
