"""Cards of the board: leads as values ready to show."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from pipeline.boardorder import Order
from pipeline.display import Due, action_of, age, badge_of, due_of, initials, money, person
from pipeline.models import Lead, Stage, Task

# What a card is made of.
SHOWN: Final = (
    *("uid", "version", "stage", "source__name", "owner__first_name", "owner__last_name", "owner__username"),
    *("first_name", "last_name", "company", "email", "phone", "product", "value", "currency", "score"),
    *("routing_state", "respond_by", "next_task_at", "due_at", "snoozed_until", "board_at", "stage_since"),
    *("created_at", "assigned_at", "accepted_at", "first_contacted_at", "closed_at", "archived_at"),
)
_NIL: Final = UUID(int=0)
_LEAST_WARNING: Final = timedelta(minutes=5)
_MOST_WARNING: Final = timedelta(hours=1)
_ACCEPT: Final = "Accept"


@dataclass(frozen=True, slots=True)
class Card:
    """One lead on the board.

    ``badge``: where the lead stands, unless its column, its clock or its button says so. ``step``: what comes next,
    unless its button (``action``) says so, with ``due`` until when and ``amber`` from when it is urgent.
    ``rotting``: the days it has been in its stage, once they are too many. ``place`` orders the cards of a column.
    """

    uid: str
    page: str
    version: int
    stage: str
    place: str
    title: str
    company: str
    product: str
    value: str
    score: int | None
    source: str
    created_at: datetime
    age: str
    badge: str
    tone: str
    owner: str
    initials: str
    action: str
    step: str
    due: Due | None
    amber: datetime | None
    snoozed_until: datetime | None
    rotting: int

    def __getitem__(self, name: str) -> object:
        """Templates ask for an item before an attribute: an exception for each value of each card is a tenth of a
        board's time."""
        return getattr(self, name)


@cache
def root_of(name: str, *before: str) -> str:
    """What the addresses of leads begin with: looking each up would take longer than showing its card."""
    return reverse(name, args=[*before, _NIL]).removesuffix(f"{_NIL}/")


def build_card(lead: Lead, user: User, order: Order, free: Collection[int], now: datetime) -> Card:
    """One lead as a card. Reads its stage, source and owner; ``free``: the leads that the user may take."""
    action = action_of(lead, user, free)
    owner = person(lead.owner) if lead.owner else ""
    step, uid = _step_of(lead), str(lead.uid)
    badge, tone = _badge(lead, told=bool(action) or step.text == _ACCEPT)
    return Card(
        uid=uid,
        page=f"{root_of('lead')}{uid}/",
        version=lead.version,
        stage=lead.stage.slug,
        place=order.place_of(lead),
        title=str(lead),
        company=lead.company if lead.name else "",
        product=lead.product,
        value=money(lead.value, lead.currency),
        score=lead.score,
        source=lead.source.name,
        created_at=lead.created_at,
        age=age(lead.created_at, now),
        badge=badge,
        tone=tone,
        owner="You" if lead.owner_id == user.pk else owner,
        initials=initials(owner),
        action=action,
        step="" if action == "accept" and step.text == _ACCEPT else step.text,
        due=due_of(step.due, now) if step.due else None,
        amber=step.amber,
        snoozed_until=lead.snoozed_until,
        rotting=_rotting(lead, lead.stage, now),
    )


def _badge(lead: Lead, *, told: bool) -> tuple[str, str]:
    """Where a lead stands and its tone, or nothing when that is told already: by its column, a button or a clock."""
    words, tone = badge_of(lead)
    told = told or bool(lead.closed_at or lead.first_contacted_at) or words.casefold() == lead.stage.name.casefold()
    return ("", "") if told else (words, tone)


class _Step(NamedTuple):
    text: str = ""
    due: datetime | None = None
    amber: datetime | None = None


def with_next_task(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    """With the text of the first open task of each, as ``task_text``."""
    tasks = Task.objects.filter(lead=OuterRef("pk"), ended_at=None).order_by("due_at", "pk")
    return leads.annotate(task_text=Subquery(tasks.values("text")[:1]))


def _step_of(lead: Lead) -> _Step:
    """What comes next: the promise that runs or the first open task, whichever is due first. Nothing when that is the
    end of its rest."""
    if lead.closed_at or lead.due_at is None or lead.due_at == lead.snoozed_until:
        return _Step()
    if lead.snoozed_until is None and lead.due_at == lead.respond_by:
        return _Step(_promised(lead), lead.due_at, _amber(lead, lead.due_at))
    return _Step(getattr(lead, "task_text", ""), lead.due_at, lead.due_at - _MOST_WARNING)


def _promised(lead: Lead) -> str:
    if lead.owner_id and not lead.accepted_at:
        return _ACCEPT
    return "Follow up" if lead.first_contacted_at else "Contact"


def _amber(lead: Lead, respond_by: datetime) -> datetime:
    """From when a promise is urgent: its last quarter, at least five minutes and at most an hour."""
    whole = respond_by - (lead.assigned_at or lead.created_at)
    return respond_by - min(max(whole / 4, _LEAST_WARNING), _MOST_WARNING)


def _rotting(lead: Lead, stage: Stage, now: datetime) -> int:
    days = (now - lead.stage_since).days
    return days if stage.rot_days and not lead.closed_at and days >= stage.rot_days else 0
