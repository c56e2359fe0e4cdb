"""Whether people can take leads now, in words for pages."""

from dataclasses import dataclass
from datetime import datetime

from distribution.engine.people import Rep
from leadcrm.lib.moments import short_moment


@dataclass(frozen=True, slots=True)
class State:
    """``code`` for programs, ``words`` for people, ``short`` where there is little room, ``tone`` a class of the
    stylesheet."""

    code: str
    words: str
    short: str
    tone: str

    @property
    def here(self) -> bool:
        return self.code == "available"


def state_of(rep: Rep, now: datetime) -> State:
    """The first reason for which a rep takes no new leads now, else that the rep is available."""
    if not rep.active:
        return State("inactive", "Not active", "Not active", "bad")
    if rep.away:
        return _absent("away", "Away", rep.away_reason, rep.away_until, now)
    if rep.leave:
        reason = rep.leave.reason.removeprefix("on ").removeprefix("On ")  # as sentences about them say
        return _absent("leave", "On leave", "" if reason.lower() == "leave" else reason, rep.leave.until, now)
    if rep.off_hours:
        end = _until(rep.opens_at, now) or ", and none are ahead"
        return State("off", f"Outside working hours{end}", f"Off{end}" if rep.opens_at else "Off", "info")
    if rep.capacity is not None and rep.open_leads >= rep.capacity:
        return State("full", f"Full: {load_of(rep)} open leads", "Full", "info")
    return State("available", "Available", "Available", "good")


def _absent(code: str, words: str, reason: str, until: datetime | None, now: datetime) -> State:
    end = _until(until, now)
    return State(code, f"{words}: {reason}{end}" if reason else f"{words}{end}", f"{words}{end}", "warn")


def _until(moment: datetime | None, now: datetime) -> str:
    return f" until {short_moment(moment, now)}" if moment else ""


def load_of(rep: Rep) -> str:
    return f"{rep.open_leads} of {rep.capacity}" if rep.capacity is not None else str(rep.open_leads)
