"""The page of one lead as values ready to show: who it is, where it stands, what is to be done and its history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import User

from leadcrm.lib.languages import LANGUAGES
from pipeline.boardforms import currency_choices
from pipeline.display import Due, action_of, age, badge_of, due_of, money, person, place_of, takeable
from pipeline.models import Account, AttributeDefinition, Consent, Lead, LostReason, Stage
from pipeline.related import RelatedLine, same_company, same_person
from pipeline.selectors import workable_leads
from pipeline.signals import stops_asked
from pipeline.tasklines import TaskLine, task_lines
from pipeline.timeline import Timeline, build_timeline

MOST_TASKS: Final = 50
MOST_CONSENTS: Final = 20
_WHATSAPP: Final = str(Consent.Channel.WHATSAPP.label)
_SMS: Final = str(Consent.Channel.SMS.label)
_EMAIL: Final = str(Consent.Channel.EMAIL.label)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about a lead. ``href`` is an address to open."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach the lead: ``act`` is what pressing it does, ``href`` where it leads, ``also`` another way with
    the same value; ``word``: what the lead said about that, when it did not agree to it."""

    label: str
    value: str
    act: str
    href: str
    also: tuple[tuple[str, str], ...] = ()
    word: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the lead's pipeline. ``passed``: it comes before the one in which the lead is."""

    slug: str
    name: str
    kind: str
    current: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """The latest word of the lead about one channel."""

    channel: str
    granted: bool
    wording: str
    origin: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeadPage:
    """``works``: the reader may act on the lead; ``due``: until when somebody must do something for it; ``there``: the
    time of day at the lead."""

    uid: UUID
    version: int
    title: str
    subtitle: list[str]
    badge: str
    tone: str
    pipeline: str
    pipeline_slug: str
    steps: list[Step]
    reasons: list[str]
    value: str
    currency: str
    currencies: list[tuple[str, list[tuple[str, str]]]]
    owner: str
    team: str
    action: str
    works: bool
    open: bool
    assigned: bool
    due: Due | None
    snoozed_until: datetime | None
    can_call: bool
    created_at: datetime
    age: str
    there: str
    message: str
    ways: list[Way]
    facts: list[Fact]
    consents: list[ConsentLine]
    tasks: list[TaskLine]
    person: list[RelatedLine]
    company: list[RelatedLine]
    account: Account | None
    history: Timeline


def build_lead_page(lead: Lead, user: User, now: datetime, show: str = "", before: str = "") -> LeadPage:
    """Everything about a lead that was read with its stage, owner, team, source and account.

    Args:
        show, before: which part of the history: see :func:`pipeline.timeline.build_timeline`.
    """
    badge, tone = badge_of(lead)
    consents = _consents(lead)
    others = same_person(lead, user, now)
    known = {other.uid for other in others}
    return LeadPage(
        uid=lead.uid,
        version=lead.version,
        title=str(lead),
        subtitle=[part for part in (lead.job_title, lead.company if lead.name else "") if part],
        badge=badge,
        tone=tone,
        pipeline=lead.stage.pipeline.name,
        pipeline_slug=lead.stage.pipeline.slug,
        steps=_steps(lead),
        reasons=list(LostReason.objects.values_list("name", flat=True)),
        value="" if lead.value is None else f"{lead.value:f}",
        currency=lead.currency or settings.BASE_CURRENCY,
        currencies=currency_choices(lead.currency),
        owner=person(lead.owner) if lead.owner else "",
        team=lead.team.name if lead.team else "",
        action=action_of(lead, user, takeable(user, [lead])),
        works=workable_leads(user).filter(pk=lead.pk).exists(),
        open=lead.closed_at is None and lead.archived_at is None,
        assigned=lead.owner_id is not None,
        due=due_of(lead.respond_by, now) if lead.respond_by else None,
        snoozed_until=lead.snoozed_until,
        can_call=bool(lead.phone and settings.TWILIO_FROM),
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        there=_time_there(lead, now),
        message=lead.message,
        ways=list(_ways(lead, {line.channel: line.granted for line in consents})),
        facts=[fact for fact in (*_facts(lead), *_attributes(lead)) if fact.value],
        consents=consents,
        tasks=_tasks(lead, now),
        person=others,
        company=[other for other in same_company(lead, user, now) if other.uid not in known],
        account=lead.account,
        history=build_timeline(lead, user, now, show, before),
    )


def _steps(lead: Lead) -> list[Step]:
    """The stages in their order, those that close the lead at the end."""
    stages = list(Stage.objects.filter(pipeline=lead.stage.pipeline_id).order_by("position", "pk"))
    place = next((number for number, stage in enumerate(stages) if stage.pk == lead.stage_id), 0)
    return [
        Step(stage.slug, stage.name, stage.kind, number == place, number < place and stage.kind == Stage.Kind.OPEN)
        for number, stage in enumerate(stages)
    ]


def _time_there(lead: Lead, now: datetime) -> str:
    """The time of day at the lead, empty when its zone is not known."""
    try:
        return f"{now.astimezone(ZoneInfo(lead.time_zone)):%H:%M}" if lead.time_zone else ""
    except (ZoneInfoNotFoundError, ValueError):
        return ""


def _ways(lead: Lead, agreed: Mapping[str, bool]) -> Iterator[Way]:
    stopped = _stops(lead)
    if lead.phone:
        digits = "".join(filter(str.isdigit, lead.phone))
        also = ((_WHATSAPP, f"https://wa.me/{digits}"),)
        words = [stopped.get(_SMS, ""), stopped.get(_WHATSAPP) or _word(_WHATSAPP, agreed, silent=True)]
        yield Way("Phone", lead.phone, "Call", f"tel:{lead.phone}", also, " ".join(filter(None, words)))
    if lead.email:
        word = stopped.get(_EMAIL) or _word(_EMAIL, agreed)
        yield Way("E-mail", lead.email, "Write", f"mailto:{lead.email}", word=word)


def _stops(lead: Lead) -> dict[str, str]:
    """By channel, that the address of a lead is on the stop list."""
    names = dict(Consent.Channel.choices)
    answers: list[tuple[Any, Any]] = stops_asked.send(None, lead=lead)
    stops = (stop for _, found in answers for stop in found)
    named = ((names.get(channel, channel), why) for channel, why in stops)
    return {name: f"Nothing goes there by {name}: {why}" for name, why in named}


def _word(channel: str, agreed: Mapping[str, bool], *, silent: bool = False) -> str:
    """A warning before writing to a lead; ``silent``: nobody may write who was not told that it is welcome."""
    if channel not in agreed:
        return f"No word about {channel} is on record." if silent else ""
    return "" if agreed[channel] else f"Did not agree to {channel}."


def _tasks(lead: Lead, now: datetime) -> list[TaskLine]:
    return task_lines(lead.tasks.filter(ended_at=None).select_related("lead", "assignee")[:MOST_TASKS], now)


def _consents(lead: Lead) -> list[ConsentLine]:
    """The latest record of each channel."""
    rows = lead.consents.order_by("-at", "-pk")[:MOST_CONSENTS]
    latest = {row.channel: row for row in reversed(rows)}
    return [
        ConsentLine(Consent.Channel(row.channel).label, row.granted, row.wording, row.origin, row.at)
        for row in latest.values()
    ]


def _facts(lead: Lead) -> Iterator[Fact]:
    yield Fact("Company", lead.company)
    yield Fact("Website", lead.website, lead.website if lead.website.startswith(("http://", "https://")) else "")
    yield Fact("Product", lead.product)
    yield Fact("Value", money(lead.value, lead.currency))
    yield Fact("Place", place_of(lead))
    yield Fact("Language", LANGUAGES.get(lead.language, lead.language))
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
