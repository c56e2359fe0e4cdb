"""How long the search over leads takes, beside a hundred thousand of them."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Final

from django.contrib.auth.models import Permission, User
from django.core.management import CommandError
from django.db import connection

from distribution.bench.scratch import make_company, scratch_database, take_stock
from distribution.bench.timing import MILLISECONDS, percentile, seconds
from leadcrm.lib.bench import Figure, bench
from pipeline.models import Lead, LeadSource, Stage, Team
from pipeline.search import search_leads

LEADS: Final = 100_000
LIMIT_MS: Final = 100
SHOWN: Final = 6
RUNS: Final = 15
TEAMS: Final = 10
_SEED: Final = 7
_SYLLABLES: Final = tuple(
    "an ber cor da el fen gar hol in jan kar len mor nov os pet ros sam tor ul ven wag yar zel".split()
)
_WORDS: Final = ("Pumps", "Systems", "Logistics", "Energy", "Foods", "Partners", "Software", "Steel", "Care", "Media")
# What is typed, and what the last lead is called by it.
TYPED: Final = {
    "a name": "Zaphod Beeblebrox",
    "a name with two slips": "Zaphd Beblebrox",
    "one common word": "Pumps",
    "an e-mail address": "zaphod@beeblebrox.example",
    "a phone number": "0151 9999 8888",
    "something that nobody is called": "Qwxyz Vbnmk",
}


@bench("search")
def search() -> Iterator[Figure]:
    """Search 100,000 leads as an admin, who may see all, and as a rep of one of ten teams; the median of 15."""
    if connection.vendor != "postgresql":
        raise CommandError("This measurement needs PostgreSQL: set DATABASE_URL.")
    with scratch_database():
        admin, rep = fill(make_company())
        for what, text in TYPED.items():
            for who, user in (("admin", admin), ("rep", rep)):
                yield Figure(f"{what}, {who}", _milliseconds(user, text), "ms", limit=LIMIT_MS)


def _milliseconds(user: User, text: str) -> float:
    return percentile([seconds(search_leads, user, text, SHOWN) for _ in range(RUNS)], 50) * MILLISECONDS


def fill(source: LeadSource) -> tuple[User, User]:
    """So many leads in ten teams; returns somebody who sees all, and somebody of one team."""
    stage = Stage.objects.get()
    teams = [Team.objects.create(name=f"Team {number}") for number in range(TEAMS)]
    names, random = ["".join(parts).title() for parts in product(_SYLLABLES, repeat=2)], Random(_SEED)  # noqa: S311
    leads = (
        Lead(
            first_name=(first := random.choice(names)),
            last_name=(last := random.choice(names)),
            company=f"{random.choice(names)} {random.choice(_WORDS)}",
            email=f"{first}.{last}{number}@{random.choice(names)}.example".lower(),
            phone=f"+4930{1_000_000 + number}",
            source=source,
            stage=stage,
            team=teams[number % TEAMS],
            routing_state="unassigned",
        )
        for number in range(LEADS - 1)
    )
    Lead.objects.bulk_create(leads, batch_size=2000)
    Lead.objects.create(
        first_name="Zaphod",
        last_name="Beeblebrox",
        email="zaphod@beeblebrox.example",
        phone="+4915199998888",
        source=source,
        stage=stage,
        team=teams[0],
        routing_state="unassigned",
    )
    take_stock()
    admin, rep = (User.objects.create_user(name) for name in ("admin", "rep"))
    admin.user_permissions.add(Permission.objects.get(codename="view_lead"))
    teams[0].members.add(rep)
    return admin, rep
