"""Whether a rep takes leads now, and the next leave, as the rep's day shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from distribution.availabilityforms import away_reasons
from distribution.compiling import live_timetable
from distribution.engine.people import Cap
from distribution.leavespan import span_text
from distribution.models import AwayReason, Rep
from distribution.people import load_rep
from distribution.states import State, load_of, state_of


@dataclass(frozen=True, slots=True)
class MyStatus:
    """What ``distribution/_status.html`` shows of the reader. ``leave``: the next one in words, and who stands in."""

    id: int
    own: bool
    state: State
    reasons: list[AwayReason]
    load: str
    caps: Sequence[Cap]
    leave: str
    cover: str


def build_status(rep: Rep, now: datetime) -> MyStatus:
    """The status of the signed-in rep; a fixed number of queries."""
    person = load_rep(now, live_timetable(), pk=rep.pk)
    if person is None:
        raise LookupError(f"there is no rep {rep.pk}")
    coming = rep.leaves.filter(ends_at__gt=now, cancelled_at=None).select_related("rep", "cover")
    leave = coming.order_by("starts_at").first()
    return MyStatus(
        id=rep.pk,
        own=True,
        state=state_of(person, now),
        reasons=away_reasons(),
        load=load_of(person),
        caps=person.caps,
        leave=span_text(leave) if leave else "",
        cover=leave.cover.name if leave and leave.cover else "",
    )
