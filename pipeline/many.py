"""What people do with many leads at once: each is done by itself, and what cannot be is named."""

from collections.abc import Callable, Collection, Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User

from leadcrm.lib.pages import Tone
from pipeline.errors import PipelineError
from pipeline.models import Lead
from pipeline.selectors import visible_leads

MOST_AT_ONCE: Final = 200
_NAMED: Final = 10
_NO_CHANGE: Final = "You may read this, but not change it."


def read_chosen(ticked: Iterable[str]) -> dict[UUID, int]:
    """The leads that were ticked, as ``uid:version``, with the version in which each was seen."""
    chosen = {}
    for text in ticked:
        uid, _, version = text.partition(":")
        try:
            chosen[UUID(uid)] = int(version)
        except ValueError:
            continue
    return chosen


def too_many(chosen: Sized) -> str:
    """What to tell somebody who chose more leads than are done at once."""
    return f"You chose {len(chosen)} leads. Choose at most {MOST_AT_ONCE} at once; nothing was done."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done, and with which leads. ``error``: of which kind it was."""

    why: str
    error: type[Exception]
    leads: list[Lead]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of many leads: those it was done with, and the others by reason. ``unknown``: how many of those that
    were chosen are not there for the reader."""

    done: list[Lead]
    refused: list[Refusal]
    unknown: int = 0

    @property
    def tone(self) -> Tone:
        """How this is told: it was done with all of them, with some, or with none."""
        if not (self.refused or self.unknown):
            return "success"
        return "warning" if self.done else "error"

    @property
    def left(self) -> list[Lead]:
        """Those it was not done with."""
        return [lead for refusal in self.refused for lead in refusal.leads]

    def told(self, done: str) -> str:
        """All of it in words, a line for each reason. ``done``: what was done, such as ``moved to Talks``."""
        others = len(self.left) + self.unknown
        first = f"{len(self.done)} {done}, {others} not." if others else f"{len(self.done)} {done}."
        lines = [first, *(f"{names_of(refusal.leads)}: {refusal.why}" for refusal in self.refused)]
        if self.unknown:
            lead = "1 lead is" if self.unknown == 1 else f"{self.unknown} leads are"
            lines.append(f"{lead} not there any more, or not yours to change.")
        return "\n".join(lines)


def each(leads: Iterable[Lead], act: Callable[[Lead], object], *errors: type[Exception]) -> Outcome:
    """Do something with each lead.

    Args:
        errors: what else than a PipelineError refuses one lead and stops no other.
    """
    refusals: tuple[type[Exception], ...] = (PipelineError, *errors)
    done: list[Lead] = []
    refused: dict[str, Refusal] = {}
    for lead in leads:
        try:
            act(lead)
            done.append(lead)
        except refusals as error:
            refused.setdefault(str(error), Refusal(str(error), type(error), [])).leads.append(lead)
    return Outcome(done, list(refused.values()))


def with_others(
    outcome: Outcome, chosen: Collection[UUID], found: Iterable[Lead], user: User, why: str = _NO_CHANGE
) -> Outcome:
    """The outcome with those that were chosen and not found among what the user may change: named as far as the user
    reads them, with ``why``."""
    missing = set(chosen) - {lead.uid for lead in found}
    if not missing:
        return outcome
    read = list(visible_leads(user).filter(uid__in=missing).order_by("pk"))
    refused = [Refusal(why, PipelineError, read)] if read else []
    return Outcome(outcome.done, [*outcome.refused, *refused], len(missing) - len(read))


def names_of(leads: Sequence[Lead]) -> str:
    """The names of leads: all of a few, else the first ones and how many more."""
    names = [str(lead) for lead in leads]
    shown, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
