"""What will happen to a lead by itself if nobody does anything: the plan ahead. Reads only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from distribution.engine import sla
from distribution.engine.decision import Decision as Choice
from distribution.engine.sla import ACTIONS, BREAK, Rung, moves_lead
from distribution.models import Assignment, ClockKind, Hold, Rep, SLAClock
from distribution.services import clockrows
from distribution.services.assigning import Draft, draft_decision
from distribution.services.availability import usual_end
from distribution.services.escalation import NO_ANSWER, Step, manager_to_own, stays_with_manager, why_manager
from distribution.snapshots import leads_to_route
from pipeline.display import person
from pipeline.models import Lead

MOST_NAMES: Final = 3

_PROMISES: Final = {
    ClockKind.ACCEPT: "to accept it",
    ClockKind.CONTACT: "to reach out",
    ClockKind.IDLE: "to go on with it",
    ClockKind.LEAD: "to answer the lead",
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing to come. ``at``: None when nobody knows when; ``kind``: the action, or break, retry, wake or route."""

    at: datetime | None
    words: str
    kind: str


def plan_of(lead: Lead, now: datetime | None = None) -> list[PlanLine]:
    """What comes next for a lead, in order, as things are now. Who would be next is a preview, not a promise."""
    now = now or timezone.now()
    if lead.closed_at or lead.archived_at:
        return []
    lines = [*_waiting(lead, now), *_ladders(lead, now)]
    return sorted(lines, key=lambda line: (line.at is None, line.at or now))


# --- Nobody has it, or it rests ----------------------------------------------------------------------


def _waiting(lead: Lead, now: datetime) -> Iterator[PlanLine]:
    if lead.snoozed_until:
        yield PlanLine(lead.snoozed_until, "its promises go on", "wake")
    if lead.routing_state in Lead.UNFINISHED:
        yield PlanLine(lead.next_attempt_at, "looked for somebody again", "route")
    hold = Hold.objects.filter(lead=lead, released_at=None).first()
    if hold is not None:
        names = _who_is_back(lead, hold, now)
        yield PlanLine(hold.retry_at, "tried again" + (f" when {any_of(names)} is there" if names else ""), "retry")


def _who_is_back(lead: Lead, hold: Hold, now: datetime) -> list[str]:
    """Who becomes available at the moment at which a lead is tried again."""
    routed = leads_to_route().filter(pk=lead.pk).first()
    final = draft_decision(routed, now).choice.final if routed else None
    reps = [member.rep for member, _ in final.screening.refused] if final else []
    return [
        rep.name
        for rep in reps
        if hold.retry_at in (rep.opens_at, rep.leave.until if rep.leave else None, rep.away_until)
    ][:MOST_NAMES]


# --- Promises ----------------------------------------------------------------------------------------


def _ladders(lead: Lead, now: datetime) -> list[PlanLine]:
    rows = list(SLAClock.objects.filter(lead=lead, stopped_at=None).order_by("pk"))
    if not rows:
        return []
    hours = clockrows.hours_for(rows)
    coming = [(row, *due) for row in rows for due in _coming(_awake(clockrows.clock_of(row, hours), lead))]
    coming.sort(key=lambda one: one[2])
    return list(_told(lead, coming, now))


def _awake(clock: sla.Clock, lead: Lead) -> sla.Clock:
    """The clock as it goes on when the lead has been snoozed."""
    return sla.apply(clock, sla.RESUME, lead.snoozed_until) if lead.snoozed_until else clock


def _coming(clock: sla.Clock) -> Iterator[tuple[Rung, datetime]]:
    """The rungs that a clock has still to come, with when; none that never comes."""
    for rung in clock.ladder[clock.next_step :]:
        at = sla.instant_of(clock.count, rung.after)
        if at is not None:
            yield rung, at


def _told(lead: Lead, coming: Iterable[tuple[SLAClock, Rung, datetime]], now: datetime) -> Iterator[PlanLine]:
    """Each step in words. Once the lead moves on, its last owner's promises end."""
    held = Assignment.objects.filter(lead=lead, ended_at=None).select_related("rep__user").first()
    draft, moved = _draft(lead, held, now), 0
    for clock, rung, at in coming:
        if moved and clock.assignment_id:
            continue
        step = Step(lead, clock, held, rung, at, draft)
        words, after = _move(step, moved) if moves_lead(rung.action) else (_words(step), held)
        yield PlanLine(at, words, rung.action)
        moved += after is not held
        held = after


def _draft(lead: Lead, held: Assignment | None, now: datetime) -> Draft | None:
    routed = leads_to_route().filter(pk=lead.pk).first() if held else None
    return draft_decision(routed, now, {held.rep_id}) if held and routed else None


def _move(step: Step, moved: int) -> tuple[str, Assignment | None]:
    """Where a step that takes the lead away leads to, as things are now, and who has it then."""
    held = step.held
    if held is None:
        return "routing goes on", None
    if stays_with_manager(held):
        return "stays with the manager", held
    if not why_manager(step, moved):
        return _to(step), Assignment(rep=Rep(name="the next owner", user=held.rep.user))
    if manager := manager_to_own(step):
        return f"to {_manager(step)}", Assignment(rep=manager, trigger=Assignment.Trigger.ESCALATED)
    return f"{_manager(step)} is told", held


def _to(step: Step) -> str:
    names = any_of(_candidates(step.draft.choice)) if step.draft else ""
    to = {
        "reassign": f"to {names}",
        "offer_team": f"offered to the team {step.team}",
        "queue": f"to the queue of the team {step.team}",
    }
    return to[step.rung.action]


def _words(step: Step) -> str:
    owner = step.held.rep.name if step.held else "nobody"
    promise = _PROMISES[ClockKind(step.clock.kind)]
    words = {
        BREAK: f"the promise {promise} is broken",
        "remind": f"reminder to {owner}",
        "backup": f"reminder to {owner} by the second channel",
        "manager": f"{_manager(step)} is told",
    }
    action = step.rung.action
    if action == "set_away":
        return _set_away(step)
    label = ACTIONS[action].label if action in ACTIONS else action
    return words.get(action, label[:1].lower() + label[1:])


def _set_away(step: Step) -> str:
    """Who is away by then stays so; who is set away is so for the steps that come after."""
    if step.held is None:
        return "nobody has it: nobody is set away"
    rep = step.held.rep
    if rep.is_away(step.now):
        return f"{rep.name} is away already"
    rep.status, rep.away_until = Rep.Status.AWAY, usual_end(NO_ANSWER, step.now)
    return f"{rep.name} is set away"


def _manager(step: Step) -> str:
    return f"the manager {person(step.manager)}" if step.manager else "the manager (none is set)"


def _candidates(choice: Choice) -> Sequence[str]:
    """Who would come into question, the likeliest first."""
    final = choice.final
    ranked = final.ranking.order if final and final.ranking else [choice.winner] if choice.winner else []
    return [member.rep.name for member in ranked][:MOST_NAMES]


def any_of(names: Sequence[str]) -> str:
    """Ann; Ann or Ben; Ann, Ben or Cleo."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
