"""Moves cards on a board: to whichever stage, back again, and to a place of their own in the column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from pipeline.errors import StaleLead, TooLate, WrongStage
from pipeline.models import Event, Lead, Stage
from pipeline.services.activity import untouch
from pipeline.services.events import record
from pipeline.services.leads import (
    BEFORE,
    TOUCHES,
    change_lead,
    close_lead,
    move_lead,
    reopen_lead,
    standing_read,
    wake_router,
)
from pipeline.services.limits import make_room
from pipeline.signals import closing_undone, lead_closed

UNDO_SECONDS: Final = 10
# A press in the last second still has to travel.
_GRACE: Final = timedelta(seconds=5)
_UNDONE: Final = "undone"
_MOVES: Final = (Event.Kind.MOVED, Event.Kind.CLOSED, Event.Kind.REOPENED)
_GAP: Final = timedelta(seconds=1)
_SMALLEST: Final = timedelta(microseconds=2)
# In an event: the places of many cards of the column are others now.
ALL_MOVED: Final = "all_moved"


def move_on(
    lead: Lead,
    stage: Stage,
    *,
    actor: User | None,
    version: int | None = None,
    lost_reason: str = "",
    worth: Mapping[str, Any] | None = None,
    board_at: datetime | None = None,
) -> None:
    """Put a lead into a stage, whatever that means: move, close or reopen it.

    Raises:
        PipelineError, InvalidLead: as the service that it takes says; nothing was changed.
    """
    if stage.kind == Stage.Kind.OPEN and lead.closed_at:
        reopen_lead(lead, stage, actor=actor, version=version)
    elif stage.kind == Stage.Kind.OPEN:
        move_lead(lead, stage, actor=actor, version=version, board_at=board_at)
    elif lead.closed_at and lead.stage_id != stage.pk:
        raise WrongStage("This lead is closed. Reopen it first: move it to an open stage.")
    elif not lead.closed_at:
        close_lead(lead, stage, actor=actor, lost_reason=lost_reason, worth=worth, version=version)


# --- Undoing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LastMove:
    """A move that may still be undone. ``by``: whose it was, as a user's id; ``stage`` and ``before``: where the lead
    was, and the other columns that the move changed, as they were; ``touches``: for :func:`untouch`."""

    by: int | None
    stage: Stage
    before: dict[str, Any]
    touches: Any


def last_moves(leads: Iterable[Lead], now: datetime | None = None) -> dict[int, LastMove]:
    """The last moves of leads, by lead, as far as it is not too late to undo them. Two queries for any number."""
    since = (now or timezone.now()) - timedelta(seconds=UNDO_SECONDS) - _GRACE
    moves = Event.objects.filter(lead__in=[lead.pk for lead in leads], kind__in=_MOVES, at__gte=since).order_by("pk")
    latest = {event.lead_id: event for event in moves}
    before = {pk: standing_read(event.data[BEFORE]) for pk, event in latest.items() if BEFORE in event.data}
    stages = Stage.objects.in_bulk({back["stage_id"] for back in before.values()})
    found = ((latest[pk], stages.get(back.pop("stage_id")), back) for pk, back in before.items())
    return {
        event.lead_id: LastMove(event.actor_id, stage, back, event.data[BEFORE].get(TOUCHES, ()))
        for event, stage, back in found
        if stage
    }


def undo_move(lead: Lead, *, actor: User, version: int, now: datetime | None = None) -> None:
    """Take back the last move of a lead, by who made it, while nobody changed the lead since.

    Args:
        version: the lead's version after the move.

    Raises:
        TooLate: ten seconds have passed, or there is no such move; StaleLead: somebody changed it meanwhile; StageFull:
        another lead took its place.
    """
    take_back(lead, last_moves([lead], now).get(lead.pk), actor=actor, version=version)


def take_back(lead: Lead, move: LastMove | None, *, actor: User, version: int) -> None:
    """:func:`undo_move` for a move that was read with those of other leads (:func:`last_moves`)."""
    if move is None or move.by != actor.pk:
        raise TooLate
    if lead.version != version:
        raise StaleLead
    reopened = bool(lead.closed_at and not move.before["closed_at"])
    closed = bool(move.before["closed_at"] and not lead.closed_at)
    left, closed_at = lead.stage, lead.closed_at
    with transaction.atomic():
        if not move.before["closed_at"]:
            make_room(lead, move.stage)
        change_lead(lead, version, stage=move.stage, **move.before)
        _record_undo(lead, left, move.stage, actor)
        untouch(lead, move.touches)
        if closed:
            lead_closed.send(Lead, lead=lead, actor=actor, at=timezone.now())
        if reopened:
            closing_undone.send(Lead, lead=lead, closed_at=closed_at)
            wake_router(lead.pk)


def _record_undo(lead: Lead, before: Stage, stage: Stage, actor: User) -> None:
    if stage.kind != Stage.Kind.OPEN:
        record(lead, Event.Kind.CLOSED, actor=actor, stage=stage.slug, reason=lead.lost_reason, **{_UNDONE: True})
    elif before.kind != Stage.Kind.OPEN:
        record(lead, Event.Kind.REOPENED, actor=actor, stage=stage.slug, **{_UNDONE: True})
    else:
        record(lead, Event.Kind.MOVED, actor=actor, **{"from": before.slug, "to": stage.slug, _UNDONE: True})


# --- By hand -------------------------------------------------------------------------------------


def place_lead(lead: Lead, at: datetime, *, actor: User | None, version: int) -> None:
    """Give an open lead a place of its own in its column (:func:`place_below`).

    Open boards hear of it. It is no part of the lead's history, and its version stays.

    Raises:
        StaleLead: somebody changed the lead meanwhile.
    """
    with transaction.atomic():
        if not Lead.objects.filter(pk=lead.pk, version=version, closed_at=None).update(board_at=at):
            raise StaleLead
        _tell_boards(lead, actor)
    lead.board_at = at


def _tell_boards(lead: Lead, actor: User | None, *, all_moved: bool = False) -> None:
    now, data = timezone.now(), {ALL_MOVED: True} if all_moved else {}
    Event.objects.create(lead=lead, kind=Event.Kind.SORTED, at=now, actor=actor, data=data, fanned_out_at=now)


def place_below(stage: Stage, above: Lead | None, moving: Lead) -> datetime:
    """The place right below a card of a column, or on top of it (None). Makes room where there is none left."""
    column = Lead.objects.filter(stage=stage, closed_at=None, archived_at=None).exclude(pk=moving.pk)
    if above is None:
        top = column.order_by("-board_at").values_list("board_at", flat=True).first()
        return max(timezone.now(), top + _GAP) if top else timezone.now()
    lower = Q(board_at__lt=above.board_at) | Q(board_at=above.board_at, pk__lt=above.pk)
    below = column.filter(lower).order_by("-board_at", "-pk").values_list("board_at", flat=True).first()
    if below is None:
        return above.board_at - _GAP
    if above.board_at - below < _SMALLEST:
        with transaction.atomic():
            column.exclude(lower).update(board_at=F("board_at") + _GAP)
            _tell_boards(above, None, all_moved=True)
        return below + _GAP / 2
    return below + (above.board_at - below) / 2
