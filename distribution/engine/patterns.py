"""Regular expressions that cannot hang: a safe subset, checked when a condition is built."""

import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

MAX_LENGTH: Final = 200
# A repeat up to more than this counts as open: a{0,400} costs what a* costs.
LONG: Final = 20
MAX_OPEN: Final = 2
_REPEATS: Final = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_REFUSED: Final = {
    op.GROUPREF: "back-references",
    op.GROUPREF_EXISTS: "back-references",
    op.ASSERT: "look-ahead and look-behind",
    op.ASSERT_NOT: "look-ahead and look-behind",
}


class UnsafePattern(ValueError):
    """The pattern is not a regular expression of the safe subset; the message says what to change."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for folded text, searched anywhere in it.

    Refused are back-references, look-around, choices and repeats inside a repeat, open repeats side by side, and
    more than two open repeats: what is left backtracks at most polynomially over an input of 500 characters.

    Raises:
        UnsafePattern: not a valid pattern, too long, or outside the safe subset.
    """
    if len(pattern) > MAX_LENGTH:
        raise UnsafePattern(f"the pattern is longer than {MAX_LENGTH} characters")
    try:
        tree = parser.parse(pattern)
        if _check(tree, inside_repeat=False) > MAX_OPEN:
            raise UnsafePattern(f"more than {MAX_OPEN} open repeats, such as * and +, can make matching hang")
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafePattern(f"not a valid pattern: {error}") from None


def _check(tree: Any, *, inside_repeat: bool) -> int:
    """Refuse what is unsafe in a parsed pattern; returns the number of its open repeats."""
    total, beside_open = 0, False
    for code, argument in tree:
        if code in _REFUSED:
            raise UnsafePattern(f"{_REFUSED[code]} are not allowed: they can make matching hang")
        if inside_repeat and code in (*_REPEATS, op.BRANCH):
            raise UnsafePattern("a repeat or a choice inside a repeat, such as (a+)+, can make matching hang")
        repeated = code in _REPEATS and argument[1] > 1
        is_open = code in _REPEATS and argument[1] > LONG
        inner = sum(_check(child, inside_repeat=inside_repeat or repeated) for child in _children(code, argument))
        if beside_open and (is_open or inner):
            raise UnsafePattern("two open repeats side by side, such as a*a*, can make matching hang")
        total += is_open + inner
        # What may be absent leaves its neighbours side by side.
        optional = code in _REPEATS and argument[0] == 0
        beside_open = bool(is_open or inner) or (beside_open and optional)
    return total


def _children(code: Any, argument: Any) -> list[Any]:
    if code in _REPEATS:
        return [argument[2]]
    if code is op.SUBPATTERN:
        return [argument[-1]]
    if code is op.BRANCH:
        return list(argument[1])
    if code is op.ATOMIC_GROUP:
        return [argument]
    return []
