"""What another rule set would do differently, in sentences."""

from collections import Counter
from collections.abc import Iterator

from distribution.fields import RuleFields, rule_fields
from distribution.models import RoutingRule, RuleSet
from distribution.rulewords import rule_words

Key = tuple[str, int]


def changes_between(old: RuleSet, new: RuleSet) -> list[str]:
    """How ``new`` differs from ``old``. Rules are the same when they have the same name."""
    fields = rule_fields()
    before, after = _described(old, fields), _described(new, fields)
    return [*_rule_changes(before, after), *_order_change(before, after), *_catch_all_change(old, new)]


def _described(rule_set: RuleSet, fields: RuleFields) -> dict[Key, str]:
    """The rules in words by name, in order; the n-th rule of a name has the key (name, n)."""
    rules = rule_set.rules.select_related("pool", "rep", "team", "fallback_pool", "sla_policy")
    seen: Counter[str] = Counter()
    described = {}
    for rule in rules.prefetch_related("conditions", "required_skills").order_by("position", "id"):
        described[rule.name, seen[rule.name]] = _words(rule, fields)
        seen[rule.name] += 1
    return described


def _words(rule: RoutingRule, fields: RuleFields) -> str:
    priority = "" if rule.set_priority is None else f", with priority {rule.set_priority}"
    return rule_words(rule, fields) + priority + ("" if rule.active else " (switched off)")


def _rule_changes(before: dict[Key, str], after: dict[Key, str]) -> Iterator[str]:
    for key, words in after.items():
        if key not in before:
            yield f"New rule “{key[0]}”: {words}."
        elif words != before[key]:
            yield f"Rule “{key[0]}” was: {before[key]}. Now: {words}."
    for key, words in before.items():
        if key not in after:
            yield f"Rule “{key[0]}” is gone: {words}."


def _order_change(before: dict[Key, str], after: dict[Key, str]) -> Iterator[str]:
    order = [name for name, _ in after]
    if [key for key in before if key in after] != [key for key in after if key in before]:
        yield f"The order is now: {', '.join(order)}."


def _catch_all_change(old: RuleSet, new: RuleSet) -> Iterator[str]:
    before, after = catch_all_words(old), catch_all_words(new)
    if before != after:
        yield f"The catch-all was {before}, now {after}."


def catch_all_words(rule_set: RuleSet) -> str:
    """Who gets what no rule could place."""
    if rule_set.catch_all_pool:
        return f"pool {rule_set.catch_all_pool}"
    return f"the queue of team {rule_set.catch_all_team}" if rule_set.catch_all_team else "nobody"
