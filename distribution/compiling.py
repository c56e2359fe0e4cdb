"""Turns rule sets and territories from rows into what the engine reads, once per version and process.

A live rule set never changes, and every change of territories or of the field catalogue moves a stamp, so what is
cached under (id, stamp) is never stale.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import F, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from distribution.engine import rules as engine
from distribution.engine.conditions import Condition as EngineCondition
from distribution.engine.conditions import ConditionError, broken_condition, build_condition
from distribution.engine.facts import ATTRIBUTE_PREFIX, Catalogue, Field, catalogue
from distribution.engine.territories import Area, TerritoryIndex, build_index
from distribution.engine.territories import Territory as EngineTerritory
from distribution.engine.text import fold
from distribution.hours import Timetable, load_timetable
from distribution.models import Condition, ConfigStamp, RoutingRule, RuleSet, Territory, TerritoryArea
from distribution.promises import PolicyBook, load_policies
from leadcrm.lib.prepared import Prepared
from pipeline.models import AttributeDefinition, LeadSource, Pipeline

TERRITORIES: Final = "territories"
CATALOGUE: Final = "catalogue"
HOURS: Final = "hours"
POLICIES: Final = "policies"
_STAMPS: Final = (TERRITORIES, CATALOGUE, HOURS, POLICIES)
NO_RULES: Final = engine.RuleSet(0, "no live rule set")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_rule_sets: dict[tuple[int, int], engine.RuleSet] = {}
_territories: dict[int, TerritoryIndex] = {}
_definitions: dict[int, dict[str, Field]] = {}
_timetables: dict[tuple[int, int], Timetable] = {}
_policy_books: dict[int, PolicyBook] = {}


@dataclass(frozen=True, slots=True)
class World:
    """The compiled configuration that a decision stands on: rules, territories, custom fields, hours and promises."""

    rule_set: engine.RuleSet
    territories: TerritoryIndex
    attributes: dict[str, Field]
    timetable: Timetable = field(default_factory=Timetable)
    policies: PolicyBook = field(default_factory=PolicyBook)


def live_world() -> World:
    """The live configuration. One query when nothing changed since the last call in this process."""
    pk, *stamps = _live_row()
    territories, catalogue_stamp, hours, policies = stamps
    rule_set = _live_rules(pk, catalogue_stamp) if pk else NO_RULES
    return World(
        rule_set,
        _territory_index(territories),
        attribute_fields(catalogue_stamp),
        _timetable(hours),
        _policy_book(policies),
    )


def live_timetable() -> Timetable:
    """Only the working hours of :func:`live_world`."""
    _, _, _, hours, _ = _live_row()
    return _timetable(hours)


def world_of(rule_set: RuleSet) -> World:
    """The configuration with another rule set, such as a draft, in the place of the live one."""
    live = live_world()
    return replace(live, rule_set=compile_rule_set(rule_set))


def touch(kind: str) -> None:
    """Say that territories or the catalogue changed. Runs in the transaction of the change."""
    if not ConfigStamp.objects.filter(pk=kind).update(version=F("version") + 1):
        ConfigStamp.objects.bulk_create([ConfigStamp(kind=kind)], ignore_conflicts=True)


def touch_territories() -> None:
    touch(TERRITORIES)


def _live_row() -> tuple[int, ...]:
    """The id of the live rule set, 0 when there is none, and the stamps in the order of ``_STAMPS``."""
    row = _LIVE.first()
    if row is not None:
        return row
    versions = dict(ConfigStamp.objects.values_list("kind", "version"))
    return 0, *(versions.get(kind, 0) for kind in _STAMPS)


def _live_and_stamps() -> QuerySet[RuleSet, tuple[int, ...]]:
    def stamp(kind: str) -> Coalesce:
        return Coalesce(Subquery(ConfigStamp.objects.filter(pk=kind).values("version")), 0)

    live = RuleSet.objects.filter(state=RuleSet.State.LIVE).order_by()
    return live.values_list("id", *(stamp(kind) for kind in _STAMPS))


_LIVE: Final = Prepared(_live_and_stamps)


def _live_rules(pk: int, stamp: int) -> engine.RuleSet:
    return _newest(_rule_sets, (pk, stamp), lambda: compile_rule_set(RuleSet.objects.get(pk=pk)))


def _territory_index(stamp: int) -> TerritoryIndex:
    return _newest(_territories, stamp, compile_territories)


def _timetable(stamp: int) -> Timetable:
    """Kept for a year at most: then other holidays are near."""
    return _newest(_timetables, (stamp, timezone.now().year), load_timetable)


def _policy_book(stamp: int) -> PolicyBook:
    return _newest(_policy_books, stamp, load_policies)


def attribute_fields(stamp: int) -> dict[str, Field]:
    """The installation's own fields by key, such as ``attr.budget_year``."""
    return _newest(_definitions, stamp, _read_attributes)


def _read_attributes() -> dict[str, Field]:
    return {ATTRIBUTE_PREFIX + d.key: _attribute_field(d) for d in AttributeDefinition.objects.all()}


def _newest(kept: dict[K, V], key: K, make: Callable[[], V]) -> V:
    """What is kept under a key, made when it is not there; nothing else is kept. Another thread may need an older or a
    newer one at the same time."""
    found = kept.get(key)
    if found is None:
        found = make()
        kept.clear()
        kept[key] = found
    return found


def _attribute_field(definition: AttributeDefinition) -> Field:
    choices = tuple((str(choice), str(choice)) for choice in definition.choices)
    return Field(ATTRIBUTE_PREFIX + definition.key, definition.label, definition.type, choices)


def lead_catalogue() -> Catalogue:
    """Every field that a rule may ask about, with the choices as they are now. For forms, checks and docs."""
    attributes = tuple(_attribute_field(definition) for definition in AttributeDefinition.objects.all())
    fields = catalogue(attributes)
    choices = {
        "source": tuple(LeadSource.objects.values_list("slug", "name")),
        "pipeline": tuple(Pipeline.objects.values_list("slug", "name")),
    }
    for key, values in choices.items():
        fields[key] = Field(key, fields[key].label, "choice", values)
    return fields


def compile_rule_set(rule_set: RuleSet) -> engine.RuleSet:
    """A rule set as the engine reads it. A condition that cannot be built never matches, and its trace says why."""
    conditions = Condition.objects.order_by("group", "id")
    rows = rule_set.rules.order_by("position", "id").prefetch_related(
        "required_skills", Prefetch("conditions", queryset=conditions)
    )
    # Choices of sources and pipelines come and go; a rule that names one which is gone simply never matches.
    fields = catalogue(tuple(_attribute_field(definition) for definition in AttributeDefinition.objects.all()))
    return engine.RuleSet(
        id=rule_set.pk,
        name=rule_set.name,
        version=rule_set.version,
        rules=tuple(_compile_rule(rule, fields) for rule in rows),
        catch_all_pool_id=rule_set.catch_all_pool_id,
        catch_all_team_id=rule_set.catch_all_team_id,
    )


def _compile_rule(rule: RoutingRule, fields: Catalogue) -> engine.Rule:
    return engine.Rule(
        id=rule.pk,
        name=rule.name,
        target=rule.target,
        groups=_groups(rule.conditions.all(), fields),
        active=rule.active,
        window=_window(rule),
        pool_id=rule.pool_id,
        rep_id=rule.rep_id,
        team_id=rule.team_id,
        unavailable=rule.if_unavailable,
        fallback_pool_id=rule.fallback_pool_id,
        skills=frozenset(fold(skill.name) for skill in rule.required_skills.all()),
        skill_field=rule.skill_field,
        match_language=rule.match_language,
        match_territory=rule.match_territory,
        priority=rule.set_priority,
        sla_policy_id=rule.sla_policy_id,
    )


def _groups(conditions: Iterable[Condition], fields: Catalogue) -> tuple[tuple[EngineCondition, ...], ...]:
    groups: dict[int, list[EngineCondition]] = defaultdict(list)
    for condition in conditions:
        groups[condition.group].append(_compile_condition(condition, fields))
    return tuple(tuple(group) for _, group in sorted(groups.items()))


def _compile_condition(row: Condition, fields: Catalogue) -> EngineCondition:
    try:
        return build_condition(fields, row.field, row.operator, row.value)
    except ConditionError as error:
        return broken_condition(row.field, row.operator, row.value, str(error))


def _window(rule: RoutingRule) -> engine.Window | None:
    if not (rule.valid_from or rule.valid_until or rule.weekdays or rule.from_time):
        return None
    return engine.Window(
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        weekdays=frozenset(rule.weekdays),
        from_time=rule.from_time,
        to_time=rule.to_time,
        zone=ZoneInfo(rule.time_zone),
    )


def compile_territories() -> TerritoryIndex:
    """All territories in use, with their areas filed by key."""
    territories = Territory.objects.filter(archived_at=None).values_list(
        "id", "name", "priority", "owner_id", "pool_id"
    )
    areas = TerritoryArea.objects.filter(territory__archived_at=None).values_list(
        "territory_id",
        "account_id",
        "country",
        "region",
        "postal_from",
        "postal_to",
        "industry",
        "employees_from",
        "employees_to",
    )
    return build_index((EngineTerritory(*row) for row in territories), (_area(row) for row in areas.iterator()))


def _area(row: tuple[int, int | None, str, str, str, str, str, int | None, int | None]) -> Area:
    territory, account, country, region, postal_from, postal_to, industry, low, high = row
    return Area(
        territory_id=territory,
        account_id=account,
        country=country.upper(),
        region=region.upper(),
        postal_from=postal_key(postal_from),
        postal_to=postal_key(postal_to),
        industry=fold(industry),
        employees_from=low,
        employees_to=high,
    )


def postal_key(code: str) -> str:
    """A postal code as look-ups compare it: upper case, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", code).upper()


def forget() -> None:
    """Drop what this process has compiled. For tests, where a rolled-back transaction reuses ids and stamps."""
    _rule_sets.clear()
    _territories.clear()
    _definitions.clear()
    _timetables.clear()
    _policy_books.clear()
