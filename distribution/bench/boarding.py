"""How long the first page of the board takes and what it weighs, beside ten thousand leads and ten times as many; and
that the page of a lead finds the others of its company by an index."""

import gzip
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from time import process_time
from typing import Final, NamedTuple
from uuid import UUID

from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.core.management import CommandError
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from distribution.bench.scratch import make_company, scratch_database, take_stock
from distribution.bench.timing import MILLISECONDS, percentile, seconds
from distribution.models import Rep
from leadcrm.lib.bench import Figure, bench
from pipeline.models import Lead, LeadSource, Pipeline, Stage, Team
from pipeline.related import same_company

FEW: Final = 10_000
MANY: Final = 100_000
REPS: Final = 50
TEAMS: Final = 5
# Who looks as a rep, and how many leads that one has.
REP: Final = "seller0-0"
OWN: Final = 800
RUNS: Final = 40
LIMIT_MS: Final = 100
LIMIT_RATIO: Final = 1.2
LIMIT_QUERIES: Final = 12
LIMIT_KB: Final = 200
_SEED: Final = 7
_OPEN: Final = ("Contacted", "Qualified", "Proposal")
_PLAIN: Final = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
_ONE_BY_ONE: Final = re.compile(rf"Seq Scan on {Lead._meta.db_table}\b")
_LINKED: Final = re.compile(r'(?:href|src)="/static/([^"?]+)"')


class Measured(NamedTuple):
    """Of one page: milliseconds of the server, and of these of its processor (median); queries; kilobytes over the wire
    with styles and scripts."""

    milliseconds: float
    processor: float
    queries: int
    kilobytes: float


@bench("board")
def board() -> Iterator[Figure]:
    """The board's first page for a rep, a team's manager and somebody who sees all, with 50 reps: beside 100,000 leads
    and, as the baseline, beside 10,000; the median of 40."""
    if connection.vendor != "postgresql":
        raise CommandError("This measurement needs PostgreSQL: set DATABASE_URL.")
    with scratch_database(), override_settings(ALLOWED_HOSTS=["testserver"], STORAGES=_PLAIN, AXES_ENABLED=False):
        viewers = _make_people()
        source = make_company()
        few = _measured(source, viewers, FEW)
        many = _measured(source, viewers, MANY)
        scans = {who: sequential_scans(user) for who, user in viewers.items()}
    for who, page in many.items():
        yield from _figures(who, few[who], page)
        yield Figure(f"{who}: same company, leads read one by one", scans[who], "scans", limit=0)


def _figures(who: str, few: Measured, many: Measured) -> Iterator[Figure]:
    yield Figure(f"{who}: server time, p50", many.milliseconds, "ms", baseline=few.milliseconds, limit=LIMIT_MS)
    yield Figure(f"{who}: the same beside 10,000 leads", many.milliseconds / few.milliseconds, "x", limit=LIMIT_RATIO)
    yield Figure(f"{who}: of that its processor, p50", many.processor, "ms", baseline=few.processor)
    yield Figure(f"{who}: queries", many.queries, "queries", baseline=few.queries, limit=LIMIT_QUERIES)
    yield Figure(f"{who}: page with styles and scripts", many.kilobytes, "kB", baseline=few.kilobytes, limit=LIMIT_KB)


def _measured(source: LeadSource, viewers: dict[str, User], leads: int) -> dict[str, Measured]:
    """Measured in a thread of its own, as a server has for requests: CPython 3.11 asks the system for memory with every
    call that crosses the end of a block of its stack, and where that is depends on what called the measurement."""
    fill(source, leads)
    with ThreadPoolExecutor(1) as server:
        found = {who: server.submit(_measure, user).result() for who, user in viewers.items()}
        server.submit(connections.close_all).result()  # those of that thread
    return found


def _measure(user: User) -> Measured:
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/board/")
    with CaptureQueriesContext(connection) as queries:
        response = client.get("/board/")
    asked = len(queries)  # before the next request empties the log
    times = [_timed(client) for _ in range(RUNS)]
    whole, processor = (percentile(part, 50) * MILLISECONDS for part in zip(*times, strict=True))
    return Measured(whole, processor, asked, (len(response.content) + _linked(response.content)) / 1000)


def _timed(client: Client) -> tuple[float, float]:
    """How long a page takes, and how much of that is the processor's: what others do on the machine is not in it."""
    before = process_time()
    return seconds(client.get, "/board/"), process_time() - before


def _linked(page: bytes) -> int:
    """What the styles and scripts of a page weigh, packed as whitenoise packs them."""
    names = set(_LINKED.findall(gzip.decompress(page).decode()))
    paths = [str(finders.find(name)) for name in names]
    return sum(len(gzip.compress(Path(path).read_bytes())) for path in paths)


# --- Others of the same company ------------------------------------------------------------------


def sequential_scans(user: User) -> int:
    """How often all leads are read one by one to find the others of a company, as the database plans it."""
    lead = Lead.objects.filter(owner__isnull=False).select_related("stage").order_by("pk")[0]
    with CaptureQueriesContext(connection) as asked:
        same_company(lead, user, timezone.now())
    return sum(_scans(query["sql"]) for query in asked.captured_queries)


def _scans(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return len(_ONE_BY_ONE.findall(plan))


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
    named = User.objects.in_bulk([REP, "manager0"], field_name="username")
    return {"rep": named[REP], "manager": named["manager0"], "who sees all": admin}


def fill(source: LeadSource, leads: int) -> None:
    """Up to so many leads: a quarter open, one in twenty closed in the last month, the others long ago. The rep who
    looks has the same ones however many there are: what somebody works on does not grow with what is behind."""
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
    first = User.objects.get(username=REP)
    rows = (
        _lead(random, number, source, stages, _holder(random, number, first, teams)) for number in range(there, leads)
    )
    Lead.objects.bulk_create(rows, batch_size=2000)
    take_stock()


def _holder(random: Random, number: int, first: User, teams: list[tuple[int, list[int]]]) -> tuple[int, int]:
    """Who has a lead, as the ids of team and owner."""
    if number < OWN:
        return teams[0][0], first.pk
    team, members = random.choice(teams)
    return team, random.choice([pk for pk in members if pk != first.pk])


def _lead(random: Random, number: int, source: LeadSource, stages: list[Stage], holder: tuple[int, int]) -> Lead:
    now, (team, owner), lot = timezone.now(), holder, random.random()
    closed = lot > 0.25
    ago = timedelta(days=random.uniform(0, 29) if lot < 0.30 else random.uniform(31, 700))
    value = Decimal(random.randrange(500, 90_000))
    came = now - (ago + timedelta(days=20) if closed else timedelta(days=random.uniform(0, 60)))
    promised = not closed and random.random() < 0.3
    stage = random.choice(stages[-2:] if closed else stages[:-2])
    return Lead(
        uid=UUID(int=random.getrandbits(128), version=4),
        first_name="Ada",
        last_name=f"Novak {number}",
        company=f"Novak Pumps {number // 5}",
        product="Pumps",
        source=source,
        stage=stage,
        owner_id=owner,
        team_id=team,
        routing_state=Lead.RoutingState.ASSIGNED,
        routing_sentence="Assigned to the next in turn.",
        value=value,
        value_base=value,
        currency="EUR",
        score=random.randrange(100),
        created_at=came,
        assigned_at=came,
        accepted_at=came if stage != stages[0] else None,
        stage_since=came,
        board_at=came,
        respond_by=now + timedelta(minutes=random.uniform(-60, 600)) if promised else None,
        closed_at=now - ago if closed else None,
    )
