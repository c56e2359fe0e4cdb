"""Admin pages of who gets a lead: people, places, pools, rules, and the record of every decision."""

from distribution.admin import history, leads, pools, reps, rules, rulesets, territories

__all__ = ["history", "leads", "pools", "reps", "rules", "rulesets", "territories"]
