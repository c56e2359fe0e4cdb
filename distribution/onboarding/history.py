"""Write the opportunities of a plan: leads with their owners, who hold the open ones and held the closed ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Value, When

from distribution.models import Assignment, Rep
from distribution.onboarding.plan import Plan, WantedDeal
from leadcrm.lib.places import time_zone_of
from leadcrm.lib.text import match_key
from pipeline.models import Account, ExchangeRate, Lead, LeadSource, Stage, Team
from pipeline.naming import company_key
from pipeline.services.history import BATCH, store_history
from pipeline.signals import leads_created

# Leads per transaction: long enough to be quick, short enough that nobody waits for it.
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class _World:
    """What the rows refer to, by match key or company key; teams by user."""

    source: LeadSource
    now: datetime
    stages: dict[str, Stage]
    reps: dict[str, Rep]
    teams: dict[int, int]
    accounts: dict[str, Account]
    rates: dict[str, Decimal]


def apply_deals(plan: Plan, source: LeadSource, now: datetime) -> int:
    """Store the opportunities that are not there yet; open ones without an owner are routed. Returns how many."""
    deals = [step.wanted for step in plan.opportunities if step.id is None]
    world = _load_world(source, now)
    return sum(_store(deals[start : start + CHUNK], world) for start in range(0, len(deals), CHUNK))


def _load_world(source: LeadSource, now: datetime) -> _World:
    members = Team.members.through.objects.order_by("-team_id").values_list("user_id", "team_id")
    accounts = Account.objects.filter(archived_at=None).order_by("-id")
    return _World(
        source=source,
        now=now,
        stages={match_key(stage.name): stage for stage in Stage.objects.filter(pipeline=source.pipeline_id)},
        reps={match_key(rep.name): rep for rep in Rep.objects.order_by("-id")},
        teams=dict(members),
        accounts={company_key(account.name): account for account in accounts},
        rates=dict(ExchangeRate.objects.values_list("currency", "rate")),
    )


def _store(deals: Sequence[WantedDeal], world: _World) -> int:
    """One chunk in one transaction. The source's row is locked, so that two imports never store one deal twice."""
    with transaction.atomic():
        LeadSource.objects.select_for_update(no_key=True).get(pk=world.source.pk)
        ids = [deal.external_id for deal in deals]
        there = set(Lead.objects.filter(source=world.source, external_id__in=ids).values_list("external_id", flat=True))
        new = [deal for deal in deals if deal.external_id not in there]
        leads = [_lead(deal, world) for deal in new]
        store_history(leads)
        _hold(leads, [world.reps.get(match_key(deal.owner)) for deal in new])
        waiting = [lead.pk for lead in leads if lead.routing_state == Lead.RoutingState.NEW]
        if waiting:
            transaction.on_commit(partial(leads_created.send_robust, Lead, lead_ids=waiting), robust=True)
    return len(leads)


def _lead(deal: WantedDeal, world: _World) -> Lead:
    account = world.accounts.get(company_key(deal.account))
    stage = world.stages[match_key(deal.stage)]
    country, region = (account.country, account.region) if account else ("", "")
    return Lead(
        source=world.source,
        external_id=deal.external_id,
        account=account,
        company=deal.account[:200],
        country=country,
        region=region,
        time_zone=time_zone_of(country, region, deal.texts.get("phone", "")),
        postal_code=account.postal_code if account else "",
        city=account.city if account else "",
        industry=account.industry if account else "",
        employees=account.employees if account else None,
        stage=stage,
        value=deal.value,
        currency=deal.currency if deal.value is not None else "",
        value_base=_in_base(deal, world),
        created_at=deal.created or world.now,
        closed_at=deal.closed,
        **deal.texts,
        **_standing(deal, world),
    )


def _standing(deal: WantedDeal, world: _World) -> dict[str, Any]:
    """Who has it. What is closed without an owner is history; what is open without one is to be routed."""
    rep = world.reps.get(match_key(deal.owner))
    if rep is not None:
        return {
            "owner_id": rep.user_id,
            "team_id": world.teams.get(rep.user_id),
            "routing_state": Lead.RoutingState.ASSIGNED,
            "routing_code": "imported",
            "routing_sentence": f"Came with its history: {rep.name} had it.",
            "assigned_at": deal.created or world.now,
            "next_attempt_at": None,
        }
    if deal.closed is None:
        return {"routing_state": Lead.RoutingState.NEW, "next_attempt_at": world.now}
    return {
        "routing_state": Lead.RoutingState.EXCLUDED,
        "routing_code": "imported",
        "routing_sentence": "Came with its history, closed and without an owner.",
        "next_attempt_at": None,
    }


def _in_base(deal: WantedDeal, world: _World) -> Decimal | None:
    rate = Decimal(1) if deal.currency == settings.BASE_CURRENCY else world.rates.get(deal.currency)
    return None if deal.value is None or rate is None else (deal.value * rate).quantize(Decimal("0.01"))


def _hold(leads: Sequence[Lead], reps: Sequence[Rep | None]) -> None:
    """One assignment per owned lead, ended where it is closed; open ones count for their reps. No turn is taken."""
    held = [(lead, rep) for lead, rep in zip(leads, reps, strict=True) if rep is not None]
    Assignment.objects.bulk_create((_assignment(lead, rep) for lead, rep in held), batch_size=BATCH)
    opened = Counter(rep.pk for lead, rep in held if lead.closed_at is None)
    if opened:
        mine = Rep.objects.filter(pk__in=opened)
        # In the order of their ids, as everybody locks them.
        list(mine.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        more = Case(*(When(pk=pk, then=Value(count)) for pk, count in opened.items()))
        mine.update(open_leads=F("open_leads") + more)


def _assignment(lead: Lead, rep: Rep) -> Assignment:
    return Assignment(
        lead=lead,
        rep=rep,
        trigger=Assignment.Trigger.INTAKE,
        started_at=lead.assigned_at or lead.created_at,
        ended_at=lead.closed_at,
        end=Assignment.End.CLOSED if lead.closed_at else "",
    )
