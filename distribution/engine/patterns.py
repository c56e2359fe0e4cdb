"""Regular expressions that cannot hang: a safe subset, checked when a condition is built."""

import re
from math import comb
from re import _constants as op  # type: ignore[attr-defined, unused-ignore]
from re import _parser as parser  # type: ignore[attr-defined, unused-ignore]
from typing import Any, Final, NamedTuple

from distribution.engine.text import fold

MAX_LENGTH: Final = 200
# Patterns see only so much of a text.
MAX_INPUT: Final = 500
# A repeat up to more than this counts as open: a{0,400} costs what a* costs.
LONG: Final = 20
MAX_OPEN: Final = 2
# Ways to hold the pattern against a text of MAX_INPUT characters; each costs some twenty nanoseconds when none fits.
MAX_WAYS: Final = 25_000_000
_REPEATS: Final = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_BEGINNINGS: Final = ([(op.AT, op.AT_BEGINNING)], [(op.AT, op.AT_BEGINNING_STRING)])
_REFUSED: Final = {
    op.GROUPREF: "back-references",
    op.GROUPREF_EXISTS: "back-references",
    op.ASSERT: "look-ahead and look-behind",
    op.ASSERT_NOT: "look-ahead and look-behind",
}


class UnsafePattern(ValueError):
    """The pattern is not a regular expression of the safe subset; the message says what to change."""


class _Cost(NamedTuple):
    """How a pattern can backtrack: open repeats one after the other, and ways to take its choices and other repeats."""

    opens: int
    ways: int


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for folded text of at most MAX_INPUT characters, searched anywhere in it.

    Refused are back-references, look-around, choices and repeats inside a repeat, open repeats side by side, more
    than two open repeats, and choices and optional parts that combine in too many ways.

    Raises:
        UnsafePattern: not a valid pattern, too long, or outside the safe subset.
    """
    if len(pattern) > MAX_LENGTH:
        raise UnsafePattern(f"the pattern is longer than {MAX_LENGTH} characters")
    try:
        tree = parser.parse(_without_accents(pattern))
        _refuse_costly(_check(tree, inside_repeat=False), anchored=tree.data[:1] in _BEGINNINGS)
        return re.compile(_without_accents(pattern), re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafePattern(f"not a valid pattern: {error}") from None


def _without_accents(pattern: str) -> str:
    """The pattern as it fits folded text. ASCII stays: case matters after a backslash."""
    return "".join(char if char.isascii() else re.escape(fold(char)) for char in pattern)


def _refuse_costly(cost: _Cost, *, anchored: bool) -> None:
    if cost.opens > MAX_OPEN:
        raise UnsafePattern(f"more than {MAX_OPEN} open repeats, such as * and +, can make matching hang")
    # Where the match begins, unless anchored, and where each open repeat ends.
    places = cost.opens + (not anchored)
    if cost.ways * comb(MAX_INPUT + places, places) > MAX_WAYS:
        raise UnsafePattern("its choices and optional parts combine in too many ways; leave some out or begin with ^")


def _check(tree: Any, *, inside_repeat: bool) -> _Cost:
    """Refuse what is never safe in a parsed pattern; returns what the rest can cost."""
    total, beside_open = _Cost(0, 1), False
    for code, argument in tree:
        if code in _REFUSED:
            raise UnsafePattern(f"{_REFUSED[code]} are not allowed: they can make matching hang")
        if inside_repeat and code in (*_REPEATS, op.BRANCH):
            raise UnsafePattern("a repeat or a choice inside a repeat, such as (a+)+, can make matching hang")
        cost = _cost(code, argument, inside_repeat=inside_repeat)
        if beside_open and cost.opens:
            raise UnsafePattern("two open repeats side by side, such as a*a*, can make matching hang")
        total = _Cost(total.opens + cost.opens, total.ways * cost.ways)
        # What may be absent leaves its neighbours side by side.
        optional = code in _REPEATS and argument[0] == 0
        beside_open = cost.opens > 0 or (beside_open and optional)
    return total


def _cost(code: Any, argument: Any, *, inside_repeat: bool) -> _Cost:
    low, high = argument[:2] if code in _REPEATS else (1, 1)
    parts = [_check(part, inside_repeat=inside_repeat or high > 1) for part in _parts(code, argument)]
    opens = max((part.opens for part in parts), default=0)
    ways = sum(part.ways for part in parts) or 1
    return _Cost(opens + 1, ways) if high > LONG else _Cost(opens, ways + high - low)


def _parts(code: Any, argument: Any) -> list[Any]:
    if code in _REPEATS:
        return [argument[2]]
    if code is op.SUBPATTERN:
        return [argument[-1]]
    if code is op.BRANCH:
        return list(argument[1])
    if code is op.ATOMIC_GROUP:
        return [argument]
    return []
