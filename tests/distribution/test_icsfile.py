"""Calendar files as Google, Outlook and Apple write them: which entries are leave, on which days, and which are not."""

from datetime import date

import pytest

from distribution import icsfile
from distribution.icsfile import LARGEST_FILE, Reading, read_file
from leadcrm.lib.text import Unreadable

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)

GOOGLE = """
BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Ada
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260706
DTEND;VALUE=DATE:20260718
DTSTAMP:20260101T080000Z
UID:1abc@google.com
CREATED:20251201T080000Z
SEQUENCE:0
STATUS:CONFIRMED
SUMMARY:Summer holidays\\, at
  last
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260310
DTEND;VALUE=DATE:20260311
DTSTAMP:20260101T080000Z
UID:2abc@google.com
SUMMARY:Birthday of Bo
STATUS:CONFIRMED
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
DTSTART:20260311T090000Z
DTEND:20260311T100000Z
DTSTAMP:20260101T080000Z
UID:3abc@google.com
SUMMARY:Call
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260401
DTEND;VALUE=DATE:20260402
DTSTAMP:20260101T080000Z
UID:4abc@google.com
SUMMARY:Called off
STATUS:CANCELLED
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20200101
DTEND;VALUE=DATE:20200102
DTSTAMP:20200101T080000Z
UID:5abc@google.com
SUMMARY:Long ago
END:VEVENT
END:VCALENDAR
"""

OUTLOOK = """
BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
CLASS:PUBLIC
DTSTART;TZID="W. Europe Standard Time":20260504T000000
DTEND;TZID="W. Europe Standard Time":20260509T000000
DTSTAMP:20260101T080000Z
SUMMARY;LANGUAGE=en-us:Out of office
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E008
X-MICROSOFT-CDO-BUSYSTATUS:OOF
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
BEGIN:VALARM
TRIGGER:-PT15M
ACTION:DISPLAY
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260511
DTEND;VALUE=DATE:20260512
DTSTAMP:20260101T080000Z
SUMMARY:At the office in Vienna
UID:elsewhere
TRANSP:OPAQUE
X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260513
DTEND;VALUE=DATE:20260514
DTSTAMP:20260101T080000Z
SUMMARY:Perhaps a day off
UID:perhaps
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID="W. Europe Standard Time":20260515T000000
DTEND;TZID="W. Europe Standard Time":20260515T120000
DTSTAMP:20260101T080000Z
SUMMARY:Half a day
UID:half
X-MICROSOFT-CDO-BUSYSTATUS:OOF
X-MICROSOFT-CDO-ALLDAYEVENT:FALSE
END:VEVENT
END:VCALENDAR
"""

APPLE = """
BEGIN:VCALENDAR
CALSCALE:GREGORIAN
PRODID:-//Apple Inc.//macOS 15.5//EN
VERSION:2.0
X-APPLE-CALENDAR-COLOR:#1BADF8
BEGIN:VEVENT
CREATED:20260101T080000Z
DTSTAMP:20260101T080000Z
DTSTART;VALUE=DATE:20260102
DTEND;VALUE=DATE:20260103
EXDATE;VALUE=DATE:20260116
RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20260227
SEQUENCE:1
SUMMARY:Day off
TRANSP:OPAQUE
UID:A1B2
X-APPLE-CREATOR-IDENTITY:com.apple.mobilecal
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260101T080000Z
DTSTART;VALUE=DATE:20260202
DTEND;VALUE=DATE:20260204
RECURRENCE-ID;VALUE=DATE:20260130
SEQUENCE:2
SUMMARY:Day off\\, and one more
TRANSP:OPAQUE
UID:A1B2
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260101T080000Z
DTSTART;VALUE=DATE:20260213
DTEND;VALUE=DATE:20260214
RECURRENCE-ID;VALUE=DATE:20260213
SUMMARY:Day off
TRANSP:TRANSPARENT
UID:A1B2
END:VEVENT
END:VCALENDAR
"""


def calendar_of(*entries: str) -> bytes:
    """A file with entries, each given by its lines; the UID is a number unless one is given."""
    events = "".join(_event(number, lines) for number, lines in enumerate(entries))
    return as_sent(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{events}END:VCALENDAR\n".replace("\n\n", "\n"))


def _event(number: int, lines: str) -> str:
    uid = "" if "UID:" in lines else f"UID:entry{number}"
    return f"BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n{uid}\n{lines}\nEND:VEVENT\n"


def as_sent(text: str) -> bytes:
    return text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


def read(content: bytes) -> Reading:
    return read_file(content, FIRST, LAST)


def days(reading: Reading) -> list[tuple[str, str]]:
    return [(f"{entry.first:%m-%d}", f"{entry.last:%m-%d}") for entry in reading.entries]


def whys(reading: Reading) -> dict[str, str]:
    return {ignored.title: ignored.why for ignored in reading.ignored}


def test_google():
    reading = read(as_sent(GOOGLE))
    assert days(reading) == [("07-06", "07-17")]
    assert (reading.entries[0].title, reading.entries[0].key) == ("Summer holidays, at last", "1abc@google.com")
    assert whys(reading) == {
        "Birthday of Bo": "it is shown as free",
        "Call": "it is not a whole day",
        "Called off": "it is cancelled",
    }


def test_outlook():
    reading = read(as_sent(OUTLOOK))
    assert days(reading) == [("05-04", "05-08")]
    assert whys(reading) == {
        "At the office in Vienna": "it is work somewhere else",
        "Perhaps a day off": "it is tentative",
        "Half a day": "it is not a whole day",
    }


def test_apple_with_what_repeats_is_left_out_moved_or_freed():
    reading = read(as_sent(APPLE))
    assert days(reading) == [("01-02", "01-02"), ("02-02", "02-03"), ("02-27", "02-27")]
    assert [entry.key for entry in reading.entries] == ["A1B2/2026-01-02", "A1B2/2026-01-30", "A1B2/2026-02-27"]
    assert whys(reading) == {"Day off": "it is shown as free"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART;VALUE=DATE:20260105", ("01-05", "01-05")),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260105", ("01-05", "01-05")),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260108", ("01-05", "01-07")),
        ("DTSTART;VALUE=DATE:20260105\nDURATION:P3D", ("01-05", "01-07")),
        ("DTSTART;VALUE=DATE:20260105\nDURATION:P1W", ("01-05", "01-11")),
        ("DTSTART;VALUE=DATE:20251220\nDTEND;VALUE=DATE:20260103", ("12-20", "01-02")),
        ("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270103", ("12-31", "01-02")),
        ("DTSTART:20260105T000000\nDTEND:20260106T235900\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", ("01-05", "01-06")),
    ],
)
def test_the_days_of_an_entry(lines: str, expected: tuple[str, str]):
    assert days(read(calendar_of(lines))) == [expected]


def test_what_repeats_without_end_is_read_for_the_days_asked_for():
    reading = read(calendar_of("DTSTART;VALUE=DATE:20200106\nRRULE:FREQ=WEEKLY"))
    assert len(reading.entries) == 52
    assert {entry.first.isoweekday() for entry in reading.entries} == {1}


def test_what_repeats_at_more_dates():
    lines = "DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=DATE:20260301,20260401"
    assert days(read(calendar_of(lines))) == [("01-05", "01-05"), ("03-01", "03-01"), ("04-01", "04-01")]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("SUMMARY:x", "it has no DTSTART"),
        ("DTSTART;VALUE=DATE:2026-13-45", "DTSTART cannot be read"),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:soon", "DTEND cannot be read"),
        ("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=NEVER", "RRULE cannot be read"),
        ("DTSTART;VALUE=DATE:20260105\nthis is no line", "a line of it cannot be read"),
        ("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=SECONDLY", "more often than once a day"),
        ("DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY;BYHOUR=1,2,3", "at times of day"),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260101", "it ends before it begins"),
        ("DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:00010101", "beyond what a calendar can say"),
        ("DTSTART;VALUE=DATE:99991230\nDURATION:P9D", "beyond what a calendar can say"),
    ],
)
def test_an_entry_that_cannot_be_understood_is_left_out_with_a_reason(lines: str, why: str):
    reading = read(calendar_of(lines, "DTSTART;VALUE=DATE:20260201"))
    assert days(reading) == [("02-01", "02-01")]
    assert why in reading.ignored[0].why


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "breaks off before it began"),
        (b"<!doctype html>\n<p>Sign in", 'Line 1 is "<!doctype html>"'),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "begins with BEGIN:VCALENDAR"),
        (as_sent(GOOGLE)[:700], "breaks off in VEVENT, begun in line"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n", 'Line 3 ends "VCALENDAR"'),
        (b"BEGIN:VCALENDAR\nnonsense here\nEND:VCALENDAR\n", 'line 2 is "nonsense here"'),
        (b"\x00\xff\xfe" * 50, "Line 1 is"),
        (b"x" * (LARGEST_FILE + 1), "larger than 5 MB"),
    ],
)
def test_what_is_no_whole_calendar_is_refused_and_the_place_is_named(content: bytes, words: str):
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert words in str(refused.value)


def test_files_with_a_mark_in_front_without_carriage_returns_and_in_an_old_encoding():
    plain = calendar_of("DTSTART;VALUE=DATE:20260105\nSUMMARY:Ürlaub")
    for content in (b"\xef\xbb\xbf" + plain, plain.replace(b"\r\n", b"\n"), plain.decode().encode("cp1252"), plain * 2):
        assert [entry.title for entry in read(content).entries] == ["Ürlaub"]


def test_an_entry_without_a_sensible_begin_or_end_is_cut_to_this_century():
    reading = read(calendar_of("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99991231"))
    assert [(entry.first, entry.last) for entry in reading.entries] == [(date(2000, 1, 1), date(2099, 12, 31))]


def test_more_that_repeats_than_can_be_worked_out_at_once_is_refused(monkeypatch):
    monkeypatch.setattr(icsfile, "MOST_REPEATING", 2)
    weekly, once = "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=2", "DTSTART;VALUE=DATE:20260301"
    assert len(read(calendar_of(weekly, weekly, once, once)).entries) == 6
    with pytest.raises(Unreadable, match="more than 2 entries that repeat"):
        read(calendar_of(weekly, weekly, weekly))


def test_an_entry_without_a_uid_is_told_apart_by_its_day():
    text = calendar_of("DTSTART;VALUE=DATE:20260105", "DTSTART;VALUE=DATE:20260106").decode()
    reading = read(text.replace("UID:entry0\r\n", "").replace("UID:entry1\r\n", "").encode())
    assert [entry.key for entry in reading.entries] == ["without uid 2026-01-05", "without uid 2026-01-06"]


def test_a_key_is_never_longer_than_its_column():
    reading = read(calendar_of("DTSTART;VALUE=DATE:20260105").replace(b"UID:entry0", b"UID:" + b"x" * 500))
    assert len(reading.entries[0].key) == 64
