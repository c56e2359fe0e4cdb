"""A published world in one line, and leads for it."""

from typing import Any

from django.contrib.auth.models import User

from distribution.models import Assignment, Pool, PoolMember, Rep
from pipeline.models import Lead, LeadSource, Pipeline, Stage
from pipeline.services.leads import close_lead
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish


def world(*members: str | Rep, **pool: Any) -> Pool:
    """One live rule that sends every lead to one pool of these members."""
    sales = make_pool("Sales", *members, **pool)
    rules = make_rule_set(pool=sales)
    make_rule(rules, "Everything", pool=sales)
    publish(rules)
    return sales


def stages() -> dict[str, Stage]:
    pipeline, _ = Pipeline.objects.get_or_create(slug="sales", defaults={"name": "Sales", "is_default": True})
    return {
        kind: Stage.objects.get_or_create(pipeline=pipeline, slug=kind, defaults={"name": kind, "kind": kind})[0]
        for kind in ("open", "won", "lost")
    }


def add_stages(*slugs: str) -> None:
    """Open stages behind the first one, and before those that close a lead."""
    pipeline = stages()["open"].pipeline
    for position, slug in enumerate(slugs, 1):
        Stage.objects.create(pipeline=pipeline, name=slug.title(), slug=slug, position=position)
    Stage.objects.filter(slug__in=("won", "lost")).update(position=5)


def make_source(slug: str = "web", **more: Any) -> LeadSource:
    return LeadSource.objects.get_or_create(slug=slug, defaults={"name": slug, **more})[0]


def make_lead(**fields: Any) -> Lead:
    """A lead as the ORM stores it; routed only where the test lets the commit happen or asks for it."""
    fields.setdefault("source", make_source())
    fields.setdefault("stage", stages()["open"])
    return Lead.objects.create(**fields)


def win(lead: Lead, actor: User | None = None) -> None:
    """Close a lead as won, for what nobody asks about."""
    close_lead(lead, stages()["won"], actor=actor, worth={"value": "100"} if lead.value is None else None)


def make_leads(count: int, **fields: Any) -> list[Lead]:
    return [make_lead(email=f"lead{number}@people.example", **fields) for number in range(count)]


def owners() -> list[str]:
    """Who got each lead, in the order of the leads."""
    return list(Assignment.objects.order_by("lead_id").values_list("rep__name", flat=True))


def credits(pool: Pool) -> list[int]:
    return list(PoolMember.objects.filter(pool=pool).order_by("id").values_list("credit", flat=True))
