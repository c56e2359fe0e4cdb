"""Turns events into messages: after the commit of what happened, and by a sweep over what nobody was told yet."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.choosing import wishes_of
from notifications.kinds import Kind, kinds_of
from notifications.models import FanOutFailure, Notification, Sequence
from notifications.services import sequences
from notifications.services.planning import Subject, plan
from notifications.services.telling import store
from pipeline.models import Event

logger = logging.getLogger(__name__)

CHUNK: Final = 200
RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=6)


@dataclass(slots=True)
class Telling:
    """Who is told of which events, and what went wrong finding that out, by event."""

    audience: list[tuple[Kind, Event, int]] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)


def fan_out(*, limit: int = 5000, now: datetime | None = None) -> int:
    """Tell what happened and nobody was told yet, oldest first; returns how many events it looked at.

    Several may run at once, and twice: each event is taken by one, and each message stored once. An event of which
    telling fails stops no other: it is noted, shown, and tried again later.
    """
    now = now or timezone.now()
    done = 0
    while done < limit:
        found = _tell_chunk(now)
        done += found
        if found < CHUNK:
            break
    return done + _retry_failures(now)


def _tell_chunk(now: datetime) -> int:
    with transaction.atomic():
        events = list(_locked(Event.objects.filter(fanned_out_at=None)))
        if events:
            _tell(events, now)
            Event.objects.filter(pk__in=[event.pk for event in events]).update(fanned_out_at=now)
    return len(events)


def _retry_failures(now: datetime) -> int:
    due = FanOutFailure.objects.filter(solved_at=None, next_at__lte=now).values("event")
    with transaction.atomic():
        events = list(_locked(Event.objects.filter(pk__in=due)))
        if events:
            failed = _tell(events, now)
            solved = [event.pk for event in events if event.pk not in failed]
            FanOutFailure.objects.filter(event__in=solved).update(solved_at=now)
    return len(events)


def _locked(events: QuerySet[Event]) -> QuerySet[Event]:
    """A chunk that nobody else works on."""
    chunk = events.order_by("pk").select_for_update(skip_locked=True, no_key=True, of=("self",))
    return chunk.select_related("lead__team", "lead__owner")[:CHUNK]


def _tell(events: Iterable[Event], now: datetime) -> set[int]:
    """Store the messages about these events and note what failed; returns the events that did."""
    telling, known = Telling(), sequences.in_use()
    for event in events:
        for kind in kinds_of(event.kind):
            _add_audience(telling, kind, event)
        _begin_sequence(telling, event, known, now)
    store(_rows(telling, now), now)
    for pk, error in telling.errors.items():
        _note_failure(pk, error, now)
    return set(telling.errors)


def _add_audience(telling: Telling, kind: Kind, event: Event) -> None:
    with (
        _noting(telling, kind.label, event),
        transaction.atomic(),
    ):  # a query that fails would end the transaction of all
        users = {user for user in kind.recipients(event) if user is not None}
        telling.audience += [(kind, event, user) for user in sorted(users)]


def _begin_sequence(telling: Telling, event: Event, known: list[Sequence], now: datetime) -> None:
    """Have the lead hear from us too."""
    if known:
        with _noting(telling, "First response", event), transaction.atomic():
            sequences.begin(event, now, known)


def _rows(telling: Telling, now: datetime) -> list[Notification]:
    wishes = wishes_of(user for _, _, user in telling.audience)
    rows: list[Notification] = []
    for kind, event, user in telling.audience:
        if user in wishes:
            with _noting(telling, kind.label, event):
                rows += plan(kind, Subject(event), user, wishes[user], now)
    return rows


@contextmanager
def _noting(telling: Telling, whom: str, event: Event) -> Iterator[None]:
    """Note what fails instead of failing."""
    try:
        yield
    except Exception as error:
        logger.exception("telling %s of event %s failed", whom, event.pk)
        telling.errors[event.pk] = f"{whom}: {type(error).__name__}: {error}"[:300]


def _note_failure(event_id: int, error: str, now: datetime) -> None:
    made, new = FanOutFailure.objects.get_or_create(
        event_id=event_id, defaults={"error": error, "at": now, "next_at": now + RETRY}
    )
    if not new:
        wait = min(RETRY * 2 ** min(made.attempts, 10), LONGEST_RETRY)
        FanOutFailure.objects.filter(pk=event_id).update(
            error=error, attempts=F("attempts") + 1, next_at=now + wait, solved_at=None
        )
