"""Carry a plan out: people, products, companies and stages in one transaction, then the opportunities in chunks."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from distribution.onboarding.history import apply_deals
from distribution.onboarding.plan import Action, Plan
from distribution.onboarding.writing import (
    write_accounts,
    write_managers,
    write_pipeline,
    write_products,
    write_reps,
    write_teams,
)


def apply_plan(plan: Plan, *, now: datetime | None = None) -> dict[str, Counter[str]]:
    """Do what the plan says. An interrupted run is finished by planning and applying again.

    Returns:
        What was done, by section: how many were created, changed and left as they were.
    """
    now = now or timezone.now()
    with transaction.atomic():
        write_managers(plan.managers)
        write_products(plan.products)
        write_reps(plan.reps)
        write_teams(plan.teams, plan.reps)
        write_accounts(plan.accounts)
        source = write_pipeline(plan) if plan.opportunities else None
    done: dict[str, Counter[str]] = plan.counts()
    if source is not None:
        created = apply_deals(plan, source, now)
        done["opportunities"] = Counter(
            {Action.CREATE.value: created, Action.KEEP.value: len(plan.opportunities) - created}
        )
    return done


def done_lines(done: dict[str, Counter[str]]) -> list[str]:
    words: dict[Any, str] = {Action.CREATE: "created", Action.CHANGE: "changed", Action.KEEP: "unchanged"}
    return [
        f"{name}: {', '.join(f'{counts[action.value]} {words[action]}' for action in Action if counts[action.value])}"
        for name, counts in done.items()
        if counts
    ]
