"""The page of one lead as values ready to show: its facts and its history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from pipeline.display import Due, action_of, age, badge_of, due_of, money, person, takeable
from pipeline.models import AttributeDefinition, Lead
from pipeline.selectors import workable_leads
from pipeline.timeline import Line, build_timeline


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about a lead. ``href`` is an address to write, call or open."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class LeadPage:
    """``works``: the reader may act on the lead; ``due``: until when somebody must do something for it."""

    uid: UUID
    title: str
    subtitle: str
    badge: str
    tone: str
    stage: str
    pipeline: str
    owner: str
    team: str
    action: str
    works: bool
    open: bool
    due: Due | None
    snoozed_until: datetime | None
    can_call: bool
    created_at: datetime
    age: str
    message: str
    facts: list[Fact]
    history: list[Line]


def build_lead_page(lead: Lead, user: User, now: datetime) -> LeadPage:
    """Everything about a lead that was read with its stage, owner, team, source and account."""
    badge, tone = badge_of(lead)
    return LeadPage(
        uid=lead.uid,
        title=str(lead),
        subtitle=", ".join(part for part in (lead.job_title, lead.company if lead.name else "") if part),
        badge=badge,
        tone=tone,
        stage=lead.stage.name,
        pipeline=lead.stage.pipeline.name,
        owner=person(lead.owner) if lead.owner else "",
        team=lead.team.name if lead.team else "",
        action=action_of(lead, user, takeable(user, [lead])),
        works=workable_leads(user).filter(pk=lead.pk).exists(),
        open=lead.closed_at is None and lead.archived_at is None,
        due=due_of(lead.respond_by, now) if lead.respond_by else None,
        snoozed_until=lead.snoozed_until,
        can_call=bool(lead.phone and settings.TWILIO_FROM),
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        message=lead.message,
        facts=[fact for fact in (*_facts(lead), *_attributes(lead)) if fact.value],
        history=build_timeline(lead, now),
    )


def _facts(lead: Lead) -> Iterator[Fact]:
    yield Fact("E-mail", lead.email, f"mailto:{lead.email}")
    yield Fact("Phone", lead.phone, f"tel:{lead.phone}")
    yield Fact("Company", lead.company)
    yield Fact("Website", lead.website, lead.website if lead.website.startswith(("http://", "https://")) else "")
    yield Fact("Account", lead.account.name if lead.account else "")
    yield Fact("Product", lead.product)
    yield Fact("Value", money(lead.value, lead.currency))
    yield Fact("Place", ", ".join(filter(None, (f"{lead.postal_code} {lead.city}".strip(), lead.region, lead.country))))
    yield Fact("Language", lead.language)
    yield Fact("Time zone", lead.time_zone)
    yield Fact("Industry", lead.industry)
    yield Fact("Employees", f"{lead.employees:,}" if lead.employees is not None else "")
    yield Fact("Score", str(lead.score) if lead.score is not None else "")
    yield Fact("Priority", str(lead.priority or ""))
    yield Fact("Tags", ", ".join(map(str, lead.tags)))
    yield Fact("Source", lead.source.name)
    yield Fact("Its id there", lead.external_id)
    campaign = (lead.utm_source, lead.utm_medium, lead.utm_campaign, lead.utm_term, lead.utm_content)
    yield Fact("Campaign", " / ".join(filter(None, campaign)))
    yield Fact("Lost because", lead.lost_reason)


def _attributes(lead: Lead) -> Iterator[Fact]:
    """The answers to the source's own questions."""
    if not lead.attributes:
        return
    labels = dict(AttributeDefinition.objects.filter(key__in=lead.attributes).values_list("key", "label"))
    for key, value in lead.attributes.items():
        words = {True: "yes", False: "no", None: ""}.get(value) if isinstance(value, bool | None) else str(value)
        yield Fact(labels.get(key, key), words or "")
