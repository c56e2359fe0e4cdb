"""Whether people can take leads now, in words for pages."""

from dataclasses import dataclass
from datetime import datetime

from distribution.engine.people import Rep
from leadcrm.lib.moments import short_moment


@dataclass(frozen=True, slots=True)
class State:
    """``code`` for programs, ``words`` for people, ``tone`` a class of the stylesheet; ``until`` when it changes."""

    code: str
    words: str
    tone: str
    until: datetime | None = None

    @property
    def here(self) -> bool:
        return self.code == "available"


def state_of(rep: Rep, now: datetime) -> State:
    """The first reason for which a rep takes no new leads now, else that the rep is available."""
    if not rep.active:
        return State("inactive", "Not active", "bad")
    if rep.away:
        words = f"Away: {rep.away_reason}" if rep.away_reason else "Away"
        return State("away", words + _until(rep.away_until, now), "warn", rep.away_until)
    if rep.leave:
        reason = rep.leave.reason
        words = "On leave" if reason.lower() in ("", "on leave") else f"On leave: {reason}"
        return State("leave", words + _until(rep.leave.until, now), "warn", rep.leave.until)
    if rep.off_hours:
        opens = f", opens {short_moment(rep.opens_at, now)}" if rep.opens_at else ", never open"
        return State("off", "Outside working hours" + opens, "info", rep.opens_at)
    if rep.capacity is not None and rep.open_leads >= rep.capacity:
        return State("full", f"Full: {load_of(rep)} open leads", "info")
    return State("available", "Available", "good")


def _until(moment: datetime | None, now: datetime) -> str:
    return f" until {short_moment(moment, now)}" if moment else ""


def load_of(rep: Rep) -> str:
    return f"{rep.open_leads} of {rep.capacity}" if rep.capacity is not None else str(rep.open_leads)
