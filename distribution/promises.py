"""SLA policies as routing reads them: which promise a lead gets, and the clocks that it starts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from distribution.engine.sla import Rung, build_ladder
from distribution.models import ClockKind, EscalationStep, SLAPolicy

# Keys of rungs that are no rows; those that are have keys far below.
_REMIND_IDLE: Final = 2**62
_MOVE_IDLE: Final = 2**62 + 1


@dataclass(frozen=True, slots=True)
class Promise:
    """What one clock of a policy promises: the span, and the ladder with the breaking of the promise in it."""

    kind: str
    span: timedelta
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """``working``: minutes are working time of the owner. ``promises`` by kind of clock."""

    id: int
    name: str
    working: bool
    max_hops: int
    promises: Mapping[str, Promise]


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """All policies in use. ``by_priority``: the least priority and the policy, the highest first."""

    policies: Mapping[int, Policy] = field(default_factory=dict)
    by_priority: tuple[tuple[int, int], ...] = ()
    default: int | None = None

    def choose(self, named: int | None, priority: int) -> Policy | None:
        """The policy that the rule names, else the one for the lead's priority, else the default one."""
        fitting = (pk for least, pk in self.by_priority if priority >= least)
        pk = named if named in self.policies else next(fitting, self.default)
        return self.policies.get(pk) if pk is not None else None


def load_policies() -> PolicyBook:
    """Every policy that is not archived, with its ladders; two queries."""
    rows = list(SLAPolicy.objects.filter(archived_at=None).order_by("pk").prefetch_related("steps"))
    ranked = sorted(((row.min_priority, row.pk) for row in rows if row.min_priority is not None), reverse=True)
    return PolicyBook(
        policies={row.pk: build_policy(row, row.steps.all()) for row in rows},
        by_priority=tuple(ranked),
        default=next((row.pk for row in rows if row.is_default), None),
    )


def build_policy(row: SLAPolicy, steps: Iterable[EscalationStep]) -> Policy:
    """A policy as clocks start from it."""
    rungs = list(steps)
    spans = {kind: minutes for kind, minutes in minutes_of(row).items() if minutes is not None}
    return Policy(
        id=row.pk,
        name=row.name,
        working=row.time == SLAPolicy.Time.WORKING,
        max_hops=row.max_hops,
        promises={kind: _promise(kind, minutes, rungs) for kind, minutes in spans.items()},
    )


def minutes_of(row: SLAPolicy) -> dict[str, int | None]:
    """The promised minutes by kind of clock; None where the policy promises nothing."""
    return {
        ClockKind.ACCEPT: row.accept_minutes,
        ClockKind.CONTACT: row.contact_minutes,
        ClockKind.IDLE: row.idle_minutes,
        ClockKind.LEAD: row.lead_minutes,
    }


def _promise(kind: str, minutes: int, steps: Iterable[EscalationStep]) -> Promise:
    span = timedelta(minutes=minutes)
    rungs = [Rung(step.pk, after(step, span), step.action, step.note) for step in steps if step.clock == kind]
    return Promise(kind, span, build_ladder(span, rungs or _usual_rungs(kind, span)))


def _usual_rungs(kind: str, span: timedelta) -> list[Rung]:
    """What happens when a policy says nothing: who is idle is reminded, and then loses the lead."""
    if kind != ClockKind.IDLE:
        return []
    return [Rung(_REMIND_IDLE, span, "remind"), Rung(_MOVE_IDLE, 2 * span, "reassign")]


def after(step: EscalationStep, span: timedelta) -> timedelta:
    """How much of the promised time passes before a step."""
    if step.after_minutes is not None:
        return timedelta(minutes=step.after_minutes)
    return span * (step.after_percent or 0) / 100
