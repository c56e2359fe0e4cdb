"""What the steps of a ladder do. Each is registered under the key that policies store.

To add one, put a function into the ``escalations.py`` of an installed app::

    @escalation("page_on_call", "Page whoever is on call")
    def page_on_call(step: Step) -> str:
        Page.objects.create(lead=step.lead, why=step.rung.note)
        return "on call paged"

It runs in the transaction of the step, with the lead and the clock locked, and answers with what it did. What talks to
the outside world belongs into a task that starts after the commit. A step that raises is tried again later.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.contrib.auth.models import User

from distribution.compiling import World
from distribution.engine import outcomes, people, sla
from distribution.engine.decision import Decision as Choice
from distribution.engine.sla import ACTIONS, Rung
from distribution.models import Assignment, Offer, Rep, SLAClock
from distribution.people import load_rep
from distribution.services import availability, books, clocks
from distribution.services.assigning import Draft
from distribution.services.handling import end_assignment, end_assignments
from distribution.services.recording import Case, Changed, Occasion, end_waiting, record
from leadcrm.lib.prepared import Each, Prepared
from pipeline.display import person
from pipeline.models import Event, Lead, Team
from pipeline.services.standing import Standing, place

# For how long a lead is offered to a team before it is routed again.
OFFER_FOR: Final = timedelta(minutes=15)
# Why somebody was set away by a step.
NO_ANSWER: Final = "did not answer"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that is due. ``held``: the open assignment of the lead, if anybody has it; ``draft``: where the rules
    send the lead next, with their pool locked, for actions that asked for it."""

    lead: Lead
    clock: SLAClock
    held: Assignment | None
    rung: Rung
    now: datetime
    draft: Draft | None = None

    @property
    def team(self) -> Team | None:
        """The team that answers for the lead."""
        own = self.lead.team
        if own is None and self.held is not None:
            own = self.held.rep.user.lead_teams.order_by("pk").first()
        return own

    @property
    def manager(self) -> User | None:
        return self.team.manager if self.team else None


Act = Callable[[Step], str]


HANDLERS: Final[dict[str, Act]] = {}
# Actions for which the lead is routed in thought before anything is locked.
ROUTES: Final[set[str]] = set()


def escalation(key: str, label: str = "", *, routes: bool = False) -> Callable[[Act], Act]:
    """Register what an action does; with a label, the action as well.

    Args:
        key: short and stable, policies store it. routes: give the step a draft of where the lead would go next.
    """

    def register(act: Act) -> Act:
        if label:
            ACTIONS.add(key, sla.Action(key, label))
        HANDLERS[key] = act
        if routes:
            ROUTES.add(key)
        return act

    return register


# --- Moving on -----------------------------------------------------------------------------------


@escalation("reassign", routes=True)
def reassign(step: Step) -> str:
    """Give the lead to the next who can take it now and did not have it; else to the manager."""
    return _take_away(step, _to_next)


def _take_away(step: Step, hand_on: Callable[[Step, Assignment], str]) -> str:
    """What every step asks that takes the lead from its owner."""
    if step.held is None:
        return "nobody has it; routing goes on"
    if stays_with_manager(step.held):
        return "stays with the manager"
    if because := why_manager(step):
        return to_manager(step, because)
    return hand_on(step, step.held)


def why_manager(step: Step, ahead: int = 0) -> str:
    """Why a step that takes the lead away leads to the manager; empty when it leads to others.

    Args:
        ahead: how often the lead will have moved on by then, besides the times that it has.
    """
    if hops([step.lead.pk])[step.lead.pk] + ahead >= step.clock.max_hops:
        return f"it moved on {step.clock.max_hops} times"
    if step.rung.action in ROUTES:
        return "" if step.draft and delivers(step.draft.choice) else "nobody else can take it now"
    return "" if _others(step) else "nobody else is in the team"


def _to_next(step: Step, held: Assignment) -> str:
    draft = cast(Draft, step.draft)  # without one it is the manager's turn
    move = Move(step, held, Case.of(draft.subject, draft.choice, draft.took_us))
    move_on([move], draft.world, step.now)
    return move.result


def hops(leads: Iterable[int]) -> Counter[int]:
    """How often steps took leads from their owners: for the next, for the team, or for the manager."""
    return Counter(_HOPS.rows(leads=leads))


_HOPS: Final = Prepared(
    lambda: (
        Event.objects.filter(lead__in=Each("leads", int), kind=Event.Kind.MOVED_ON)
        .order_by()
        .values_list("lead", flat=True)
    )
)


def stays_with_manager(held: Assignment) -> bool:
    """Whether a lead came to its owner, the manager, because nobody else was left: no ping-pong."""
    return held.trigger == Assignment.Trigger.ESCALATED and held.decision_id is None


def delivers(choice: Choice) -> bool:
    """Whether somebody gets the lead, or is offered it: it is not taken away for a queue or for nobody."""
    return choice.winner is not None or choice.outcome == outcomes.OFFERED


@dataclass(frozen=True, slots=True)
class Move:
    """A step that takes a lead from its owner for whom the rules chose."""

    step: Step
    held: Assignment
    case: Case

    @property
    def winner(self) -> people.Rep | None:
        return self.case.choice.winner.rep if self.case.choice.winner else None

    @property
    def to(self) -> str:
        return self.winner.name if self.winner else "those who are offered it"

    @property
    def result(self) -> str:
        return f"to {self.to}"


def move_on(moves: Sequence[Move], world: World, now: datetime) -> None:
    """Give leads to the next, with the pool that they go to, the leads and their clocks locked."""
    books.lock_reps({rep for move in moves for rep in (move.held.rep_id, move.winner and move.winner.id) if rep})
    endings = [(move.held, why(move.step)) for move in moves]
    end_assignments(endings, Assignment.End.REASSIGNED, now, decided=True)
    record([move.case for move in moves], world, Occasion(Assignment.Trigger.ESCALATED, now))
    Event.objects.bulk_create(
        build_moved(move.step, move.held, move.to, move.winner.user_id if move.winner else None) for move in moves
    )


def why(step: Step) -> str:
    return f"Not {_DONE[step.clock.kind]} in time."


_DONE: Final = {"accept": "accepted", "contact": "contacted", "idle": "worked on", "lead": "answered"}


def build_moved(step: Step, held: Assignment, to: str, user_id: int | None) -> Event:
    """One line of history, not stored yet, and what the last owner is told."""
    sentence = f"{why(step)} Moved on from {held.rep.name} to {to}."
    moved = {"from": held.rep.name, "from_user": held.rep.user_id, "to": to, "to_user": user_id}
    return build_line(step, Event.Kind.MOVED_ON, sentence, [held.rep.user_id], **moved)


def build_line(step: Step, kind: Event.Kind, sentence: str, users: Sequence[int | None], **data: Any) -> Event:
    """A line of the timeline about a step, not stored yet. ``tell`` in its data: the users who are to hear of it."""
    heard = [user for user in users if user is not None]
    facts = {"clock": step.clock.kind, "clock_id": step.clock.pk, "note": step.rung.note, "tell": heard}
    return Event(lead=step.lead, kind=kind, at=step.now, data={**facts, **data, "sentence": sentence})


def tell(step: Step, kind: Event.Kind, sentence: str, users: Sequence[int | None], **data: Any) -> None:
    """Put a :func:`build_line` on the timeline."""
    build_line(step, kind, sentence, users, **data).save(force_insert=True)


def to_manager(step: Step, because: str) -> str:
    """Give the lead to the manager of its team, who keeps it; one who cannot own leads, or has it, is told."""
    manager, rep = step.manager, manager_to_own(step)
    if rep is not None and step.held is not None:
        _give(step, step.held, rep, because)
        return f"to the manager {rep.name}: {because}"
    if manager is None:
        sentence = f"{why(step)} It stays where it is: {because}, and no team with a manager answers for it."
        tell(step, Event.Kind.ESCALATED, sentence, [])
        return f"stays where it is: {because}"
    tell(step, Event.Kind.ESCALATED, f"{why(step)} The manager {person(manager)} was told: {because}.", [manager.pk])
    return f"manager {person(manager)} told: {because}"


def manager_to_own(step: Step) -> Rep | None:
    """The manager's profile, when the lead can go there; None for one who cannot own leads, or has it."""
    if step.held is None or step.manager is None:
        return None
    able = Rep.objects.filter(user=step.manager, active=True, user__is_active=True)
    return able.exclude(pk=step.held.rep_id).first()


def _give(step: Step, held: Assignment, to: Rep, because: str) -> None:
    receiver = load_rep(step.now, pk=to.pk)
    if receiver is None:
        raise Changed
    words = f"Given to the manager {to.name}: {because}."
    team = step.team.pk if step.team else receiver.team_id
    _place(step.lead, Standing(Lead.RoutingState.ASSIGNED, "escalated", words, to.user_id, team, step.now))
    books.lock_reps([held.rep_id, to.pk])
    end_assignment(held, Assignment.End.REASSIGNED, step.now, why(step))
    books.take_place(receiver, step.now, enforce=False)
    trigger = Assignment.Trigger.ESCALATED
    Assignment.objects.create(lead=step.lead, rep=to, trigger=trigger, reason=because[:200], started_at=step.now)
    clocks.hand_over_clocks(step.lead.pk, to.pk, step.now)
    build_moved(step, held, f"the manager {to.name}", to.user_id).save(force_insert=True)


def _place(lead: Lead, standing: Standing) -> None:
    if not place(lead, standing):
        raise Changed


# --- Offering --------------------------------------------------------------------------------------


@escalation("offer_team")
def offer_team(step: Step) -> str:
    """Offer the lead to everybody else in the team for a while: the first to accept has it."""
    return _take_away(step, _offer_to_each)


@escalation("queue")
def queue(step: Step) -> str:
    """Put the lead back in the team's queue, from which the others take it."""
    return _take_away(step, _to_queue)


def _offer_to_each(step: Step, held: Assignment) -> str:
    shared = {"expires_at": step.now + OFFER_FOR}
    return _offer(step, held, "offered", [{"rep_id": rep, **shared} for rep in _others(step)])


def _to_queue(step: Step, held: Assignment) -> str:
    return _offer(step, held, "queued", [{"team": step.team}])


def _offer(step: Step, held: Assignment, code: str, offers: Sequence[dict[str, Any]]) -> str:
    team = step.team
    words = f"{why(step)} Up for claim in the team {team}."
    _place(step.lead, Standing(Lead.RoutingState.CLAIMABLE, code, words, team_id=team.pk if team else None))
    end_assignment(held, Assignment.End.REASSIGNED, step.now, why(step))
    end_waiting(step.lead.pk, step.now, Offer.End.WITHDRAWN)
    common = {"lead": step.lead, "decision_id": held.decision_id, "offered_at": step.now}
    Offer.objects.bulk_create(Offer(**common, **offer) for offer in offers)
    build_moved(step, held, f"the team {team}", None).save(force_insert=True)
    return f"to the team {team}"


def _others(step: Step) -> list[int]:
    """Who is in the team, can own leads and did not have this one."""
    if step.team is None:
        return []
    had = Assignment.objects.filter(lead=step.lead).values("rep")
    members = Rep.objects.filter(user__lead_teams=step.team, active=True, user__is_active=True)
    return list(members.exclude(pk__in=had).order_by("pk").values_list("pk", flat=True))


# --- People ----------------------------------------------------------------------------------------


@escalation("set_away")
def set_away(step: Step) -> str:
    """Set the owner away, so that no further leads come until that one is back. Who is away already stays so, until
    the end that was given."""
    if step.held is None:
        return "nobody has it"
    rep = step.held.rep
    if rep.is_away(step.now):
        return f"{rep.name} was away already"
    availability.set_away(rep, reason=NO_ANSWER, actor=None, now=step.now)
    sentence = f"{why(step)} {rep.name} was set away."
    manager = step.manager.pk if step.manager else None
    tell(step, Event.Kind.SET_AWAY, sentence, [rep.user_id, manager], rep=rep.name, user=rep.user_id)
    return f"{rep.name} set away"
