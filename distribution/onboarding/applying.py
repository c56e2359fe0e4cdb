"""Carry a plan out: people, products, companies and stages in one transaction, then the opportunities in chunks."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from distribution.models import ConfigStamp
from distribution.onboarding.history import apply_deals
from distribution.onboarding.plan import Action, Plan
from distribution.onboarding.writing import (
    accounts_appeared,
    write_accounts,
    write_managers,
    write_pipeline,
    write_products,
    write_reps,
    write_teams,
)
from distribution.services import recounting, waking
from pipeline.models import LeadSource


class Overtaken(Exception):
    """Somebody wrote some of the same things since the plan was made; of people and companies nothing was changed."""

    def __init__(self) -> None:
        super().__init__("Somebody added some of this meanwhile. Look at the plan again.")


def apply_plan(plan: Plan, *, now: datetime | None = None) -> dict[str, Counter[str]]:
    """Do what the plan says. An interrupted run is finished by planning and applying again.

    Returns:
        What was done, by section: how many were created, changed and left as they were.

    Raises:
        Overtaken: the plan is not true any more.
    """
    try:
        source = _write_setup(plan)
    except IntegrityError:
        raise Overtaken from None
    done: dict[str, Counter[str]] = plan.counts()
    if source is not None:
        created = apply_deals(plan, source, now or timezone.now())
        done["opportunities"] = Counter(
            {Action.CREATE.value: created, Action.KEEP.value: len(plan.opportunities) - created}
        )
    return done


def _write_setup(plan: Plan) -> LeadSource | None:
    """Everything but the opportunities, in one transaction; the source they will belong to."""
    with transaction.atomic():
        _wait_for_others()
        _wake(plan)
        write_managers(plan.managers)
        write_products(plan.products)
        write_reps(plan.reps)
        write_teams(plan.teams, plan.reps)
        if accounts_appeared(plan.accounts):
            raise Overtaken
        write_accounts(plan.accounts)
        return write_pipeline(plan) if plan.opportunities else None


def _wake(plan: Plan) -> None:
    """Rows that are written at once send no signals: who is in which team, knows what or has room for more may change.
    First of all, because clocks are locked before reps."""
    recounting.mark_stale(Q(rep__user__in=[step.id for step in plan.reps if step.id is not None]))
    waking.wake_all(timezone.now())
    waking.wake_unplaced(timezone.now())


def _wait_for_others() -> None:
    """One at a time: companies of one name are allowed, so nothing else keeps two runs from making them twice."""
    ConfigStamp.objects.get_or_create(kind="onboarding")
    ConfigStamp.objects.select_for_update().get(kind="onboarding")


def done_lines(done: dict[str, Counter[str]]) -> list[str]:
    words: dict[Any, str] = {Action.CREATE: "created", Action.CHANGE: "changed", Action.KEEP: "unchanged"}
    return [
        f"{name}: {', '.join(f'{counts[action.value]} {words[action]}' for action in Action if counts[action.value])}"
        for name, counts in done.items()
        if counts
    ]
