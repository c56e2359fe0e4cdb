"""Rule sets: check, publish, clone, put in order. One that has been live never changes again."""

import logging
import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Model
from django.utils import timezone

from distribution.errors import DistributionError
from distribution.models import Condition, RoutingRule, RuleSet
from distribution.rulechecks import ERROR, WARNING, Problem, check_rule_set

__all__ = [
    "ERROR",
    "WARNING",
    "Fixed",
    "Invalid",
    "Overtaken",
    "Problem",
    "check_rule_set",
    "clone_rule_set",
    "lock_draft",
    "next_position",
    "publish_again",
    "publish_rule_set",
    "reorder_rules",
]

logger = logging.getLogger(__name__)
M = TypeVar("M", bound=Model)
_COPY: Final = re.compile(r" \(copy(?: \d+)?\)$")


class Fixed(DistributionError):
    """The rule set is or was live, or is gone: it does not change."""


class Overtaken(DistributionError):
    """Somebody else was faster; look at what they did first."""


class Invalid(DistributionError):
    """The rule set cannot go live; ``problems`` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = problems


@transaction.atomic
def publish_rule_set(rule_set: RuleSet, *, actor: User | None, replaces: int | None = None) -> RuleSet:
    """Make a draft the one live rule set, with the next version number; what was live is archived.

    The mark of a copy goes from its name: from now on its version tells it apart.

    replaces: id of the live rule set that the actor saw, 0 for none. When another one went live meanwhile, nothing
        is published.

    Raises:
        Invalid: the checks found errors.
        Fixed: it is no draft any more.
        Overtaken: another rule set went live since the actor looked.
    """
    # All rows, so that there is always one that two publishers share, also when nothing is live yet.
    everything = {row.pk: row for row in RuleSet.objects.select_for_update(no_key=True).order_by("pk")}
    draft = _as_draft(everything.get(rule_set.pk))
    live = next((row for row in everything.values() if row.state == RuleSet.State.LIVE), None)
    if replaces is not None and replaces != (live.pk if live else 0):
        raise Overtaken(f"“{live}” went live meanwhile. Look at what it changed, then publish again.")
    errors = [problem for problem in check_rule_set(draft) if problem.severity == ERROR]
    if errors:
        raise Invalid(errors)
    version = 1 + max((row.version or 0 for row in everything.values()), default=0)
    _go_live(draft, live, version, actor)
    rule_set.refresh_from_db()
    return rule_set


def _go_live(draft: RuleSet, live: RuleSet | None, version: int, actor: User | None) -> None:
    if live is not None:
        live.state = RuleSet.State.ARCHIVED
        live.save(update_fields=["state"])
    draft.name = _COPY.sub("", draft.name)
    draft.state, draft.version = RuleSet.State.LIVE, version
    draft.published_at, draft.published_by = timezone.now(), actor
    draft.save(update_fields=["name", "state", "version", "published_at", "published_by"])
    logger.info("rule set %s published as version %s by %s", draft.pk, version, actor)


@transaction.atomic
def clone_rule_set(rule_set: RuleSet, *, actor: User | None) -> RuleSet:
    """A draft with the same rules, conditions and catch-all, to be changed and published: “Rules (copy)”."""
    source = RuleSet.objects.select_for_update(no_key=True).get(pk=rule_set.pk)
    clone = RuleSet.objects.create(
        name=_copy_name(source.name),
        catch_all_pool_id=source.catch_all_pool_id,
        catch_all_team_id=source.catch_all_team_id,
        cloned_from=source,
    )
    _copy_rules(list(source.rules.all()), clone)
    logger.info("rule set %s cloned from %s by %s", clone.pk, source.pk, actor)
    return clone


def _copy_name(name: str) -> str:
    """A name that no rule set has: the original's with “(copy)”, “(copy 2)” and so on."""
    longest = RuleSet._meta.get_field("name").max_length or 0
    marks = (" (copy)" if number == 1 else f" (copy {number})" for number in count(1))
    names = (_COPY.sub("", name)[: longest - len(mark)] + mark for mark in marks)
    return next(wanted for wanted in names if not RuleSet.objects.filter(name=wanted).exists())


def publish_again(rule_set: RuleSet, *, actor: User | None, replaces: int | None = None) -> RuleSet:
    """Roll back: publish an exact copy of a rule set that was live before, under a new version number.

    Raises: like ``publish_rule_set``.
    """
    with transaction.atomic():
        return publish_rule_set(clone_rule_set(rule_set, actor=actor), actor=actor, replaces=replaces)


@transaction.atomic
def reorder_rules(rule_set: RuleSet, rule_ids: Sequence[int]) -> None:
    """Put the rules of a draft in the order of ``rule_ids``, which names each of them once.

    Raises:
        Fixed: it is no draft.
        Overtaken: rules came or went since the order was made.
    """
    draft = lock_draft(rule_set)
    rules = {rule.pk: rule for rule in draft.rules.all()}
    if sorted(rule_ids) != sorted(rules):
        raise Overtaken("Rules were added or removed meanwhile. Look at the list, then order it again.")
    for position, pk in enumerate(rule_ids, 1):
        rules[pk].position = position
    RoutingRule.objects.bulk_update(rules.values(), ["position"])


def lock_draft(rule_set: RuleSet) -> RuleSet:
    """The rule set as it is now, locked until the transaction ends, so that it cannot go live half changed.

    Raises:
        Fixed: it is no draft.
    """
    return _as_draft(RuleSet.objects.select_for_update(no_key=True).filter(pk=rule_set.pk).first())


def next_position(rule_set: RuleSet) -> int:
    """The position behind the last rule."""
    last: int | None = rule_set.rules.aggregate(last=Max("position"))["last"]
    return (last or 0) + 1


def _as_draft(row: RuleSet | None) -> RuleSet:
    if row is None:
        raise Fixed("This rule set was deleted.")
    if row.state != RuleSet.State.DRAFT:
        raise Fixed(f"“{row}” has been published and never changes. Clone it, change the draft, publish that.")
    return row


def _copy_rules(rules: Sequence[RoutingRule], clone: RuleSet) -> None:
    copies = RoutingRule.objects.bulk_create([_copy(rule, rule_set_id=clone.pk) for rule in rules])
    new_ids = {rule.pk: copy.pk for rule, copy in zip(rules, copies, strict=True)}
    conditions = Condition.objects.filter(rule__in=rules).order_by("id")
    Condition.objects.bulk_create([_copy(row, rule_id=new_ids[row.rule_id]) for row in conditions])
    through = RoutingRule.required_skills.through
    skills: Iterable[Any] = through.objects.filter(routingrule__in=rules)
    through.objects.bulk_create([_copy(row, routingrule_id=new_ids[row.routingrule_id]) for row in skills])


def _copy(row: M, **changes: int) -> M:
    """An unsaved copy of a row, all columns but the key."""
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    return type(row)(**{**values, **changes})
