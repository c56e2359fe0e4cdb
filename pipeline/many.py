"""What people do with many leads at once: each is done by itself, and what cannot be is named."""

from collections.abc import Callable, Iterable, Sized
from typing import Final
from uuid import UUID

from pipeline.errors import PipelineError
from pipeline.models import Lead

MOST_AT_ONCE: Final = 200
_NAMED: Final = 3


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


def each(
    leads: Iterable[Lead], act: Callable[[Lead], object], *errors: type[Exception]
) -> tuple[list[Lead], list[str]]:
    """Do something with each lead. Returns those it was done with, and a sentence for each kind of refusal.

    Args:
        errors: what else than a PipelineError refuses one lead and stops no other.
    """
    refusals: tuple[type[Exception], ...] = (PipelineError, *errors)
    done: list[Lead] = []
    refused: dict[str, list[str]] = {}
    for lead in leads:
        try:
            act(lead)
            done.append(lead)
        except refusals as error:
            refused.setdefault(str(error), []).append(str(lead))
    return done, [_refusal(names, why) for why, names in refused.items()]


def _refusal(names: list[str], why: str) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"Not {', '.join(names[:_NAMED])}{more}: {why}"
