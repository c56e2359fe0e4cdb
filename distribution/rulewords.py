"""Rules in plain words: what a rule asks and where it sends a lead, in one line."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from distribution.engine import targets
from distribution.engine.conditions import OPERATORS
from distribution.engine.moments import utc_text
from distribution.fields import RuleFields
from distribution.models import Condition, RoutingRule

MOST_NAMED: Final = 6
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rule_words(rule: RoutingRule, fields: RuleFields) -> str:
    """``Country is any of Austria, Germany and Employees is at least 200 → pool DACH senior, else next rule``."""
    return f"{when_words(rule, fields)} → {then_words(rule)}"


def when_words(rule: RoutingRule, fields: RuleFields) -> str:
    """What must hold for the rule to match, with its days and dates."""
    groups = [" and ".join(condition_words(row, fields) for row in group) for group in groups_of(rule)]
    asked = groups[0] if len(groups) == 1 else " or ".join(f"({group})" for group in groups)
    return ", ".join(filter(None, (asked or "Every lead", *_window_words(rule))))


def then_words(rule: RoutingRule) -> str:
    """Where the rule sends a lead, whom it asks for there, and what follows when nobody can take it."""
    words = " ".join(filter(None, (target_words(rule), *_demand_words(rule))))
    promise = f"under SLA policy {rule.sla_policy}" if rule.sla_policy else ""
    return ", ".join(filter(None, (words, _else_words(rule), promise)))


def groups_of(rule: RoutingRule) -> list[list[Condition]]:
    groups: dict[int, list[Condition]] = defaultdict(list)
    for condition in rule.conditions.all():
        groups[condition.group].append(condition)
    return [groups[number] for number in sorted(groups)]


def condition_words(condition: Condition, fields: RuleFields) -> str:
    entry = fields.catalogue.get(condition.field)
    label = entry.label if entry else f"Unknown field {condition.field}"
    verb = OPERATORS[condition.operator].label if condition.operator in OPERATORS else condition.operator
    return " ".join(filter(None, (label, verb, value_words(condition, fields))))


def value_words(condition: Condition, fields: RuleFields) -> str:
    """The value with the names of choices and territories instead of their keys."""
    value = condition.value
    shape = OPERATORS[condition.operator].argument if condition.operator in OPERATORS else "one"
    if value is None or shape == "none":
        return ""
    if not isinstance(value, list):
        return _name(condition.field, value, fields)
    names = [_name(condition.field, item, fields) for item in value]
    return " and ".join(names) if shape == "pair" else listed(names)


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def target_words(rule: RoutingRule) -> str:
    named = {
        targets.POOL: f"pool {rule.pool}" if rule.pool else "no pool",
        targets.REP: str(rule.rep) if rule.rep else "no rep",
        targets.TEAM_QUEUE: f"the queue of team {rule.team}" if rule.team else "no team",
    }
    label = targets.TARGETS.get(rule.target, rule.target)
    return named.get(rule.target) or label[0].lower() + label[1:]


def _demand_words(rule: RoutingRule) -> Iterable[str]:
    skills = [skill.name for skill in rule.required_skills.all()]
    if rule.skill_field:
        skills.append(f"the lead's {rule.skill_field}")
    if skills:
        yield f"with skill in {listed(skills)}"
    if rule.match_language:
        yield "in the lead's language"
    if rule.match_territory:
        yield "in the lead's territory"


def _else_words(rule: RoutingRule) -> str:
    if rule.target == targets.TEAM_QUEUE:
        return ""
    if rule.if_unavailable == targets.FALLBACK and rule.fallback_pool:
        return f"else pool {rule.fallback_pool}"
    return "else wait" if rule.if_unavailable == targets.HOLD else "else next rule"


def _window_words(rule: RoutingRule) -> Iterable[str]:
    if rule.weekdays or rule.from_time:
        days = days_words(rule.weekdays)
        times = f"{rule.from_time:%H:%M}–{rule.to_time:%H:%M}" if rule.from_time and rule.to_time else ""
        yield " ".join(filter(None, ("on" if days else "at", days, times, f"({rule.time_zone})")))
    if rule.valid_from:
        yield f"from {utc_text(rule.valid_from)}"
    if rule.valid_until:
        yield f"until {utc_text(rule.valid_until)}"


def days_words(weekdays: Iterable[int]) -> str:
    """``Mon–Fri``, ``Mon, Wed``: three or more in a row are told as a range."""
    known = sorted({day for day in weekdays if day in range(1, 8)})
    runs = [list(run) for _, run in groupby(known, key=lambda day: day - known.index(day))]
    return ", ".join(
        f"{_DAYS[run[0] - 1]}–{_DAYS[run[-1] - 1]}" if len(run) > 2 else ", ".join(_DAYS[day - 1] for day in run)
        for run in runs
    )


def _name(field: str, item: Any, fields: RuleFields) -> str:
    if isinstance(item, bool):
        return "yes" if item else "no"
    return fields.territory_name(item) if field == "territory" else fields.choice_name(field, item)
