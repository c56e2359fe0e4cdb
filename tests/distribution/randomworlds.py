"""Random but repeatable worlds: reps of all kinds, pools of all methods, rules of all targets, leads of all sorts."""

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from distribution.models import Condition, Pool, PoolMember, Rep, RoutingRule, RuleSet, Skill, Territory, TerritoryArea
from pipeline.models import Account, Lead, Team
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead

COUNTRIES = ("DE", "AT", "CH", "US")
LANGUAGES = ("de", "en", "fr")
PRODUCTS = ("Pumps", "Valves", "Sensors")
METHODS = ("round_robin", "weighted", "least_loaded", "equal_totals", "priority_tiers", "claim", "pull")
CONDITIONS: tuple[tuple[str, str, Any], ...] = (
    ("country", "is", "DE"),
    ("country", "any_of", ["DE", "AT"]),
    ("country", "is_not", "US"),
    ("employees", "gte", 200),
    ("employees", "between", [10, 100]),
    ("city", "blank", None),
    ("city", "starts_with", "mün"),
    ("company", "matches", "^(novak|meyer)"),
    ("tags", "has_any", ["hot", "trial"]),
    ("account_owned", "is", True),
    ("duplicate", "is", True),
    ("nonsense", "is", "x"),
    ("message", "contains", "preis"),
)


class RandomWorld:
    """One installation made from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.teams = [Team.objects.create(name=name) for name in ("North", "South")]
        self.skills = [Skill.objects.create(name=name) for name in PRODUCTS]
        self.reps = [self._rep(number) for number in range(8)]
        self.pools = [self._pool(number) for number in range(5)]
        self.territories = [self._territory(number) for number in range(4)]
        self.accounts = [self._account(number) for number in range(4)]
        self._publish()

    def _rep(self, number: int) -> Rep:
        chance = self.chance
        away = chance.random() < 0.2
        rep = make_rep(
            f"Rep {number}",
            active=chance.random() < 0.9,
            status="away" if away else "available",
            away_reason=chance.choice(("", "on leave")),
            away_until=timezone.now() + timedelta(days=chance.choice((-1, 3)))
            if away and chance.random() < 0.7
            else None,
            languages=chance.sample(LANGUAGES, chance.randint(0, 3)),
            capacity=chance.choice((None, 1, 3, 50)),
            cap_per_day=chance.choice((None, None, 2)),
            time_zone=chance.choice(("UTC", "Europe/Berlin", "America/Los_Angeles")),
        )
        rep.skills.set(chance.sample(self.skills, chance.randint(0, 3)))
        chance.choice(self.teams).members.add(rep.user)
        return rep

    def _pool(self, number: int) -> Pool:
        chance = self.chance
        pool = Pool.objects.create(
            name=f"Pool {number}",
            method=chance.choice(METHODS),
            team=chance.choice((None, *self.teams)),
            relax=[{"demand": code, "after": 0} for code in chance.choice(((), ("language",), ("language", "skill")))],
        )
        for rep in chance.sample(self.reps, chance.randint(0, 6)):
            PoolMember.objects.create(
                pool=pool,
                rep=rep,
                weight=chance.choice((0, 1, 1, 2, 7)),
                tier=chance.choice((1, 2)),
                max_open=chance.choice((None, None, 2)),
                paused=chance.random() < 0.1,
            )
        return pool

    def _territory(self, number: int) -> Territory:
        chance = self.chance
        territory = Territory.objects.create(
            name=f"Territory {number}",
            priority=chance.randint(0, 2),
            owner=chance.choice((None, *self.reps)),
            pool=chance.choice((None, *self.pools)),
        )
        territory.reps.set(chance.sample(self.reps, 3))
        postal = (
            {"postal_from": "8*", "country": "DE"} if chance.random() < 0.3 else {"country": chance.choice(COUNTRIES)}
        )
        TerritoryArea.objects.create(territory=territory, **postal)
        return territory

    def _account(self, number: int) -> Account:
        owner = self.chance.choice((None, *self.reps))
        return Account.objects.create(
            name=f"Novak {number}", domain=f"novak{number}.example", owner=owner.user if owner else None, country="DE"
        )

    def _publish(self) -> None:
        chance = self.chance
        catch_all = (
            {"catch_all_pool": chance.choice(self.pools)}
            if chance.random() < 0.5
            else {"catch_all_team": chance.choice(self.teams)}
        )
        rule_set = RuleSet.objects.create(name="Random", **catch_all)
        for position in range(chance.randint(1, 6)):
            self._rule(rule_set, position)
        # Some of these worlds would be refused on publishing, and must be routed all the same.
        RuleSet.objects.filter(pk=rule_set.pk).update(state="live", version=1)

    def _rule(self, rule_set: RuleSet, position: int) -> None:
        chance = self.chance
        rule = RoutingRule.objects.create(
            rule_set=rule_set,
            position=position,
            name=f"Rule {position}",
            active=chance.random() < 0.9,
            target=chance.choice(
                (
                    "pool",
                    "pool",
                    "pool",
                    "rep",
                    "team_queue",
                    "account_owner",
                    "previous_owner",
                    "territory_owner",
                    "territory_pool",
                )
            ),
            pool=chance.choice(self.pools),
            rep=chance.choice(self.reps),
            team=chance.choice(self.teams),
            if_unavailable=chance.choice(("next", "next", "hold", "fallback")),
            fallback_pool=chance.choice(self.pools),
            skill_field=chance.choice(("", "product")),
            match_language=chance.random() < 0.3,
            match_territory=chance.random() < 0.2,
            set_priority=chance.choice((None, 3)),
        )
        rule.required_skills.set(chance.sample(self.skills, chance.choice((0, 0, 1))))
        for group in range(1, chance.randint(1, 3)):
            field, operator, value = chance.choice(CONDITIONS)
            Condition.objects.create(rule=rule, group=group, field=field, operator=operator, value=value)
        if chance.random() < 0.3:
            ids = [chance.choice(self.territories).pk]
            Condition.objects.create(rule=rule, group=1, field="territory", operator="in_territory", value=ids)

    def lead(self) -> Lead:
        chance = self.chance
        number = chance.randint(0, 30)
        return make_lead(
            email=f"p{number}@novak{number % 6}.example",
            phone=chance.choice(("", f"+4930{number:07}")),
            company=chance.choice(("", "Novak 1", "Meyer AG")),
            country=chance.choice(("", *COUNTRIES)),
            city=chance.choice(("", "München", "Wien")),
            postal_code=chance.choice(("", "80331", "1010")),
            language=chance.choice(("", *LANGUAGES)),
            product=chance.choice(("", *PRODUCTS)),
            employees=chance.choice((None, 5, 50, 500)),
            tags=chance.choice(([], ["hot"])),
            message=chance.choice(("", "Was ist der PREIS?")),
        )
