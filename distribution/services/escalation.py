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
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q

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
# Actions that may take the lead from its owner.
MOVES: Final = frozenset({"reassign", "offer_team", "queue"})
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
    if step.held is None:
        return "nobody has it; routing goes on"
    if stays_with_manager(step.held):
        return "stays with the manager"
    if moved_on(step.lead) >= step.clock.max_hops:
        return to_manager(step, f"it moved on {step.clock.max_hops} times")
    if step.draft is None or not delivers(step.draft.choice):
        return to_manager(step, "nobody else can take it now")
    case = Case(step.draft.subject, step.draft.choice, step.draft.took_us)
    move = Move(step, step.held, case)
    move_on([move], step.draft.world, step.now)
    return move.result


def moved_on(lead: Lead) -> int:
    """How often a lead moved on by itself."""
    return hops([lead.pk])[lead.pk]


def hops(leads: Iterable[int]) -> Counter[int]:
    """How often leads moved on by themselves."""
    return Counter(_HOPS.rows(leads=leads))


_HOPS: Final = Prepared(
    lambda: (
        Assignment.objects.filter(lead__in=Each("leads", int), trigger=Assignment.Trigger.ESCALATED)
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
    manager = step.manager
    rep = Rep.objects.filter(user=manager, active=True, user__is_active=True).first() if manager else None
    if rep is not None and step.held is not None and rep.pk != step.held.rep_id:
        _give(step, step.held, rep, because)
        return f"to the manager {rep.name}: {because}"
    if manager is None:
        sentence = f"{why(step)} It stays where it is: {because}, and no team with a manager answers for it."
        tell(step, Event.Kind.ESCALATED, sentence, [])
        return f"stays where it is: {because}"
    name = rep.name if rep else person(manager)
    tell(step, Event.Kind.ESCALATED, f"{why(step)} The manager {name} was told: {because}.", [manager.pk])
    return f"manager {name} told: {because}"


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
    shared = {"expires_at": step.now + OFFER_FOR}
    return _offer(step, "offered", lambda team, reps: [{"rep_id": rep, **shared} for rep in reps])


@escalation("queue")
def queue(step: Step) -> str:
    """Put the lead back in the team's queue, from which the others take it."""
    return _offer(step, "queued", lambda team, reps: [{"team_id": team.pk}])


def _offer(step: Step, code: str, offers: Callable[[Team, list[int]], list[dict[str, Any]]]) -> str:
    held, team = step.held, step.team
    if held is None:
        return "nobody has it; routing goes on"
    if stays_with_manager(held):
        return "stays with the manager"
    reps = _others(step.lead, team, held) if team else []
    if team is None or not reps:
        return to_manager(step, "nobody else is in the team")
    words = f"{why(step)} Up for claim in the team {team.name}."
    _place(step.lead, Standing(Lead.RoutingState.CLAIMABLE, code, words, team_id=team.pk))
    end_assignment(held, Assignment.End.REASSIGNED, step.now, why(step))
    end_waiting(step.lead.pk, step.now, Offer.End.WITHDRAWN)
    common = {"lead": step.lead, "decision_id": held.decision_id, "offered_at": step.now}
    Offer.objects.bulk_create(Offer(**common, **offer) for offer in offers(team, reps))
    build_moved(step, held, f"the team {team.name}", None).save(force_insert=True)
    return f"to the team {team.name}"


def _others(lead: Lead, team: Team, held: Assignment) -> list[int]:
    """Who is in the team, can own leads and did not have this one."""
    had = Assignment.objects.filter(lead=lead).values("rep")
    members = Rep.objects.filter(user__lead_teams=team, active=True, user__is_active=True)
    return list(members.exclude(Q(pk=held.rep_id) | Q(pk__in=had)).order_by("pk").values_list("pk", flat=True))


# --- People ----------------------------------------------------------------------------------------


@escalation("set_away")
def set_away(step: Step) -> str:
    """Set the owner away, so that no further leads come until that one is back."""
    if step.held is None:
        return "nobody has it"
    rep = step.held.rep
    if rep.status == Rep.Status.AWAY:
        return f"{rep.name} was away already"
    availability.set_away(rep, reason="did not answer", actor=None, now=step.now)
    sentence = f"{why(step)} {rep.name} was set away."
    manager = step.manager.pk if step.manager else None
    tell(step, Event.Kind.SET_AWAY, sentence, [rep.user_id, manager], rep=rep.name, user=rep.user_id)
    return f"{rep.name} set away"
