"""A stored trace turned into values ready to show: on the decision page, in the admin and on the command line.

Nothing is decided again here. What the trace knows only by number is named through :class:`Names`; what has gone since
keeps its number or key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import chain, groupby
from typing import Any, Final

from distribution.engine.conditions import OPERATORS
from distribution.engine.decision import leads
from distribution.engine.eligibility import FILTERS
from distribution.engine.facts import Catalogue, Field, catalogue, is_blank
from distribution.engine.ledger import UNIT
from distribution.engine.methods import ASSIGN, METHODS
from distribution.engine.outcomes import DELIVERED, OUTCOMES
from distribution.engine.rules import FAILED, INACTIVE, MATCHED, PASSED
from distribution.engine.targets import TARGETS

Json = Mapping[str, Any]

RULE_RESULTS: Final = {
    MATCHED: "Matched",
    PASSED: "Passed over",
    INACTIVE: "Not in force",
    FAILED: "Could not be checked",
}
VIA: Final = {"target": "", "fallback": "fallback", "catch_all": "catch-all"}
FOLD_FROM: Final = 4  # this many rules in a row that came to nothing are folded away
LONGEST_VALUE: Final = 200


@dataclass(frozen=True)
class Names:
    """What the keys and numbers in a trace are called: fields and their choices by key, territories and teams by id."""

    fields: Catalogue = field(default_factory=catalogue)
    territories: Mapping[int, str] = field(default_factory=dict)
    teams: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def choices(self) -> dict[str, dict[str, str]]:
        return {key: dict(entry.choices) for key, entry in self.fields.items()}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One condition and what it was held against."""

    field: str
    operator: str
    wanted: str
    actual: str
    holds: bool
    error: str


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule that was looked at. ``followed`` says what came of its target when the rule matched."""

    number: int
    id: int
    name: str
    result: str
    label: str
    reason: str
    followed: str
    decisive: bool
    checks: tuple[CheckLine, ...]


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that stand together; ``folded`` ones came to nothing and are many."""

    folded: bool
    rules: tuple[RuleLine, ...]

    @property
    def first(self) -> int:
        return self.rules[0].number

    @property
    def last(self) -> int:
        return self.rules[-1].number


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One person of an attempt; texts are empty where the method keeps no such number."""

    rank: str
    name: str
    eligible: bool
    won: bool
    verdict: str
    code: str
    why: str
    weight: int
    tier: int
    share: str
    before: str
    owed: str
    after: str
    load: str
    last: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One target that was tried, and everyone who was considered for it. ``lead_before``: of which leads the last is
    told that a candidate had before the decision."""

    number: int
    title: str
    place: str
    method: str
    order: str
    tie: str
    result: str
    label: str
    delivered: bool
    fix: str
    note: str
    relaxed: str
    ledger: bool
    tiers: bool
    lead_before: str
    candidates: tuple[CandidateLine, ...]

    @property
    def eligible_count(self) -> int:
        return sum(candidate.eligible for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A whole trace, ready to show."""

    outcome: str
    label: str
    fix: str
    reason: str
    winner: str
    rule_set: str
    territory: str
    facts: tuple[tuple[str, str], ...]
    rules: tuple[RuleLine, ...]
    attempts: tuple[AttemptLine, ...]

    @property
    def rule_groups(self) -> list[RuleGroup]:
        """The rules in order, long rows of those that came to nothing folded away."""
        runs = [tuple(run) for _, run in groupby(self.rules, key=lambda rule: rule.result == MATCHED)]
        folded = {run[0].number for run in runs if len(run) >= FOLD_FROM and run[0].result != MATCHED}
        stretches = groupby(runs, key=lambda run: run[0].number if run[0].number in folded else 0)
        return [RuleGroup(bool(key), tuple(chain.from_iterable(stretch))) for key, stretch in stretches]


def explain(trace: Json, names: Names | None = None) -> Explanation:
    """A trace (see :func:`distribution.engine.trace.render_trace`) as ready values."""
    names = names or Names()
    attempts = _attempts(trace, names)
    winner = trace.get("winner") or {}
    return Explanation(
        outcome=trace["outcome"],
        label=outcome_label(trace["outcome"]),
        fix=outcome_fix(trace["outcome"]),
        reason=outcome_label(trace.get("reason", "")),
        winner=winner.get("name", ""),
        rule_set=_rule_set(trace["rule_set"]),
        territory=trace.get("territory") or "",
        facts=tuple((_label(key, names), _show(key, value, names)) for key, value in trace["facts"].items()),
        rules=tuple(_rules(trace, names)),
        attempts=attempts,
    )


def outcome_label(code: str) -> str:
    return OUTCOMES[code].label if code in OUTCOMES else code


def outcome_fix(code: str) -> str:
    """What an admin can do about an outcome; empty when nothing has to be done."""
    return OUTCOMES[code].fix if code in OUTCOMES else ""


def method_name(key: str) -> str:
    """The label of a pool's method or of a kind of target."""
    return METHODS[key].label if key in METHODS else TARGETS.get(key, key)


def mentioned(trace: Json) -> tuple[set[int], set[int]]:
    """The territories and teams that a trace knows only by number."""
    checks = [check for rule in trace["rules"] for check in rule["checks"] if check["field"] == "territory"]
    named = [number for check in checks for part in ("value", "actual") for number in check[part] or ()]
    territories = {number for number in (*named, *trace.get("territories", ())) if isinstance(number, int)}
    return territories, {attempt["team"] for attempt in trace["attempts"] if attempt["team"]}


def _rule_set(data: Json) -> str:
    return f"{data['name']}, version {data['version']}" if data.get("version") else f"{data['name']} (draft)"


def _rules(trace: Json, names: Names) -> Iterator[RuleLine]:
    followed = {attempt["rule"]: attempt["result"] for attempt in trace["attempts"] if attempt["rule"]}
    for number, rule in enumerate(trace["rules"], 1):
        result = followed.get(rule["id"], "")
        yield RuleLine(
            number=number,
            id=rule["id"],
            name=rule["name"],
            result=rule["result"],
            label=RULE_RESULTS.get(rule["result"], rule["result"]),
            reason=rule["reason"],
            followed=outcome_label(result),
            decisive=result in DELIVERED,
            checks=tuple(_check(check, names) for check in rule["checks"]),
        )


def _check(check: Json, names: Names) -> CheckLine:
    key, chosen = check["field"], check["operator"]
    shape = OPERATORS[chosen].argument if chosen in OPERATORS else "one"
    joint = " and " if shape == "pair" else ", "
    return CheckLine(
        field=_label(key, names),
        operator=OPERATORS[chosen].label if chosen in OPERATORS else chosen,
        wanted="" if shape == "none" else _show(key, check["value"], names, joint),
        actual=_show(key, check["actual"], names),
        holds=check["holds"],
        error=check["error"],
    )


def _label(key: str, names: Names) -> str:
    return names.fields[key].label if key in names.fields else key


def _show(key: str, value: Any, names: Names, joint: str = ", ") -> str:
    """A fact or a wanted value for people; lists are joined."""
    if is_blank(value) or value == []:
        return "blank"
    items = value if isinstance(value, (list, tuple)) else (value,)
    entry = names.fields.get(key) or Field(key, key)
    return joint.join(_show_one(entry, item, names) for item in items)


def _show_one(entry: Field, value: Any, names: Names) -> str:
    if entry.type == "territory":
        return names.territories.get(value, f"territory {value}")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if entry.type == "number":
        return _number(value)
    text = names.choices.get(entry.key, {}).get(str(value), str(value))
    return f"{text[:LONGEST_VALUE]}…" if len(text) > LONGEST_VALUE else text


def _number(value: Any) -> str:
    """12500.00 as 12,500; a value that is no number as it is."""
    try:
        number = Decimal(str(value))
        whole = number == number.to_integral_value()
    except InvalidOperation:
        return str(value)[:LONGEST_VALUE]
    return f"{number:,.0f}" if whole else f"{number:,f}"


def _attempts(trace: Json, names: Names) -> tuple[AttemptLine, ...]:
    rules = {rule["id"]: rule["name"] for rule in trace["rules"]}
    winner = (trace.get("winner") or {}).get("rep")
    last = len(trace["attempts"])
    return tuple(
        _attempt(attempt, number, rules, winner if number == last else None, names)
        for number, attempt in enumerate(trace["attempts"], 1)
    )


def _attempt(attempt: Json, number: int, rules: Mapping[int, str], winner: int | None, names: Names) -> AttemptLine:
    rows, method = attempt["candidates"], attempt["method"]
    result = attempt["result"]
    return AttemptLine(
        number=number,
        title=_title(attempt, rules),
        place=_place(attempt, names),
        method=method_name(method),
        order=_order(method, rows),
        tie=_tie(method, rows),
        result=result,
        label=outcome_label(result),
        delivered=result in DELIVERED,
        fix=outcome_fix(result),
        note=attempt["note"],
        relaxed=", ".join(map(_dropped, attempt["relaxed"])),
        ledger=any("share" in row for row in rows),
        tiers=method == "priority_tiers",
        lead_before="Lead before, from this pool" if (attempt["pool"] or {}).get("id") else "Lead before",
        candidates=tuple(_candidate(row, winner) for row in rows),
    )


def _dropped(step: Json | str) -> str:
    """A demand that was dropped, and after which wait. Traces of old name the demand alone."""
    code, after = (step, 0) if isinstance(step, str) else (step["demand"], step["after"])
    label = FILTERS[code].label.lower() if code in FILTERS else code
    return f"{label} (after {after} min)" if after else label


def _title(attempt: Json, rules: Mapping[int, str]) -> str:
    """Which rule sent the lead there, and whether as its fallback."""
    if attempt["rule"] is None:
        return "Catch-all"
    name = f"Rule “{rules.get(attempt['rule'], attempt['rule'])}”"
    via = VIA.get(attempt["via"], attempt["via"])
    return f"{name}, {via}" if via else name


def _place(attempt: Json, names: Names) -> str:
    pool, team = attempt["pool"], attempt["team"]
    if pool:
        return f"pool “{pool['name']}”" if pool["id"] else pool["name"]
    return f"team “{names.teams.get(team, team)}”" if team else ""


def _order(method: str, rows: Sequence[Json]) -> str:
    """How the method puts people in order, where there was a choice."""
    if method not in METHODS or METHODS[method].ending != ASSIGN or _count(rows) < 2:
        return ""
    ties = "Ties go to whoever has waited longest since the last lead."
    if not METHODS[method].posts:
        return f"{METHODS[method].help} {ties}"
    sharing = sum(1 for row in rows if row.get("share"))
    enough = leads(UNIT // max(2 * sharing - 2, 1))
    return (
        f"{METHODS[method].help} "
        f"Everyone who can take the lead is credited a share of it; whoever gets it gives back one whole lead. "
        f"Of those owed {enough} or more, the one who would soonest be owed too much goes first. {ties}"
    )


def _count(rows: Iterable[Json]) -> int:
    return sum(1 for row in rows if row["eligible"])


def _tie(method: str, rows: Sequence[Json]) -> str:
    """How the first two were told apart when the method's numbers did not."""
    if method not in METHODS or METHODS[method].ending != ASSIGN or _count(rows) < 2:
        return ""
    first, second = rows[0], rows[1]
    if _standing(first) != _standing(second):
        nearly = f"{first['name']} was ahead of {second['name']} by less than a hundredth of a lead."
        return nearly if _look_equal(first, second) else ""
    pair = f"{first['name']} and {second['name']} stood equal"
    if first["last"] == second["last"]:
        return f"{pair}: {first['name']} has been in the pool longer."
    return f"{pair}: {first['name']} has waited longer."


def _standing(row: Json) -> tuple[Any, ...]:
    return (row["share"], row["owed"]) if "share" in row else ("why", row["why"])


def _look_equal(first: Json, second: Json) -> bool:
    """Whether two who differ look the same in the figures that are shown."""
    if "share" not in first or "share" not in second:
        return False
    return leads(first["owed"]) == leads(second["owed"]) and abs(first["share"] - second["share"]) <= 1


def _candidate(row: Json, winner: int | None) -> CandidateLine:
    won = row["eligible"] and row["rep"] == winner
    code = row.get("code", "")
    refused = FILTERS[code].label if code in FILTERS else code
    capacity = row["capacity"]
    return CandidateLine(
        rank=str(row.get("rank", "")),
        name=row["name"],
        eligible=row["eligible"],
        won=won,
        verdict=("Gets it" if won else "Can take it") if row["eligible"] else refused,
        code=code,
        why=row["why"] if row["why"].lower() != refused.lower() else "",
        weight=row["weight"],
        tier=row["tier"],
        share=f"{row['share'] / UNIT:.1%}" if "share" in row else "",
        before=leads(row["before"]) if "before" in row else "",
        owed=leads(row["owed"]) if "owed" in row else "",
        after=leads(row["after"]) if "after" in row else "",
        load=f"{row['open']} of {capacity}" if capacity is not None else str(row["open"]),
        last=datetime.fromisoformat(row["last"]) if row["last"] else None,
    )
