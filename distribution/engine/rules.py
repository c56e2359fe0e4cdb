"""Rules as the engine sees them, and how one is held against a lead."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple

from distribution.engine.conditions import Condition, holds
from distribution.engine.facts import LeadFacts, plain
from distribution.engine.jsontext import json_text
from distribution.engine.moments import utc_text

MATCHED: Final = "matched"
PASSED: Final = "passed"
INACTIVE: Final = "inactive"
FAILED: Final = "error"


@dataclass(frozen=True, slots=True)
class Window:
    """When a rule applies: validity in UTC, weekdays (1 Monday to 7 Sunday) and times of day in ``zone``."""

    valid_from: datetime | None = None
    valid_until: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    from_time: time | None = None
    to_time: time | None = None
    zone: tzinfo | None = None

    def closed(self, now: datetime) -> str:
        """Why the rule does not apply now; empty when it does."""
        if self.valid_from is not None and now < self.valid_from:
            return f"not before {utc_text(self.valid_from)}"
        if self.valid_until is not None and now >= self.valid_until:
            return f"ended {utc_text(self.valid_until)}"
        return "" if self._open_today(now) else "outside its days and hours"

    def _open_today(self, now: datetime) -> bool:
        local = now.astimezone(self.zone) if self.zone else now
        if self.from_time is None or self.to_time is None:
            return not self.weekdays or local.isoweekday() in self.weekdays
        clock, day = local.time(), local.isoweekday()
        if self.from_time <= self.to_time:
            inside = self.from_time <= clock < self.to_time
        else:
            inside = clock >= self.from_time or clock < self.to_time
            # After midnight it is still the window of the day before.
            day = day if clock >= self.from_time else (day - 2) % 7 + 1
        return inside and (not self.weekdays or day in self.weekdays)


@dataclass(frozen=True, slots=True)
class Rule:
    """When the conditions of any one group hold, go to the target. No groups: always."""

    id: int
    name: str
    target: str
    groups: tuple[tuple[Condition, ...], ...] = ()
    active: bool = True
    window: Window | None = None
    pool_id: int | None = None
    rep_id: int | None = None
    team_id: int | None = None
    unavailable: str = "next"
    fallback_pool_id: int | None = None
    skills: frozenset[str] = frozenset()
    skill_field: str = ""
    match_language: bool = False
    match_territory: bool = False
    priority: int | None = None
    sla_policy_id: int | None = None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in order, and who takes what none of them could place."""

    id: int
    name: str
    rules: tuple[Rule, ...] = ()
    version: int | None = None
    catch_all_pool_id: int | None = None
    catch_all_team_id: int | None = None


class Check(NamedTuple):
    """One condition held against the value that a lead has; ``error`` when it could not be evaluated."""

    condition: Condition
    actual: object
    holds: bool
    error: str = ""

    @property
    def text(self) -> str:
        """As JSON, for traces."""
        condition, holds = self.condition, "true" if self.holds else "false"
        return (
            f'{{"actual":{json_text(plain(self.actual))},"error":{json_text(self.error)},'
            f'"field":{json_text(condition.field)},"holds":{holds},{condition.text}}}'
        )


@dataclass(slots=True)
class Look:
    """What became of one rule: matched, passed over, inactive or error, and the checks that decided it.

    Leads that are alike in what a rule asks may share one.
    """

    rule: Rule
    result: str
    checks: tuple[Check, ...] = ()
    reason: str = ""
    _text: str = field(default="", repr=False, compare=False)

    @property
    def text(self) -> str:
        """As JSON, for traces. Rendered once."""
        if not self._text:
            self._text = (
                f'{{"checks":[{",".join([check.text for check in self.checks])}],"id":{self.rule.id},'
                f'"name":{json_text(self.rule.name)},"reason":{json_text(self.reason)},"result":"{self.result}"}}'
            )
        return self._text


def examine(rule: Rule, facts: LeadFacts, territories: Callable[[], frozenset[int]], now: datetime) -> Look:
    """Hold one rule against a lead. Of a group that fails, only the condition that failed first is kept."""
    if not rule.active:
        return Look(rule, INACTIVE, reason="switched off")
    closed = rule.window.closed(now) if rule.window else ""
    if closed:
        return Look(rule, INACTIVE, reason=closed)
    if not rule.groups:
        return Look(rule, MATCHED)
    result = PASSED
    failures: list[Check] = []
    for group in rule.groups:
        checks = _check_group(group, facts, territories)
        last = checks[-1]
        if last.holds:
            return Look(rule, MATCHED, tuple(checks))
        if last.error:
            result = FAILED
        failures.append(last)
    return Look(rule, result, tuple(failures))


class SharedLooks:
    """Holds rules of one rule set against leads at one moment. Leads that are alike in what a rule asks share the look,
    so that it is made and rendered once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Sequence[str], dict[Any, Look]]] = {}
        self._facts: LeadFacts | None = None
        self._values: dict[str, object] = {}

    def examine(self, rule: Rule, facts: LeadFacts, territories: Callable[[], frozenset[int]], now: datetime) -> Look:
        """:func:`examine`, with the same ``now`` each time."""
        if rule.id not in self._known:
            self._known[rule.id] = (sorted({part.field for group in rule.groups for part in group}), {})
        asked, looks = self._known[rule.id]
        if facts is not self._facts:
            self._facts, self._values = facts, _as_written(facts)
        if "territory" in asked:
            self._values["territory"] = territories()
        key = tuple(map(self._values.get, asked))
        look = looks.get(key)
        if look is None:
            look = looks[key] = examine(rule, facts, territories, now)
        return look


def _as_written(facts: LeadFacts) -> dict[str, object]:
    """The values of a lead; equal numbers may be written in several ways."""
    return {name: str(value) if type(value) is Decimal else value for name, value in facts.values.items()}


def _check_group(
    group: tuple[Condition, ...], facts: LeadFacts, territories: Callable[[], frozenset[int]]
) -> list[Check]:
    checks = []
    for condition in group:
        looked = check(condition, facts, territories)
        checks.append(looked)
        if not looked.holds:
            break
    return checks


def check(condition: Condition, facts: LeadFacts, territories: Callable[[], frozenset[int]]) -> Check:
    actual = territories() if condition.field == "territory" else facts.values.get(condition.field)
    if condition.error:
        return Check(condition, actual, False, condition.error)
    try:
        return Check(condition, actual, holds(condition, facts, territories))
    except Exception as error:
        return Check(condition, actual, False, f"{type(error).__name__}: {error}")
