"""How long the first page of the board takes and what it weighs, beside ten thousand leads and ten times as many."""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from distribution.bench.scratch import make_company, scratch_database, take_stock
from distribution.bench.timing import MILLISECONDS, percentile, seconds
from distribution.models import Rep
from leadcrm.lib.bench import Figure, bench
from pipeline.models import Lead, LeadSource, Pipeline, Stage, Team

FEW: Final = 10_000
MANY: Final = 100_000
REPS: Final = 50
TEAMS: Final = 5
RUNS: Final = 40
LIMIT_MS: Final = 100
LIMIT_QUERIES: Final = 12
LIMIT_KB: Final = 200
_SEED: Final = 7
_OPEN: Final = ("Contacted", "Qualified", "Proposal")
_PLAIN: Final = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
_LINKED: Final = re.compile(r'(?:href|src)="/static/([^"?]+)"')


class Measured(NamedTuple):
    """Of one page: milliseconds of the server (median), queries, kilobytes over the wire with styles and scripts."""

    milliseconds: float
    queries: int
    kilobytes: float


@bench("board")
def board() -> Iterator[Figure]:
    """The board's first page for a rep, a team's manager and somebody who sees all, with 50 reps; the median of 40."""
    if connection.vendor != "postgresql":
        raise CommandError("This measurement needs PostgreSQL: set DATABASE_URL.")
    with scratch_database(), override_settings(ALLOWED_HOSTS=["testserver"], STORAGES=_PLAIN, AXES_ENABLED=False):
        viewers = _make_people()
        source = make_company()
        few = _measured(source, viewers, FEW)
        many = _measured(source, viewers, MANY)
    for who, (time, queries, weight) in many.items():
        yield Figure(f"{who}: server time, p50", time, "ms", baseline=few[who].milliseconds, limit=LIMIT_MS)
        yield Figure(f"{who}: queries", queries, "queries", baseline=few[who].queries, limit=LIMIT_QUERIES)
        yield Figure(f"{who}: page with styles and scripts", weight, "kB", baseline=few[who].kilobytes, limit=LIMIT_KB)


def _measured(source: LeadSource, viewers: dict[str, User], leads: int) -> dict[str, Measured]:
    fill(source, leads)
    return {who: _measure(user) for who, user in viewers.items()}


def _measure(user: User) -> Measured:
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/board/")
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/board/")
    asked = len(queries)  # before the next request empties the log
    time = percentile([seconds(client.get, "/board/") for _ in range(RUNS)], 50) * MILLISECONDS
    return Measured(time, asked, (len(response.content) + _linked(response.content)) / 1000)


def _linked(page: bytes) -> int:
    """What the styles and scripts of a page weigh, packed as whitenoise packs them."""
    names = set(_LINKED.findall(gzip.decompress(page).decode()))
    paths = [str(finders.find(name)) for name in names]
    return sum(len(gzip.compress(Path(path).read_bytes())) for path in paths)


# --- Filling ---------------------------------------------------------------------------------------


def _make_people() -> dict[str, User]:
    """So many reps in teams, each with a manager; returns who looks at the board."""
    for number in range(TEAMS):
        manager = User.objects.create_user(f"manager{number}")
        team = Team.objects.create(name=f"Team {number}", manager=manager)
        users = [User.objects.create_user(f"seller{number}-{one}") for one in range(REPS // TEAMS)]
        Rep.objects.bulk_create(Rep(user=user, name=user.username) for user in users)
        team.members.set(users)
    admin = User.objects.create_user("sees-all")
    admin.user_permissions.add(Permission.objects.get(codename="view_lead"))
    named = User.objects.in_bulk(["seller0-0", "manager0"], field_name="username")
    return {"rep": named["seller0-0"], "manager": named["manager0"], "who sees all": admin}


def fill(source: LeadSource, leads: int) -> None:
    """Up to so many leads: a quarter open, one in twenty closed in the last month, the others long ago."""
    pipeline = Pipeline.objects.get()
    for position, name in enumerate(_OPEN, start=1):
        Stage.objects.get_or_create(pipeline=pipeline, slug=name.lower(), defaults={"name": name, "position": position})
    for kind in ("won", "lost"):
        Stage.objects.get_or_create(
            pipeline=pipeline, slug=kind, defaults={"name": kind.title(), "kind": kind, "position": 9}
        )
    random = Random(_SEED + leads)  # noqa: S311
    stages = list(Stage.objects.order_by("position", "pk"))
    teams = [(team.pk, list(team.members.values_list("pk", flat=True))) for team in Team.objects.order_by("pk")]
    there = Lead.objects.count()
    rows = (_lead(random, number, source, stages, teams) for number in range(there, leads))
    Lead.objects.bulk_create(rows, batch_size=2000)
    take_stock()


def _lead(
    random: Random, number: int, source: LeadSource, stages: list[Stage], teams: list[tuple[int, list[int]]]
) -> Lead:
    now, (team, members), lot = timezone.now(), random.choice(teams), random.random()
    closed = lot > 0.25
    ago = timedelta(days=random.uniform(0, 29) if lot < 0.30 else random.uniform(31, 700))
    value = Decimal(random.randrange(500, 90_000))
    came = now - (ago + timedelta(days=20) if closed else timedelta(days=random.uniform(0, 60)))
    promised = not closed and random.random() < 0.3
    return Lead(
        uid=UUID(int=random.getrandbits(128), version=4),
        first_name="Ada",
        last_name=f"Novak {number}",
        company=f"Novak Pumps {number}",
        product="Pumps",
        source=source,
        stage=random.choice(stages[-2:] if closed else stages[:-2]),
        owner_id=random.choice(members),
        team_id=team,
        routing_state=Lead.RoutingState.ASSIGNED,
        routing_sentence="Assigned to the next in turn.",
        value=value,
        value_base=value,
        currency="EUR",
        score=random.randrange(100),
        created_at=came,
        assigned_at=came,
        stage_since=came,
        board_at=came,
        respond_by=now + timedelta(minutes=random.uniform(-60, 600)) if promised else None,
        closed_at=now - ago if closed else None,
    )
