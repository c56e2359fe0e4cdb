"""The page of one lead as values ready to show: its facts and its history."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User

from pipeline.display import action_of, age, badge_of, money, person, takeable
from pipeline.models import AttributeDefinition, Event, Lead, Stage

MOST_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about a lead. ``href`` is an address to write, call or open."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history, newest first."""

    title: str
    detail: str
    actor: str
    at: datetime
    age: str


@dataclass(frozen=True, slots=True)
class LeadPage:
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
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        message=lead.message,
        facts=[fact for fact in (*_facts(lead), *_attributes(lead)) if fact.value],
        history=_history(lead, now),
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


def _history(lead: Lead, now: datetime) -> list[Line]:
    events = lead.events.select_related("actor").order_by("-at", "-pk")[:MOST_EVENTS]
    stages = dict(Stage.objects.filter(pipeline=lead.stage.pipeline_id).values_list("slug", "name"))
    return [
        Line(
            title=event.get_kind_display(),
            detail=_detail(event, lead, stages),
            actor=person(event.actor) if event.actor else "",
            at=event.at,
            age=age(event.at, now),
        )
        for event in events
    ]


def _detail(event: Event, lead: Lead, stages: Mapping[str, str]) -> str:
    """What an event tells beside its kind."""
    data: dict[str, Any] = event.data
    describe = _DETAILS.get(event.kind)
    return describe(data, lead, stages) if describe else str(data.get("sentence") or data.get("reason") or "")


def _came_in(data: Mapping[str, Any], lead: Lead, stages: Mapping[str, str]) -> str:
    return f"From {lead.source.name}"


def _moved(data: Mapping[str, Any], lead: Lead, stages: Mapping[str, str]) -> str:
    before, after = str(data.get("from", "")), str(data.get("to", ""))
    return f"From {stages.get(before, before)} to {stages.get(after, after)}"


def _ended(data: Mapping[str, Any], lead: Lead, stages: Mapping[str, str]) -> str:
    stage, reason = str(data.get("stage", "")), data.get("reason")
    return f"{stages.get(stage, stage)}: {reason}" if reason else stages.get(stage, stage)


def _edited(data: Mapping[str, Any], lead: Lead, stages: Mapping[str, str]) -> str:
    changes: Mapping[str, list[Any]] = data.get("changes", {})
    return "; ".join(f"{_field(name)}: {_or_blank(old)} → {_or_blank(new)}" for name, (old, new) in changes.items())


def _field(name: str) -> str:
    return str(getattr(Lead._meta.get_field(name), "verbose_name", name)).capitalize()


def _or_blank(value: Any) -> str:
    return "blank" if value in ("", None, []) else str(value)


_DETAILS: Final[dict[str, Callable[[Mapping[str, Any], Lead, Mapping[str, str]], str]]] = {
    Event.Kind.CREATED: _came_in,
    Event.Kind.MOVED: _moved,
    Event.Kind.CLOSED: _ended,
    Event.Kind.REOPENED: _ended,
    Event.Kind.EDITED: _edited,
}
