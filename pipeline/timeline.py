"""The history of a lead as lines ready to show."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from leadcrm.lib.moments import in_readers_zone, moment_text
from pipeline.display import age, field_label, money, person
from pipeline.models import Event, Lead, Stage
from pipeline.selectors import visible_leads
from pipeline.services.activity import CHANNELS

ON_A_PAGE: Final = 30
_KINDS = Event.Kind
# What a reader may ask to see alone. A reply is a contact and a message.
SHOWS: Final[Mapping[str, tuple[str, Collection[str]]]] = {
    "contacts": ("Contacts", (_KINDS.CONTACTED, _KINDS.REPLIED, _KINDS.CALLED)),
    "messages": ("Messages", (_KINDS.MESSAGED, _KINDS.REPLIED)),
    "notes": (
        "Notes and tasks",
        (
            *(_KINDS.NOTED, _KINDS.TASK_ADDED, _KINDS.TASK_CHANGED),
            *(_KINDS.TASK_DUE, _KINDS.TASK_DONE, _KINDS.TASK_DROPPED),
        ),
    ),
    "changes": (
        "Changes",
        (
            *(_KINDS.CREATED, _KINDS.MATCHED, _KINDS.EDITED, _KINDS.MOVED, _KINDS.CLOSED, _KINDS.REOPENED),
            *(_KINDS.SNOOZED, _KINDS.WOKEN, _KINDS.CONSENT),
        ),
    ),
    "routing": ("Routing", ()),  # the rest
}
_NOT_ROUTING: Final = frozenset(kind for _, kinds in SHOWS.values() for kind in kinds)

Data = Mapping[str, Any]
# What was taken back, by the event that did so.
_UNDONE: Final[Mapping[str, str]] = {
    _KINDS.MOVED: "Move undone",
    _KINDS.CLOSED: "Opening again undone",
    _KINDS.REOPENED: "Closing undone",
}
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
    Event.Kind.TASK_DONE: "good",
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


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of the history. ``show``: a key of ``SHOWS``, empty for everything; ``older``: where the next page begins,
    empty at the end."""

    show: str
    lines: list[Line]
    older: str


def build_timeline(lead: Lead, user: User | AnonymousUser, now: datetime, show: str = "", before: str = "") -> Timeline:
    """What happened to a lead that was read with its source and stage, the newest first.

    Args:
        user: who reads it; there is no way from here to leads that they may not see.
        show: a key of ``SHOWS``; anything else is everything.
        before: what the page before gave as ``older``; anything else begins with the newest.
    """
    show = show if show in SHOWS else ""
    events = list(_events(lead, show, _place(before))[: ON_A_PAGE + 1])
    stages = dict(Stage.objects.filter(pipeline=lead.stage.pipeline_id).values_list("slug", "name"))
    shown = events[:ON_A_PAGE]
    older = f"{shown[-1].at.isoformat()}~{shown[-1].pk}" if len(events) > ON_A_PAGE else ""
    known = _known_leads(shown, user)
    return Timeline(show, [_line(event, lead, stages, known, now) for event in shown], older)


def _other_lead(event: Event) -> str:
    return str(event.data.get("lead_uid") or "")


def _known_leads(events: Iterable[Event], user: User | AnonymousUser) -> set[str]:
    """The uids of the other leads that these events name, as far as the user may see them."""
    named = {uid for uid in map(_other_lead, events) if uid}
    found = visible_leads(user).filter(uid__in=named).values_list("uid", flat=True) if named else ()
    return {str(uid) for uid in found}


def _events(lead: Lead, show: str, place: tuple[datetime, int] | None) -> QuerySet[Event]:
    """By moment and number: a page that is asked for later begins where the last one ended, whatever came meanwhile."""
    events = lead.events.exclude(kind__in=Event.UNTOLD).select_related("actor").order_by("-at", "-pk")
    if show == "routing":
        events = events.exclude(kind__in=_NOT_ROUTING)
    elif show:
        events = events.filter(kind__in=SHOWS[show][1])
    if place:
        at, pk = place
        events = events.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    return events


def _place(text: str) -> tuple[datetime, int] | None:
    at, _, pk = text.partition("~")
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (moment, int(pk)) if pk.isascii() and pk.isdigit() and len(pk) < 19 else None


def _line(event: Event, lead: Lead, stages: Mapping[str, str], known: Collection[str], now: datetime) -> Line:
    other = _other_lead(event)
    return Line(
        title=_title(event),
        detail=_detail(event, lead, stages),
        text=str(event.data.get("text") or ""),
        actor=person(event.actor) if event.actor else "",
        at=event.at,
        age=age(event.at, now),
        tone=_TONES.get(Event.Kind(event.kind), "") if event.kind in Event.Kind.values else "",
        lead=other if other in known else "",
        recording=str(event.data.get("recording") or ""),
    )


def _title(event: Event) -> str:
    """What happened, in words; of a kind that is not known any more what is stored."""
    undone = _UNDONE.get(event.kind) if event.data.get("undone") else None
    return undone or event.get_kind_display()


def _detail(event: Event, lead: Lead, stages: Mapping[str, str]) -> str:
    """What an event tells beside its kind."""
    describe = _DETAILS.get(event.kind)
    if describe:
        return describe(event.data, lead, stages)
    return in_readers_zone(str(event.data.get("sentence") or event.data.get("reason") or ""))


def _came_in(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    owner = data.get("came_with")
    return f"From {lead.source.name}" + (f", with {owner} as its owner; the rules decide" if owner else "")


def _moved(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    before, after = str(data.get("from", "")), str(data.get("to", ""))
    return f"From {stages.get(before, before)} to {stages.get(after, after)}"


def _ended(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    stage, more = str(data.get("stage", "")), data.get("reason") or data.get("value")
    return f"{stages.get(stage, stage)}: {more}" if more else stages.get(stage, stage)


def _had(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    rep, reason = data.get("rep"), data.get("reason") or data.get("sentence")
    return ": ".join(str(part) for part in (rep and f"{rep} had it", reason) if part)


def _edited(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    if "archived" in data:
        return "Put out of sight" if data["archived"] else "Brought back"
    changes: Mapping[str, list[Any]] = data.get("changes", {})
    if "value" in changes:
        changes = {**changes, "value": _worth(data)}
    told = ((field_label(name), _or_blank(old), _or_blank(new)) for name, (old, new) in changes.items())
    return "; ".join(f"{label}: {old} → {new}" for label, old, new in told)


def _worth(data: Data) -> list[str]:
    """The old and the new value as money; without the currency where it was not noted."""
    currencies = data["changes"].get("currency") or [data.get("currency", "")] * 2
    pairs = zip(data["changes"]["value"], currencies, strict=True)
    return [money(Decimal(amount), currency).strip() if amount else "" for amount, currency in pairs]


def _or_blank(value: Any) -> str:
    return "blank" if value in ("", None, []) else str(value)


def _spoke(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    channel = str(data.get("channel", ""))
    return " · ".join(filter(None, (CHANNELS.get(channel, channel), data.get("first") and "the first contact")))


def _snoozed(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    """The moment is stored as it is, so it is told in the reader's zone."""
    until, reason = data.get("until"), data.get("reason", "")
    return ": ".join(filter(None, (until and f"Until {moment_text(datetime.fromisoformat(until))}", str(reason))))


def _task(data: Data, lead: Lead, stages: Mapping[str, str]) -> str:
    due, who = data.get("due"), data.get("who")
    return f"Due {moment_text(datetime.fromisoformat(due))}{f', for {who}' if who else ''}" if due else ""


_DETAILS: Final[dict[str, Callable[[Data, Lead, Mapping[str, str]], str]]] = {
    Event.Kind.CREATED: _came_in,
    Event.Kind.MOVED: _moved,
    Event.Kind.CLOSED: _ended,
    Event.Kind.REOPENED: _ended,
    Event.Kind.RELEASED: _had,
    Event.Kind.RETURNED: _had,
    Event.Kind.EDITED: _edited,
    Event.Kind.CONTACTED: _spoke,
    Event.Kind.REPLIED: _spoke,
    Event.Kind.MESSAGED: _spoke,
    Event.Kind.SNOOZED: _snoozed,
    Event.Kind.TASK_ADDED: _task,
    Event.Kind.TASK_CHANGED: _task,
    Event.Kind.TASK_DUE: _task,
    Event.Kind.TASK_DONE: _task,
    Event.Kind.TASK_DROPPED: _task,
}
