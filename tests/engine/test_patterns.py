import contextlib
import re
import subprocess
import sys
from math import comb
from re import _parser as parser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distribution.engine.patterns import MAX_INPUT, MAX_WAYS, UnsafePattern, compile_pattern

REFUSED = [
    ("(a+)+", "inside a repeat"),
    ("(a*)*$", "inside a repeat"),
    ("(a|aa)+", "inside a repeat"),
    ("(?:a|ab){2,5}c", "inside a repeat"),
    ("(a?){5}", "inside a repeat"),
    ("a*a*", "side by side"),
    (r"\w+\w*", "side by side"),
    ("a*b?a*", "side by side"),
    ("a+(?:)a+", "side by side"),
    ("a{0,400}a{0,400}", "side by side"),
    ("a.*b.*c.*d", "more than 2 open repeats"),
    ("(a+|b)c(a+|b)c(a+|b)d", "more than 2 open repeats"),
    ("a?" * 30 + "a" * 30, "too many ways"),
    ("(?:a|aa)" * 20, "too many ways"),
    ("a{0,20}" * 5, "too many ways"),
    (".*a.*b?c?d", "too many ways"),
    (r"(a)\1", "back-references"),
    ("(a)?(?(1)b|c)", "back-references"),
    ("a(?=b)", "look-ahead"),
    ("(?<!a)b", "look-ahead"),
    ("(", "not a valid pattern"),
    ("[z-a]", "not a valid pattern"),
    ("a" * 201, "longer than 200 characters"),
    ("a{99999999999}", "not a valid pattern"),
    ("a**", "not a valid pattern"),
]
ACCEPTED = [
    (r"^(foo|bar)-\d{2,4}$", "foo-123"),
    (r"@(gmail|yahoo)\.", "ann@yahoo.com"),
    (r"^https?://.*\.example\.(de|com)/.*", "https://www.example.de/x"),
    ("vp|chief .* officer", "chief executive officer"),
    (r"\bdirector\b", "managing director"),
    ("a.*b.*c", "a-b-c"),
    ("(?:ab)+c", "ababc"),
    ("straße", "strasse"),
    ("[öü]", "muller"),
    ("İzmir", "izmir"),
    ("MÜLLER", "muller"),
]


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_a_pattern_that_could_hang_or_is_none_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(UnsafePattern, match=re.escape(reason)):
        compile_pattern(pattern)


@pytest.mark.parametrize(("pattern", "text"), ACCEPTED)
def test_everyday_patterns_are_accepted_and_match_folded_text(pattern, text):
    assert compile_pattern(pattern).search(text)


def test_a_folded_character_never_becomes_an_operator():
    assert compile_pattern("（").search("(")


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", r"\w", "ab", "^", "$", r"\b", ""])
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{0,3}", "{2}", "{1,20}", "{0,25}", "*?", "+?", "??"])


def _pieces(inner):
    group = st.builds("({}){}".format, inner, REPEATS)
    choice = st.builds("(?:{}|{}){}".format, inner, inner, REPEATS)
    return st.one_of(group, choice, st.builds("{}{}".format, inner, inner))


PATTERNS = st.recursive(st.builds("{}{}".format, ATOMS, REPEATS), _pieces, max_leaves=12)


@settings(max_examples=400)
@given(PATTERNS)
def test_what_is_accepted_backtracks_within_the_bound(pattern):
    """Counts by hand how a naive matcher could run through the pattern; no clock involved."""
    try:
        compiled = compile_pattern(pattern)
    except UnsafePattern:
        return
    opens, ways = _count(pattern)
    assert opens <= 2
    assert ways * comb(MAX_INPUT, opens) <= MAX_WAYS
    assert compiled.groups <= 12


def _count(pattern):
    """Open repeats on the longest road, and ways through everything else, read from the text of a pattern above."""
    return _roads(parser.parse(pattern))


def _roads(tree):
    opens, ways = 0, 1
    for code, argument in tree:
        name = str(code)
        if name == "BRANCH":
            parts = [_roads(part) for part in argument[1]]
            opens, ways = opens + max(o for o, _ in parts), ways * sum(w for _, w in parts)
        elif name == "SUBPATTERN":
            inner, more = _roads(argument[-1])
            opens, ways = opens + inner, ways * more
        elif "REPEAT" in name:
            low, high, body = argument
            inner, more = _roads(body)
            if high > 20:
                assert (inner, more) == (0, 1), "a repeat of something that varies"
                opens += 1
            else:
                opens, ways = opens + inner, ways * sum(more**count for count in range(low, high + 1))
    return opens, ways


HUNT = """
import re, sys
for line in sys.stdin.read().split("\\n"):
    if not line:
        continue
    pattern = re.compile(line[1:], re.IGNORECASE)
    for text in ("a" * 500, "ab" * 250, "a" * 499 + "!", "b" * 250 + "a" * 250):
        pattern.search(text)
"""


def test_no_accepted_pattern_hangs_on_the_worst_texts(thorough):
    """Each ends in what the texts never hold, so that the matcher runs through every way before it gives up."""
    accepted = _accepted(4000 if thorough else 150)
    subprocess.run(
        [sys.executable, "-c", HUNT], input="\n".join(f">{p}" for p in accepted), text=True, timeout=280, check=True
    )


def _accepted(count):
    found: list[str] = []

    @settings(max_examples=count, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(PATTERNS)
    def collect(pattern):
        with contextlib.suppress(UnsafePattern):
            found.append(compile_pattern(f"{pattern}#").pattern)

    collect()
    return found
