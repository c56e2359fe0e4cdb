"""A decision as text for a terminal: the same as its page shows."""

from collections.abc import Iterator, Sequence

from distribution.decisionpage import DecisionPage
from distribution.explain import AttemptLine, CandidateLine, CheckLine, Explanation, RuleLine
from distribution.plan import PlanLine
from leadcrm.lib.moments import in_readers_zone, moment_text

LEDGER = ("share", "before", "owed", "after")


def as_text(page: DecisionPage) -> str:
    """The page as lines of plain text. What came from outside cannot steer the terminal."""
    return "\n".join("".join(filter(str.isprintable, line)).rstrip() for line in _lines(page))


def plan_as_text(plan: Sequence[PlanLine]) -> Iterator[str]:
    """What comes next, as lines below the page; none when nothing does."""
    if plan:
        yield from ("", "WHAT COMES NEXT")
        for line in plan:
            when = moment_text(line.at) if line.at else "some time"
            yield "".join(filter(str.isprintable, f"  {when}: {in_readers_zone(line.words)}"))


def _lines(page: DecisionPage) -> Iterator[str]:
    yield page.sentence
    rules = f", rules: {page.rule_set}" if page.rule_set else ""
    yield f"{moment_text(page.at)}, {page.trigger} by {page.actor}, decided in {page.duration}{rules}"
    if page.fix:
        yield f"{page.label}: {page.fix}"
    if page.explanation:
        yield from _explanation(page.explanation)
    else:
        yield "The tables behind this decision are past their time of keeping and have been removed."
    if len(page.all) > 1:
        yield ""
        yield "ALL DECISIONS"
        yield from _table([(str(line.id), moment_text(line.at), line.label) for line in page.all])
    yield ""
    yield f"Digest {page.digest}"


def _explanation(shown: Explanation) -> Iterator[str]:
    yield from ("", "RULES")
    for rule in shown.rules:
        yield from _rule(rule)
    if not shown.rules:
        yield "  none was looked at"
    yield from ("", "WHO WAS CONSIDERED")
    for attempt in shown.attempts:
        yield from _attempt(attempt)
    if not shown.attempts:
        yield "  nobody"
    yield from ("", "FACTS")
    yield from _table([*shown.facts, *([("Territory", shown.territory)] if shown.territory else [])])


def _rule(rule: RuleLine) -> Iterator[str]:
    but = f", but: {rule.followed}" if rule.followed and not rule.decisive else ""
    reason = f" ({in_readers_zone(rule.reason)})" if rule.reason else ""
    yield f"  {rule.number}. {rule.name}: {rule.label.lower()}{but}{reason}"
    for check in rule.checks:
        yield f"      {_check(check)}"


def _check(check: CheckLine) -> str:
    found = f"could not be checked: {check.error}" if check.error else f"it was {check.actual}"
    asked = " ".join(filter(None, (check.field, check.operator, check.wanted)))
    return f"{'✓' if check.holds else '✗'} {asked}: {found}"


def _attempt(attempt: AttemptLine) -> Iterator[str]:
    yield "  " + ", ".join(filter(None, (attempt.title, attempt.place, attempt.method))) + f": {attempt.label}"
    for note in (in_readers_zone(attempt.note), attempt.relaxed and f"dropped: {attempt.relaxed}"):
        if note:
            yield f"  {note}"
    if attempt.candidates:
        extra = ["tier"] * attempt.tiers + list(LEDGER) * attempt.ledger
        head = ("rank", "name", "result", "open", "weight", *extra, attempt.lead_before.lower())
        yield from _table([head, *(_candidate(row, extra) for row in attempt.candidates)])
    if attempt.tie:
        yield f"  {attempt.tie}"


def _candidate(row: CandidateLine, extra: Sequence[str]) -> tuple[str, ...]:
    result = f"{row.verdict}: {in_readers_zone(row.why)}" if row.why else row.verdict
    numbers = [str(getattr(row, name)) or "-" for name in extra]
    last = moment_text(row.last) if row.last else "none"
    return (row.rank or "-", row.name, result, row.load, str(row.weight), *numbers, last)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
