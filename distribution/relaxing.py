"""What a pool drops of its demands, as people write it: ``language, skill after 30``."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from distribution.engine.eligibility import FILTERS

Step = dict[str, Any]

_STEP: Final = re.compile(r"(?P<demand>\w+)(?:\s+after\s+(?P<after>\d{1,6})(?:\s*min(?:utes)?)?)?", re.ASCII)
EXAMPLE: Final = "Write it like “language, skill after 30”."


def droppable() -> list[str]:
    """The codes of the filters that a pool may drop."""
    return [entry.code for entry in FILTERS.values() if entry.soft]


def relax_text(steps: Sequence[Step]) -> str:
    """The steps of a pool in words, as :func:`read_relax` reads them."""
    return ", ".join(f"{step['demand']} after {step['after']}" if step["after"] else step["demand"] for step in steps)


def read_relax(text: str) -> list[Step]:
    """The steps that a text names: a demand each, with the minutes of waiting after which it is dropped.

    Raises:
        ValueError: with a sentence that says what is wrong and what would be right.
    """
    steps = [_read_step(part.strip()) for part in text.split(",") if part.strip()]
    names = [step["demand"] for step in steps]
    if len(set(names)) < len(names):
        raise ValueError("Name each demand once.")
    if any(later["after"] < earlier["after"] for earlier, later in pairwise(steps)):
        raise ValueError("What comes later in the list cannot be dropped sooner: let the minutes grow.")
    return steps


def _read_step(part: str) -> Step:
    found = _STEP.fullmatch(part)
    if found is None:
        raise ValueError(f"“{part}” cannot be read. {EXAMPLE}")
    if found["demand"] not in droppable():
        raise ValueError(f"“{found['demand']}” cannot be dropped; {', '.join(droppable())} can.")
    return {"demand": found["demand"], "after": int(found["after"] or 0)}
