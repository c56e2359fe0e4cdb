"""Leave from calendars: a plan of what an iCalendar file changes, the same plan carried out, and calendars on the web.

The calendar's entry makes the key of a leave, so reading a calendar again changes nothing or what was changed there. A
leave that was cancelled here stays cancelled, whatever the calendar says.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, When
from django.utils import timezone

from distribution.icsfile import LARGEST_FILE, Entry, Ignored, Reading, read_file
from distribution.models import Leave, LeaveCalendar, Rep
from distribution.weekview import day_of, midnight
from leadcrm.lib.outgoing import Limits, OutgoingError, send
from leadcrm.lib.text import Unreadable
from leadcrm.lib.wake import wake

AHEAD: Final = timedelta(days=366)
REASON: Final = "on leave"
EVERY: Final = timedelta(hours=1)
# A task that was asked for has begun by then, or never will.
PATIENCE: Final = timedelta(minutes=1)
PREVIEW_KEPT: Final = timedelta(minutes=1)
NOT_NOW: Final = (
    "The calendar cannot be read just now: the program that works in the background cannot be reached. "
    "It will be read as soon as that is back; you need do nothing."
)
LIMITS: Final = Limits(seconds=20, size=LARGEST_FILE)
LONGEST_ERROR: Final = 300
Origin = Leave.Origin

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    leave: Leave
    entry: Entry


@dataclass(frozen=True, slots=True)
class LeavePlan:
    """What a calendar changes of a rep's leave. ``kept``: cancelled here, so it stays so."""

    new: tuple[Entry, ...] = ()
    changed: tuple[Change, ...] = ()
    gone: tuple[Leave, ...] = ()
    same: int = 0
    kept: tuple[Entry, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    @property
    def words(self) -> str:
        return f"{len(self.new)} new, {len(self.changed)} changed, {len(self.gone)} gone"

    @property
    def has_work(self) -> bool:
        return bool(self.new or self.changed or self.gone)


# --- The plan ----------------------------------------------------------------------------------------


def read_leave(content: bytes, rep: Rep, now: datetime) -> Reading:
    """The absences of a file from today on, for a year.

    Raises:
        Unreadable: it is no whole calendar.
    """
    today = day_of(now, rep.time_zone)
    return read_file(content, today, (now + AHEAD).date())


def plan_leave(rep: Rep, reading: Reading, now: datetime, origin: Origin) -> LeavePlan:
    """What would change. Only a calendar on the web says what is no longer there: a file may be a part of it."""
    known = {leave.calendar_uid: leave for leave in rep.leaves.exclude(calendar_uid="")}
    new, changed, kept, same = [], [], [], 0
    for entry in reading.entries:
        leave = known.get(entry.key)
        if leave is None:
            new.append(entry)
        elif leave.cancelled_at is not None:
            kept.append(entry)
        elif (leave.starts_at, leave.ends_at) != span_of(entry, rep):
            changed.append(Change(leave, entry))
        else:
            same += 1
    gone = _gone(known.values(), reading, now) if origin == Origin.CALENDAR else ()
    return LeavePlan(tuple(new), tuple(changed), gone, same, tuple(kept), reading.ignored)


def _gone(known: Iterable[Leave], reading: Reading, now: datetime) -> tuple[Leave, ...]:
    """Leave to come whose entry left the calendar. An entry that cannot be understood has not left it."""
    there = {entry.key for entry in reading.entries}
    unclear = tuple(ignored.key for ignored in reading.ignored if ignored.faulty)
    return tuple(
        leave
        for leave in known
        if leave.origin == Origin.CALENDAR
        and leave.cancelled_at is None
        and now < leave.starts_at < now + AHEAD
        and leave.calendar_uid not in there
        and leave.calendar_uid.rpartition("/")[0] not in unclear
        and leave.calendar_uid not in unclear
    )


def span_of(entry: Entry, rep: Rep) -> tuple[datetime, datetime]:
    """The whole days of an entry in the rep's time zone, as UTC instants."""
    return midnight(entry.first, rep.time_zone), midnight(entry.last + timedelta(days=1), rep.time_zone)


# --- Carrying it out ---------------------------------------------------------------------------------


@transaction.atomic
def apply_leave(rep: Rep, reading: Reading, now: datetime, origin: Origin, actor: User | None = None) -> LeavePlan:
    """Plan once more, with the rep's leave locked against a second reading, and carry the plan out. Safe to repeat."""
    locked = Rep.objects.select_for_update(no_key=True).get(pk=rep.pk)
    plan = plan_leave(locked, reading, now, origin)
    for entry in plan.new:
        _add(locked, entry, origin, actor)
    for change in plan.changed:
        _move(change.leave, *span_of(change.entry, locked))
    for leave in plan.gone:
        _forget(leave, now)
    return plan


def _add(rep: Rep, entry: Entry, origin: Origin, actor: User | None) -> None:
    starts_at, ends_at = span_of(entry, rep)
    more = {"reason": REASON, "origin": origin, "calendar_uid": entry.key, "created_by": actor}
    Leave.objects.create(rep=rep, starts_at=starts_at, ends_at=ends_at, **more)


def _move(leave: Leave, starts_at: datetime, ends_at: datetime) -> None:
    leave.starts_at, leave.ends_at = starts_at, ends_at
    leave.save(update_fields=["starts_at", "ends_at"])


def _forget(leave: Leave, now: datetime) -> None:
    """Cancelled, and no longer of that entry: should it come back, it is a new leave."""
    leave.cancelled_at, leave.calendar_uid = now, ""
    leave.save(update_fields=["cancelled_at", "calendar_uid"])


# --- Calendars on the web ------------------------------------------------------------------------------


def fetch(calendar: LeaveCalendar, now: datetime) -> Reading | None:
    """Read a calendar on the web; None when it has not changed since. Writes nothing.

    Raises:
        Unreadable: it could not be fetched, or is no calendar.
    """
    headers = {"Accept": "text/calendar", **({"If-None-Match": calendar.etag} if calendar.etag else {})}
    try:
        answer = send(calendar.url, headers=headers, limits=LIMITS)
    except OutgoingError as error:
        raise Unreadable(str(error)) from None
    if answer.status == 304:
        return None
    if answer.status != 200:
        raise Unreadable(f"The calendar answered {answer.status}{MEANINGS.get(answer.status, '')}.")
    calendar.etag = answer.headers.get("etag", "")[:200]
    return read_leave(answer.body, calendar.rep, now)


MEANINGS: Final = {
    401: " (not allowed: take the secret address)",
    403: " (not allowed: take the secret address)",
    404: " (not found: was the address reset?)",
    410: " (gone)",
}


def ask(calendar_id: int, now: datetime | None = None) -> bool:
    """Have a calendar read by a task. False: no task can be started now; a sweep reads it as soon as one can."""
    from distribution.tasks import read_leave_calendar  # it imports this module

    LeaveCalendar.objects.filter(pk=calendar_id).update(asked_at=now or timezone.now())
    return wake(read_leave_calendar, calendar_id)


def read_calendar(calendar: LeaveCalendar, now: datetime) -> bool:
    """Read one calendar and change the leave accordingly; a fault is kept for the pages and changes nothing else.

    What repeats reaches further ahead every day, so a calendar that says it is unchanged is read in full once a day.

    Returns:
        False when there was a fault.
    """
    if calendar.read_at is None or calendar.read_at.date() != now.date():
        calendar.etag = ""
    calendar.error, calendar.result = "", ""
    try:
        reading = fetch(calendar, now)
        plan = _apply(calendar, reading, now) if reading else LeavePlan()
        calendar.result = plan.words
    except Unreadable as fault:
        calendar.error = str(fault)[:LONGEST_ERROR]
    except Exception:
        # Whatever is wrong with one calendar must not stop those after it.
        logger.exception("the calendar of rep %s could not be taken over", calendar.rep_id)
        calendar.error = "Something in it could not be worked out. Whoever runs this finds more in the log."
    _note_read(calendar, now)
    return not calendar.error


@transaction.atomic
def _apply(calendar: LeaveCalendar, reading: Reading, now: datetime) -> LeavePlan:
    """Nothing is changed by a calendar that was given up, or got another address, while it was read."""
    followed = LeaveCalendar.objects.select_for_update(no_key=True).filter(pk=calendar.pk, url=calendar.url)
    return apply_leave(calendar.rep, reading, now, Origin.CALENDAR) if followed.first() else LeavePlan()


def _note_read(calendar: LeaveCalendar, now: datetime) -> None:
    """Whoever asked after this reading began is still to be served."""
    later = When(asked_at__gt=now, then=F("asked_at"))
    LeaveCalendar.objects.filter(pk=calendar.pk, url=calendar.url).update(
        read_at=now,
        error=calendar.error,
        result=calendar.result,
        etag="" if calendar.error else calendar.etag,
        asked_at=Case(later, default=None),
    )


def read_calendars(now: datetime | None = None) -> tuple[int, int]:
    """Read every calendar on the web that was not read within the last hour, and those that somebody asked for and no
    task has read; how many, and how many failed."""
    now = now or timezone.now()
    forgotten = Q(asked_at__lte=now - PATIENCE)
    due = forgotten | Q(read_at=None) | Q(read_at__lte=now - EVERY + timedelta(minutes=1))
    results = [read_calendar(calendar, now) for calendar in _calendars().filter(due).order_by("pk")]
    return len(results), results.count(False)


def read_one(calendar_id: int, now: datetime | None = None) -> bool | None:
    """Read one calendar, whenever it was read before; None when it is followed no longer."""
    calendar = _calendars().filter(pk=calendar_id).first()
    return read_calendar(calendar, now or timezone.now()) if calendar else None


def _calendars() -> QuerySet[LeaveCalendar]:
    return LeaveCalendar.objects.filter(rep__active=True).select_related("rep")


# --- What reading it would change ----------------------------------------------------------------------


def preview(calendar: LeaveCalendar) -> Reading | str | None:
    """What a calendar on the web says, or why it cannot be read; None until a task has fetched it."""
    url, found = cache.get(_preview_key(calendar.pk), ("", None))
    return found if url == calendar.url else None


def ask_preview(calendar: LeaveCalendar) -> bool:
    """Have a task fetch a calendar for :func:`preview`, once a minute at most. False: no task can be started now."""
    from distribution.tasks import preview_leave_calendar  # it imports this module

    asked = f"{_preview_key(calendar.pk)}-asked"
    started = not cache.add(asked, calendar.url, PATIENCE.seconds) or wake(preview_leave_calendar, calendar.pk)
    if not started:
        cache.delete(asked)
    return started


def keep_preview(calendar_id: int, now: datetime | None = None) -> str:
    """Fetch a calendar and keep what it says for a minute. Returns a word about how it went."""
    calendar = LeaveCalendar.objects.select_related("rep").filter(pk=calendar_id).first()
    if calendar is None:
        return "gone"
    calendar.etag = ""
    found = _fetch_safely(calendar, now or timezone.now())
    cache.set(_preview_key(calendar_id), (calendar.url, found), PREVIEW_KEPT.seconds)
    cache.delete(f"{_preview_key(calendar_id)}-asked")
    return "failed" if isinstance(found, str) else "fetched"


def _fetch_safely(calendar: LeaveCalendar, now: datetime) -> Reading | str:
    try:
        return fetch(calendar, now) or Reading()
    except Unreadable as fault:
        return str(fault)


def _preview_key(calendar_id: int) -> str:
    return f"leave-calendar-{calendar_id}"
