"""The history of a lead as lines ready to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from leadcrm.lib.moments import moment_text
from pipeline.display import age, person
from pipeline.models import Event, Lead, Stage
from pipeline.services.activity import CHANNELS

MOST_EVENTS: Final = 200

Data = Mapping[str, Any]
_TONES: Final = {
    Event.Kind.BROKEN: "bad",
    Event.Kind.STEP_FAILED: "bad",
    Event.Kind.FAILED: "bad",
    Event.Kind.REMINDED: "warn",
    Event.Kind.BACKUP: "warn",
    Event.Kind.ESCALATED: "warn",
    Event.Kind.MOVED_ON: "warn",
    Event.Kind.UNROUTED: "warn",
    Event.Kind.CONTACTED: "good",
    Event.Kind.REPLIED: "good",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history, newest first. ``text``: what somebody wrote; ``lead``: the uid of another lead;
    ``recording``: the address of what somebody said."""

    title: str
    detail: str
    text: str
    actor: str
    at: datetime
    age: str
    tone: str
    lead: str
    recording: str


def build_timeline(lead: Lead, now: datetime) -> list[Line]:
    """What happened to a lead that was read with its source and stage, the newest first."""
    events = lead.events.select_related("actor").order_by("-at", "-pk")[:MOST_EVENTS]
    stages = dict(Stage.objects.filter(pipeline=lead.stage.pipeline_id).values_list("slug", "name"))
    return [
        Line(
            title=event.get_kind_display(),
            detail=_detail(event, lead, stages),
            text=str(event.data.get("text") or ""),
            actor=person(event.actor) if event.actor else "",
            at=event.at,
            age=age(event.at, now),
            tone=_TONES.get(Event.Kind(event.kind), "") if event.kind in Event.Kind.values else "",
            lead=str(event.data.get("lead_uid") or ""),
            recording=str(event.data.get("recording") or ""),
        )
        for event in events
    ]


def _detail(event: Event, lead: Lead, stages: Mapping[str, str]) -> str:
    """What an event tells beside its kind."""
    describe = _DETAILS.get(event.kind)
    if describe:
        return describe(event.data, lead, stages)
    return str(event.data.get("sentence") or event.data.get("reason") or "")


def _came_in(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    owner = data.get("came_with")
    return f"From {lead.source.name}" + (f", with {owner} as its owner; the rules decide" if owner else "")


def _moved(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    before, after = str(data.get("from", "")), str(data.get("to", ""))
    return f"From {stages.get(before, before)} to {stages.get(after, after)}"


def _ended(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    stage, reason = str(data.get("stage", "")), data.get("reason")
    return f"{stages.get(stage, stage)}: {reason}" if reason else stages.get(stage, stage)


def _edited(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    changes: Mapping[str, list[Any]] = data.get("changes", {})
    return "; ".join(f"{_field(name)}: {_or_blank(old)} → {_or_blank(new)}" for name, (old, new) in changes.items())


def _field(name: str) -> str:
    return str(getattr(Lead._meta.get_field(name), "verbose_name", name)).capitalize()


def _or_blank(value: Any) -> str:
    return "blank" if value in ("", None, []) else str(value)


def _spoke(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    channel = str(data.get("channel", ""))
    return " · ".join(filter(None, (CHANNELS.get(channel, channel), data.get("first") and "the first contact")))


def _snoozed(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    """The moment is stored as it is, so it is told in the reader's zone."""
    until, reason = data.get("until"), data.get("reason", "")
    return f"Until {moment_text(datetime.fromisoformat(until))}: {reason}" if until else str(reason)


_DETAILS: Final[dict[str, Callable[[Data, Lead, Mapping[str, str]], str]]] = {
    Event.Kind.CREATED: _came_in,
    Event.Kind.MOVED: _moved,
    Event.Kind.CLOSED: _ended,
    Event.Kind.REOPENED: _ended,
    Event.Kind.EDITED: _edited,
    Event.Kind.CONTACTED: _spoke,
    Event.Kind.REPLIED: _spoke,
    Event.Kind.MESSAGED: _spoke,
    Event.Kind.SNOOZED: _snoozed,
}
