"""What steps that only tell somebody put on the timeline, for people and for messages.

The data of each line, for whoever sends messages from it:

``tell``           users who are to hear of it, by id; empty when there is nobody
``clock``          the kind of promise; ``clock_id`` and ``policy`` name it
``rep``, ``user``  who has the lead, by name and as a user; null when nobody has it
``due_at``         when the promise is due, or was; null when there is no working time
``step_due_at``    when this was to be told; ``late_seconds``: by how much it is later
``steps``          the keys of the steps it stands for, ``bundled`` how many: one line, one message, after an outage
``notes``          what the policy says to go with the message
``sentence``       for people
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from distribution.engine.moments import utc_text
from distribution.engine.sla import BREAK, Rung
from distribution.models import SLAClock
from leadcrm.lib.moments import span_text
from pipeline.display import person
from pipeline.models import Event

Due = tuple[Rung, datetime]

OWNER: Final = "owner"
MANAGER: Final = "manager"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a telling action writes: the kind of line, whom it tells, and the words for people."""

    kind: Event.Kind
    whom: tuple[str, ...]
    words: str


NOTICES: Final = {
    "remind": Notice(Event.Kind.REMINDED, (OWNER,), "Reminder to {owner}: {promise} {due}."),
    "backup": Notice(Event.Kind.BACKUP, (OWNER,), "Reminder to {owner} by the second channel: {promise} {due}."),
    "manager": Notice(Event.Kind.ESCALATED, (MANAGER,), "{manager} was told: {promise} {due}, with {owner}."),
    BREAK: Notice(Event.Kind.BROKEN, (OWNER, MANAGER), "Promise broken: {promise} {due}, with {owner}."),
}
DOES: Final = {
    "accept": "to accept within",
    "contact": "to reach out within",
    "idle": "to do something within",
    "lead": "to answer within",
}


def build_notices(row: SLAClock, taken: Sequence[Due], now: datetime) -> list[Event]:
    """Unsaved lines for steps of one clock that were taken together: one per kind, however many steps it stands for.

    Args:
        row: with its rep, its lead, and the lead's team and manager read.
    """
    by_action: dict[str, list[Due]] = {}
    for rung, due in taken:
        by_action.setdefault(rung.action, []).append((rung, due))
    return [_notice(row, NOTICES[action], dues, now) for action, dues in by_action.items()]


def _notice(row: SLAClock, notice: Notice, dues: Sequence[Due], now: datetime) -> Event:
    lead, first = row.lead, dues[0][1]
    owner = row.rep if lead.owner_id is not None else None
    manager = lead.team.manager if lead.team else None
    users = {OWNER: lead.owner_id, MANAGER: manager.pk if manager else None}
    words = notice.words.format(
        owner=owner.name if owner else "nobody",
        manager=person(manager) if manager else "No manager",
        promise=f"{DOES[row.kind]} {span_text(row.span)}",
        due=f"by {utc_text(row.due_at)}" if row.due_at else "of working time",
    )
    data: dict[str, Any] = {
        "clock": row.kind,
        "clock_id": row.pk,
        "policy": row.policy_id,
        "tell": list(dict.fromkeys(pk for whom in notice.whom if (pk := users[whom]) is not None)),
        "rep": owner.name if owner else None,
        "user": lead.owner_id,
        "due_at": row.due_at and row.due_at.isoformat(),
        "step_due_at": first.isoformat(),
        "late_seconds": int((now - first).total_seconds()),
        "steps": [rung.key for rung, _ in dues],
        "bundled": len(dues),
        "notes": _notes(rung for rung, _ in dues),
        "sentence": words,
    }
    return Event(lead=lead, kind=notice.kind, at=now, data=data)


def _notes(rungs: Iterable[Rung]) -> list[str]:
    return list(dict.fromkeys(rung.note for rung in rungs if rung.note))
