"""Reads an iCalendar file (RFC 5545), as Google, Outlook and Apple write them, into the days on which somebody is away.

Only all-day entries that are shown as busy count. What the calendar calls an entry is for its owner: it is shown in the
plan and not stored.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any, Final

from distribution.weekview import CENTURY
from leadcrm.lib.text import Unreadable, clean, quoted

LARGEST_FILE: Final = 5_000_000
MOST_ENTRIES: Final = 20_000
# Each that repeats takes about a millisecond to work out.
MOST_REPEATING: Final = 2_000
# Seconds for working them out: a rule that never fits a date is tried until the year 9999.
LONGEST_READING: Final = 5.0
LONGEST_KEY: Final = 300
# Everything that decides when an entry is, and whether it counts.
READ: Final = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP"}
)
ONE_DAY: Final = timedelta(days=1)

# Outlook's own word for how an entry is shown.
NOT_BUSY: Final[Mapping[str, str]] = {
    "FREE": "it is shown as free",
    "TENTATIVE": "it is tentative",
    "WORKINGELSEWHERE": "it is work somewhere else",
}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """Days of absence, ``last`` included. ``key`` is the same each time that the calendar is read."""

    first: date
    last: date
    key: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry that is no leave, and why. ``faulty``: it may be one, but cannot be understood."""

    title: str
    first: date | None
    why: str
    key: str = ""
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    entries: tuple[Entry, ...] = ()
    ignored: tuple[Ignored, ...] = ()


def read_file(content: bytes, first: date, last: date) -> Reading:
    """The absences that touch the days from ``first`` to ``last``; what lies outside is left out silently.

    Raises:
        Unreadable: it is no calendar, or not a whole one; says where.
    """
    if len(content) > LARGEST_FILE:
        raise Unreadable(f"The calendar is larger than {LARGEST_FILE // 1_000_000} MB.")
    found: list[Entry | Ignored] = []
    every = _by_uid(_events(_decoded(content)))
    if sum(map(_is_repeated, every)) > MOST_REPEATING:
        raise Unreadable(f"The calendar has more than {MOST_REPEATING:,} entries that repeat.")
    stop_at = monotonic() + LONGEST_READING
    for series in every:
        if monotonic() > stop_at:
            raise Unreadable(f"It takes too long to work out when {quoted(_title(series[0]))} repeats.")
        found += _read_series(series, first, last)
    entries = sorted({entry.key: entry for entry in found if isinstance(entry, Entry)}.values())
    return Reading(tuple(entries), tuple(entry for entry in found if isinstance(entry, Ignored)))


# --- The file ----------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as old versions of Outlook write


def _events(text: str) -> list[Any]:
    """The entries of a file whose parts are all closed, so that one that broke off is not taken for a shorter one."""
    import icalendar

    _check_parts(text)
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unreadable(f"The calendar cannot be read{_place_of(error, text)}.") from None
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if len(events) > MOST_ENTRIES:
        raise Unreadable(f"The calendar has more than {MOST_ENTRIES:,} entries.")
    return events


def _check_parts(text: str) -> None:
    open_parts: list[tuple[str, int]] = []
    number = 0
    for number, line in enumerate(text.splitlines(), 1):
        # What begins with a space goes on with the line before.
        word, _, name = line.rstrip().upper().partition(":")
        if not open_parts and line.strip() and (word, name) != ("BEGIN", "VCALENDAR"):
            raise Unreadable(f"Line {number} is {quoted(line)}, but a calendar begins with BEGIN:VCALENDAR.")
        if word == "BEGIN":
            open_parts.append((name, number))
        elif word == "END" and open_parts.pop()[0] != name:
            raise Unreadable(f"Line {number} ends {quoted(name)}, which was not begun.")
    if open_parts or not number:
        where = f"in {open_parts[-1][0]}, begun in line {open_parts[-1][1]}" if open_parts else "before it began"
        raise Unreadable(f"The calendar breaks off {where}.")


def _place_of(error: Exception, text: str) -> str:
    """Which line the library stumbled over, when it says so."""
    lines = text.splitlines()
    named = str(error).rpartition("into parts: ")[2].split("'")
    numbers = [n for n, line in enumerate(lines, 1) if len(named) > 1 and named[1] and line.startswith(named[1][:60])]
    return f": line {numbers[0]} is {quoted(lines[numbers[0] - 1])}" if numbers else f": {clean(str(error))[:150]}"


def _by_uid(events: Iterable[Any]) -> Collection[list[Any]]:
    """Entries with what was changed of single repetitions of them."""
    series: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(events):
        series[str(event.get("UID", "")) or f"without uid {number}"].append(event)
    return series.values()


# --- One entry, or one that repeats --------------------------------------------------------------------


def _read_series(series: Sequence[Any], first: date, last: date) -> Iterator[Entry | Ignored]:
    fault = next((why for event in series if (why := _fault(event))), "")
    if fault:
        yield Ignored(_title(series[0]), None, fault, _uid(series[0]), faulty=True)
    elif not _is_repeated(series):
        for event in series:
            yield from _judge(event, _uid(event), first, last)
    elif any(_is_all_day(event) for event in series):
        yield from _repeated(series, first, last)
    else:
        yield Ignored(_title(series[0]), _day(series[0]["DTSTART"].dt), "it is not a whole day")


def _repeated(series: Sequence[Any], first: date, last: date) -> Iterator[Entry | Ignored]:
    import icalendar
    import recurring_ical_events

    calendar = icalendar.Calendar()
    for event in series:
        calendar.add_component(event)
    try:
        found = recurring_ical_events.of(calendar).between(first, last + ONE_DAY)
    except Exception as error:
        why = f"it cannot be worked out when it repeats: {clean(str(error))[:100]}"
        yield Ignored(_title(series[0]), None, why, _uid(series[0]), faulty=True)
        return
    ignored = None
    for event in found:
        for answer in _judge(event, f"{_uid(event)}/{_day(event['RECURRENCE-ID'].dt)}", first, last):
            if isinstance(answer, Entry):
                yield answer
            ignored = ignored or (answer if isinstance(answer, Ignored) else None)
    if ignored:  # once for all that repeat
        yield ignored


def _judge(event: Any, key: str, first: date, last: date) -> Iterator[Entry | Ignored]:
    begins, ends = _days(event)
    if max(begins, ends) < first or begins > last:
        return
    why = _why_not(event) or ("it ends before it begins" if ends < begins else "")
    if why:
        yield Ignored(_title(event), begins, why)
    else:
        begins, ends = max(begins, CENTURY[0]), min(ends, CENTURY[1])
        yield Entry(begins, ends, key if len(key) <= LONGEST_KEY else sha256(key.encode()).hexdigest(), _title(event))


def _why_not(event: Any) -> str:
    """Why an entry is no leave, as the end of a sentence; empty when it is."""
    if not _is_all_day(event):
        return "it is not a whole day"
    if _word(event, "STATUS") == "CANCELLED":
        return "it is cancelled"
    if _word(event, "STATUS") == "TENTATIVE":
        return "it is tentative"
    if _word(event, "TRANSP") == "TRANSPARENT":
        return "it is shown as free"
    return NOT_BUSY.get(_word(event, "X-MICROSOFT-CDO-BUSYSTATUS"), "")


def _fault(event: Any) -> str:
    """Why it cannot be told when an entry is, or how often; empty when it can."""
    for name, words in event.errors:
        if name is None or name in READ:
            return f"{name or 'a line of it'} cannot be read: {clean(str(words))[:100]}"
    if not hasattr(event.get("DTSTART"), "dt"):
        return "it has no DTSTART"
    try:
        _days(event)
    except OverflowError:
        return "its days lie beyond what a calendar can say"
    for rule in _rules(event):
        if set(map(str.upper, map(str, rule.get("FREQ", ())))) & {"HOURLY", "MINUTELY", "SECONDLY"}:
            return "it repeats more often than once a day"
        if {"BYHOUR", "BYMINUTE", "BYSECOND"} & {str(part).upper() for part in rule}:
            return "it repeats at times of day"
    return ""


def _rules(event: Any) -> list[Any]:
    rules = event.get("RRULE", ())
    return rules if isinstance(rules, list) else [rules] if rules else []


def _is_repeated(series: Iterable[Any]) -> bool:
    return any(name in event for event in series for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _is_all_day(event: Any) -> bool:
    start = event["DTSTART"].dt
    return not isinstance(start, datetime) or _word(event, "X-MICROSOFT-CDO-ALLDAYEVENT") == "TRUE"


def _days(event: Any) -> tuple[date, date]:
    """First and last day. DTEND is the day after the last one; without it, or equal to the start, it is one day."""
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start + event["DURATION"].dt if "DURATION" in event else start
    begins, after = _day(start), _day(end)
    if isinstance(end, datetime) and end.time() != end.time().min:
        after += ONE_DAY
    return begins, begins if after == begins else after - ONE_DAY


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _uid(event: Any) -> str:
    return clean(str(event.get("UID", ""))) or f"without uid {_day(event['DTSTART'].dt)}"


def _title(event: Any) -> str:
    return clean(str(event.get("SUMMARY", "")))[:100] or "Untitled"


def _word(event: Any, name: str) -> str:
    return clean(str(event.get(name, ""))).upper()
