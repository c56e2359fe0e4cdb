"""What is wrong with a rule set, before it goes live and after. Reads only, in a constant number of queries.

To add a check of rules, append one function to ``RULE_CHECKS``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Prefetch
from django.utils import timezone

from distribution.compiling import live_world
from distribution.engine import targets
from distribution.engine.conditions import ConditionError, build_condition
from distribution.engine.methods import METHODS
from distribution.fields import RuleFields, rule_fields
from distribution.models import Pool, PoolMember, RoutingRule, RuleSet, Territory
from distribution.openhours import pool_hours_warnings
from distribution.rulebounds import contradictions
from distribution.rulewords import condition_words, groups_of
from pipeline.models import Team

ERROR: Final = "error"
WARNING: Final = "warning"
WEEK: Final = range(1, 8)


@dataclass(frozen=True, slots=True)
class Problem:
    """``rule`` is None for what concerns the set; ``field`` names the model's field (``conditions`` for a condition).
    An error keeps a rule set from going live, a warning does not."""

    rule: RoutingRule | None
    field: str
    sentence: str
    severity: str = ERROR

    def __str__(self) -> str:
        return f"Rule “{self.rule.name}”: {self.sentence}" if self.rule else self.sentence


@dataclass(frozen=True, slots=True)
class World:
    """What the rules of one set refer to, as it is now."""

    now: datetime
    fields: RuleFields
    pools: Mapping[int, Pool]
    manned_teams: frozenset[int]
    owned_territories: frozenset[str]


Ways = Sequence[frozenset[str]]
RuleCheck = Callable[[RoutingRule, World], Iterable[Problem]]


def check_rule_set(rule_set: RuleSet) -> list[Problem]:
    """Everything that keeps a rule set from working as its author means it, the set's own problems first."""
    rules = list(
        rule_set.rules.select_related("pool", "rep__user", "team", "fallback_pool", "sla_policy")
        .prefetch_related("conditions", "required_skills")
        .order_by("position", "id")
    )
    world = _read_world(rule_set, rules)
    found = [*_check_catch_all(rule_set, world), *_check_presence(rules), *_check_hours(world)]
    greedy: list[tuple[RoutingRule, Ways]] = []
    for rule in rules:
        ways = _ways(rule)
        found += [*_check_rule(rule, world), *_check_reach(rule, ways, greedy)]
        if _takes_all(rule):
            greedy.append((rule, ways))
    return found


def _read_world(rule_set: RuleSet, rules: Sequence[RoutingRule]) -> World:
    pools = _ids(rule_set.catch_all_pool_id, *(pk for rule in rules for pk in (rule.pool_id, rule.fallback_pool_id)))
    teams = _ids(rule_set.catch_all_team_id, *(rule.team_id for rule in rules))
    members = PoolMember.objects.filter(retired_at=None).select_related("rep__user").prefetch_related("rep__skills")
    used = Pool.objects.filter(pk__in=pools).prefetch_related(Prefetch("members", queryset=members))
    manned = Team.objects.filter(pk__in=teams, archived_at=None, members__is_active=True)
    owned = Territory.objects.filter(archived_at=None).values_list("owner", "pool")
    owners = {kind for row in owned for kind, pk in zip(("owner", "pool"), row, strict=True) if pk}
    return World(
        now=timezone.now(),
        fields=rule_fields(),
        pools={pool.pk: pool for pool in used},
        manned_teams=frozenset(manned.values_list("pk", flat=True)),
        owned_territories=frozenset(owners),
    )


def _ids(*keys: int | None) -> set[int]:
    return {key for key in keys if key is not None}


def _check_catch_all(rule_set: RuleSet, world: World) -> Iterator[Problem]:
    if rule_set.catch_all_pool_id:
        yield from _check_pool(None, "catch_all_pool", world.pools[rule_set.catch_all_pool_id])
    elif rule_set.catch_all_team:
        yield from _check_team(None, "catch_all_team", rule_set.catch_all_team, world)
    else:
        sentence = "There is no catch-all. Say who gets leads that no rule could place: a pool or a team's queue."
        yield Problem(None, "catch_all_pool", sentence)


def _check_presence(rules: Sequence[RoutingRule]) -> Iterator[Problem]:
    if not any(rule.active for rule in rules):
        lacking = "All rules are switched off" if rules else "There are no rules"
        yield Problem(None, "rules", f"{lacking}: every lead goes to the catch-all.", WARNING)


def _check_hours(world: World) -> Iterator[Problem]:
    """Pools that are asleep when their leads come in; each once, however many rules name it."""
    found = pool_hours_warnings(world.pools.values(), world.now, live_world().timetable)
    for sentence in found.values():
        yield Problem(None, "rules", sentence, WARNING)


def _check_rule(rule: RoutingRule, world: World) -> Iterator[Problem]:
    for check in RULE_CHECKS:
        for problem in check(rule, world):
            # What is switched off does no harm, and cannot be switched on while the set is live.
            yield problem if rule.active else replace(problem, severity=WARNING)


def _check_target(rule: RoutingRule, world: World) -> Iterator[Problem]:
    if rule.target not in targets.TARGETS:
        yield Problem(rule, "target", f"There is no target {rule.target!r}. Choose where the lead goes.")
    elif rule.target == targets.POOL:
        yield from _check_named_pool(rule, "pool", rule.pool_id, world)
    elif rule.target == targets.REP:
        yield from _check_rep(rule)
    elif rule.target == targets.TEAM_QUEUE:
        if rule.team is None:
            yield Problem(rule, "team", "It sends leads to a team's queue but names no team.")
        else:
            yield from _check_team(rule, "team", rule.team, world)
    elif rule.target in (targets.TERRITORY_OWNER, targets.TERRITORY_POOL):
        kind = "owner" if rule.target == targets.TERRITORY_OWNER else "pool"
        if kind not in world.owned_territories:
            yield Problem(rule, "target", f"No territory has {_a(kind)} yet, so it leads nowhere.", WARNING)


def _check_named_pool(rule: RoutingRule, field: str, pool_id: int | None, world: World) -> Iterator[Problem]:
    if pool_id is None:
        yield Problem(rule, field, "It sends leads to a pool but names none.")
        return
    yield from _check_pool(rule, field, world.pools[pool_id])
    yield from _check_skills(rule, field, world.pools[pool_id])


def _check_pool(rule: RoutingRule | None, field: str, pool: Pool) -> Iterator[Problem]:
    members = list(pool.members.all())
    if pool.archived_at:
        yield Problem(rule, field, f"Pool “{pool}” is archived. Bring it back or choose another.")
    elif not members:
        yield Problem(rule, field, f"Pool “{pool}” is empty. Add members or choose another.")
    elif not any(_may_work(member) for member in members):
        sentence = f"Nobody in pool “{pool}” can take leads: everyone is paused or switched off."
        yield Problem(rule, field, sentence, WARNING)
    elif METHODS[pool.method].posts and not any(member.weight for member in members):
        yield Problem(rule, field, f"All weights in pool “{pool}” are 0; they count as equal.", WARNING)


def _may_work(member: PoolMember) -> bool:
    return not member.paused and member.rep.active and member.rep.user.is_active


def _check_skills(rule: RoutingRule, field: str, pool: Pool) -> Iterator[Problem]:
    wanted = {skill.pk for skill in rule.required_skills.all()}
    members = pool.members.all()
    if wanted and members and not any(wanted <= {s.pk for s in member.rep.skills.all()} for member in members):
        names = ", ".join(skill.name for skill in rule.required_skills.all())
        sentence = f"Nobody in pool “{pool}” has the required skills: {names}."
        yield Problem(rule, "required_skills" if field == "pool" else field, sentence, WARNING)


def _check_rep(rule: RoutingRule) -> Iterator[Problem]:
    if rule.rep is None:
        yield Problem(rule, "rep", "It sends leads to one rep but names none.")
    elif not (rule.rep.active and rule.rep.user.is_active):
        yield Problem(rule, "rep", f"{rule.rep} is switched off and gets no leads.", WARNING)


def _check_team(rule: RoutingRule | None, field: str, team: Team, world: World) -> Iterator[Problem]:
    if team.archived_at:
        yield Problem(rule, field, f"Team “{team}” is archived. Bring it back or choose another.")
    elif team.pk not in world.manned_teams:
        yield Problem(rule, field, f"Team “{team}” has no members: nobody would take leads from its queue.", WARNING)


def _check_fallback(rule: RoutingRule, world: World) -> Iterator[Problem]:
    if rule.if_unavailable not in targets.UNAVAILABLE:
        yield Problem(rule, "if_unavailable", "Say what happens when nobody there can take the lead.")
    elif rule.if_unavailable == targets.FALLBACK:
        yield from _check_named_pool(rule, "fallback_pool", rule.fallback_pool_id, world)
        if rule.target == targets.POOL and rule.fallback_pool_id == rule.pool_id:
            yield Problem(rule, "fallback_pool", "It falls back to the pool that could not take the lead.", WARNING)


def _check_conditions(rule: RoutingRule, world: World) -> Iterator[Problem]:
    broken = set()
    for row in rule.conditions.all():
        try:
            build_condition(world.fields.catalogue, row.field, row.operator, row.value)
        except ConditionError as error:
            broken.add(row)
            yield Problem(rule, "conditions", f"{condition_words(row, world.fields)}: {error}")
        else:
            yield from _check_territories(rule, row.operator, row.value, world.fields)
    for group in groups_of(rule):
        for label in contradictions([row for row in group if row not in broken], world.fields.catalogue):
            yield Problem(rule, "conditions", f"No lead can meet all that it asks of {label}.")


def _check_territories(rule: RoutingRule, operator: str, value: object, fields: RuleFields) -> Iterator[Problem]:
    if operator != "in_territory" or not isinstance(value, list):
        return
    for pk in value:
        if pk in fields.archived_territories:
            name = fields.archived_territories[pk]
            yield Problem(rule, "conditions", f"Territory “{name}” is archived: no lead is in it.", WARNING)
        elif pk not in fields.territories:
            yield Problem(rule, "conditions", f"There is no territory {pk} any more.")


def _check_window(rule: RoutingRule, world: World) -> Iterator[Problem]:
    if rule.valid_from and rule.valid_until and rule.valid_from >= rule.valid_until:
        yield Problem(rule, "valid_until", "It ends before it begins.")
    elif rule.valid_until and rule.valid_until <= world.now:
        yield Problem(rule, "valid_until", f"It ended on {rule.valid_until:%Y-%m-%d} and can never match.", WARNING)
    if rule.from_time is not None and rule.from_time == rule.to_time:
        yield Problem(rule, "to_time", "It begins and ends at the same time of day, so it never applies.")
    if not isinstance(rule.weekdays, list) or any(day not in WEEK for day in rule.weekdays):
        yield Problem(rule, "weekdays", "Weekdays are numbers from 1 (Monday) to 7 (Sunday).")
    if not is_zone(rule.time_zone):
        yield Problem(rule, "time_zone", f"There is no time zone {rule.time_zone!r}.")


def _check_policy(rule: RoutingRule, world: World) -> Iterator[Problem]:
    if rule.sla_policy and rule.sla_policy.archived_at:
        name = rule.sla_policy
        yield Problem(rule, "sla_policy", f"SLA policy “{name}” is archived. Bring it back or choose another.")


RULE_CHECKS: Final[list[RuleCheck]] = [_check_target, _check_fallback, _check_conditions, _check_window, _check_policy]


def is_zone(name: str) -> bool:
    """Whether this is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def _check_reach(rule: RoutingRule, ways: Ways, greedy: Iterable[tuple[RoutingRule, Ways]]) -> Iterator[Problem]:
    """Warn of a rule that an earlier one leaves (almost) no leads: whichever way to match it, all that one way to match
    the earlier one asks is asked here too."""
    covers = (other for other, wide in greedy if all(any(ask <= more for ask in wide) for more in ways))
    blocker = next(covers, None)
    if blocker is None or not rule.active:
        return
    never = blocker.target == targets.TEAM_QUEUE
    reach = "It is never reached" if never else "It is reached only when nobody there can take the lead"
    yield Problem(rule, "position", f"{reach}: rule “{blocker.name}” before it takes the same leads.", WARNING)


def _takes_all(rule: RoutingRule) -> bool:
    """Whether the rule always applies and asks nothing of who takes the lead beyond its conditions."""
    anytime = not (rule.valid_from or rule.valid_until or rule.weekdays or rule.from_time)
    asks = rule.skill_field or rule.match_language or rule.match_territory or rule.required_skills.all()
    named = rule.target in (targets.POOL, targets.REP, targets.TEAM_QUEUE)
    return rule.active and anytime and named and not asks


def _ways(rule: RoutingRule) -> Ways:
    """What each group of conditions asks. Without conditions there is one way to match, which asks nothing."""
    return [frozenset(str(condition) for condition in group) for group in groups_of(rule)] or [frozenset()]


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
