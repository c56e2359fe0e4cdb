"""Ostrelle Automation: who works there, what it sells, whom it knows, and where its leads come from."""

import random
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.text import slugify

from distribution.demo.words import (
    COMPANY_ENDS,
    COMPANY_KINDS,
    COMPANY_STARTS,
    EUROS,
    FIRST_NAMES,
    LAST_NAMES,
    LEGAL_FORMS,
    LOST_REASONS,
    PLACES,
)
from distribution.models import Rep, Skill
from pipeline.models import Account, AttributeDefinition, ExchangeRate, LeadSource, LostReason, Pipeline, Stage, Team
from pipeline.naming import company_key

NAME: Final = "Ostrelle Automation"
DOMAIN: Final = "ostrelle.example"
PRODUCTS: Final = tuple(f"Ostrelle {word}" for word in ("Sorter", "Shuttle", "Lift", "Scan", "Pack", "Fleet", "Care"))
# What needs training: only some can sell it.
SPECIAL_PRODUCTS: Final = ("Ostrelle Shuttle", "Ostrelle Fleet")
ACCOUNTS: Final = 90

# Office, time zone, and its teams with their size and the languages spoken there beside English.
OFFICES: Final = (
    ("Hamburg", "Europe/Berlin", (("DACH", 7, ("de",)), ("Western Europe", 6, ("fr", "nl")))),
    ("Chicago", "America/Chicago", (("North America East", 6, ("fr",)), ("North America West", 6, ("es",)))),
    ("Sydney", "Australia/Sydney", (("Oceania", 5, ()), ("Asia", 5, ("zh",)))),
)
# Slug, name, kind, the fields it must send, and its share of all leads in percent.
SOURCES: Final[tuple[tuple[str, str, LeadSource.Kind, list[str], int], ...]] = (
    ("website", "Website form", LeadSource.Kind.FORM, ["email", "company"], 41),
    ("partner-portal", "Partner portal", LeadSource.Kind.PARTNER, ["company"], 15),
    ("ads", "Search ads", LeadSource.Kind.AD, ["email"], 20),
    ("phone", "Telephone", LeadSource.Kind.PHONE, ["company"], 10),
    ("trade-fair", "Trade fair list", LeadSource.Kind.FILE, [], 10),
    ("service-desk", "Service desk", LeadSource.Kind.MANUAL, ["company"], 4),
)
_STEMS: Final = [start + end for start in COMPANY_STARTS for end in COMPANY_ENDS]
SERVICE_SOURCE: Final = "service-desk"
PIPELINES: Final = {
    "Sales": ("New", "Contacted", "Qualified", "Proposal", "Won", "Lost"),
    "Service contracts": ("New", "Offer sent", "Won", "Lost"),
}
# Days after which a card is stale, and how many one owner may have there.
STALE_AFTER: Final = {"Contacted": 4, "Qualified": 7, "Proposal": 10, "Offer sent": 14}
MOST_AT_ONCE: Final = {"Proposal": 12}


@dataclass(slots=True)
class Company:
    """What the rest of the demo builds on; reps by the name of their team, stages by the name of their pipeline."""

    admin: User
    managers: list[User] = field(default_factory=list)
    teams: dict[str, Team] = field(default_factory=dict)
    reps: dict[str, list[Rep]] = field(default_factory=dict)
    skills: dict[str, Skill] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    sources: dict[str, LeadSource] = field(default_factory=dict)
    stages: dict[str, list[Stage]] = field(default_factory=dict)

    @property
    def all_reps(self) -> list[Rep]:
        return [rep for reps in self.reps.values() for rep in reps]

    def first_stage(self, source: LeadSource) -> Stage:
        return self.stages["Service contracts" if source.slug == SERVICE_SOURCE else "Sales"][0]

    def stages_of(self, stage_id: int) -> list[Stage]:
        """The stages of the pipeline that a stage is in."""
        return next(row for row in self.stages.values() if any(stage.pk == stage_id for stage in row))


def build_company(rng: random.Random, since: datetime) -> Company:
    """Write the company as it was ``since`` then."""
    people = _People(rng, since)
    company = Company(admin=people.user("Robin Ashdown", username="admin", is_staff=True, is_superuser=True))
    company.skills = {name: Skill.objects.create(name=name, kind=Skill.Kind.PRODUCT) for name in PRODUCTS}
    for office, zone, teams in OFFICES:
        for team, size, languages in teams:
            _build_team(company, people, team, size, (office, zone, languages))
    _build_rates()
    _build_pipelines(company)
    _build_sources(company)
    company.accounts = _build_accounts(rng, company)
    return company


class _People:
    """Makes users with names that occur once."""

    def __init__(self, rng: random.Random, since: datetime) -> None:
        self.rng, self.since = rng, since
        self.names: set[str] = set()

    def name(self, language: str) -> str:
        while True:
            name = f"{self.rng.choice(FIRST_NAMES[language])} {self.rng.choice(LAST_NAMES[language])}"
            if name not in self.names:
                self.names.add(name)
                return name

    def user(self, name: str, username: str = "", **more: bool) -> User:
        """Nobody can sign in before ``logins`` gives out passwords."""
        first, _, last = name.partition(" ")
        address = f"{slugify(first)}.{slugify(last)}"
        user = User(username=username or address, first_name=first, last_name=last, **more)
        user.email, user.date_joined = f"{address}@{DOMAIN}", self.since
        user.set_unusable_password()
        user.save()
        return user


def _build_team(
    company: Company, people: _People, name: str, size: int, place: tuple[str, str, tuple[str, ...]]
) -> None:
    """A team with its manager and reps. The first manager and the first rep are those a visitor signs in as."""
    _, zone, languages = place
    mother_tongues = (*languages, "en")
    first = not company.teams
    manager = people.user(people.name(mother_tongues[0]), username="manager" if first else "")
    team = Team.objects.create(name=name, manager=manager)
    reps = []
    for number in range(size):
        tongue = mother_tongues[number % len(mother_tongues)]
        user = people.user(people.name(tongue), username="rep" if first and number == 0 else "")
        reps.append(_build_rep(company, people, user, zone, sorted({tongue, "en", *languages[: number % 3]}), number))
    team.members.set([rep.user for rep in reps])
    company.managers.append(manager)
    company.teams[name] = team
    company.reps[name] = reps


def _build_rep(company: Company, people: _People, user: User, zone: str, languages: list[str], number: int) -> Rep:
    """Everyone sells the plain products; every third person of a team the special ones as well."""
    rep = Rep(user=user, name=user.get_full_name(), time_zone=zone, languages=languages)
    rep.capacity, rep.cap_per_day = people.rng.choice((25, 30, 40)), people.rng.choice((None, None, 8))
    rep._history_date = people.since  # type: ignore[attr-defined]
    rep.save()
    special = SPECIAL_PRODUCTS if number % 3 == 0 else ()
    rep.skills.set([skill for name, skill in company.skills.items() if name in special or name not in SPECIAL_PRODUCTS])
    return rep


def _build_rates() -> None:
    """Rates from what a euro is worth; none when the base currency is not in the list."""
    base = Decimal(EUROS.get(settings.BASE_CURRENCY, "0"))
    if base:
        ExchangeRate.objects.bulk_create(
            ExchangeRate(currency=currency, rate=(Decimal(euros) / base).quantize(Decimal("0.00000001")))
            for currency, euros in EUROS.items()
            if currency != settings.BASE_CURRENCY
        )


def _build_pipelines(company: Company) -> None:
    kinds = {"Won": Stage.Kind.WON, "Lost": Stage.Kind.LOST}
    for name, stages in PIPELINES.items():
        pipeline = Pipeline.objects.create(name=name, slug=slugify(name), is_default=name == "Sales")
        company.stages[name] = [
            Stage.objects.create(
                pipeline=pipeline,
                name=stage,
                slug=slugify(stage),
                kind=kinds.get(stage, Stage.Kind.OPEN),
                position=position,
                rot_days=STALE_AFTER.get(stage),
                wip_limit=MOST_AT_ONCE.get(stage),
            )
            for position, stage in enumerate(stages)
        ]
    LostReason.objects.bulk_create(LostReason(name=name, position=i) for i, name in enumerate(LOST_REASONS))


def _build_sources(company: Company) -> None:
    timeline = AttributeDefinition.objects.create(
        key="timeline", label="When", type="choice", choices=["now", "this quarter", "this year", "later"]
    )
    area = AttributeDefinition.objects.create(key="warehouse_m2", label="Warehouse area in m²", type="number")
    service = company.stages["Service contracts"][0].pipeline
    for slug, name, kind, required, _ in SOURCES:
        source = LeadSource.objects.create(
            slug=slug,
            name=name,
            kind=kind,
            required_fields=required,
            default_currency="EUR",
            pipeline=service if slug == SERVICE_SOURCE else None,
        )
        source.attributes.set([timeline, area])
    # With their attributes at hand, so that reading a lead asks for nothing.
    company.sources = {source.slug: source for source in LeadSource.objects.prefetch_related("attributes")}


def _build_accounts(rng: random.Random, company: Company) -> list[Account]:
    """Companies with an owner each, most often of the team nearby; one in eight belongs to another one."""
    accounts = []
    for name, industry, place in company_names(rng, ACCOUNTS):
        country, region, city, postal_code, *_ = place
        accounts.append(
            Account(
                name=f"{name} {LEGAL_FORMS[country]}",
                name_key=company_key(name),
                domain=f"{slugify(name)}.example",
                owner=rng.choice(company.reps[team_for(country)]).user,
                country=country,
                region=region,
                city=city,
                postal_code=postal_code,
                industry=industry,
                employees=rng.choice((40, 120, 350, 800, 2400, 9000)),
            )
        )
    Account.objects.bulk_create(accounts)
    children = accounts[8::8]
    for child in children:
        child.parent = rng.choice(accounts[:8])
    Account.objects.bulk_update(children, ["parent"])
    return accounts


def company_names(rng: random.Random, count: int) -> list[tuple[str, str, tuple[str, str, str, str, str, str]]]:
    """Invented companies, no two alike: name without legal form, industry, and place."""
    stems = rng.sample(_STEMS, count)
    industries = rng.choices(list(COMPANY_KINDS), k=count)
    return [
        (f"{stem} {rng.choice(COMPANY_KINDS[industry])}", industry, rng.choice(PLACES))
        for stem, industry in zip(stems, industries, strict=True)
    ]


def team_for(country: str) -> str:
    """The team whose part of the world a country is in."""
    teams = {
        "DACH": "DE AT CH",
        "Western Europe": "GB IE FR NL BE",
        "North America East": "CA",
        "North America West": "US MX",
        "Oceania": "AU NZ",
    }
    return next((team for team, codes in teams.items() if country in codes.split()), "Asia")
