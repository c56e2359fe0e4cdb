"""A database of its own for measurements, beside the configured one, which is never touched."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import connection, models

from distribution import compiling
from distribution.models import Condition, Pool, PoolMember, Rep, RoutingRule, RuleSet
from distribution.rulesets import publish_rule_set
from pipeline.models import LeadSource, Pipeline, Stage

COUNTRIES: Final = ("AT", "BE", "CH", "CZ", "DK", "ES", "FI", "FR", "IE", "IT", "LU", "NL", "NO", "PL", "PT", "SE")
REPS: Final = 10


@contextmanager
def scratch_database() -> Iterator[None]:
    """An empty, migrated database on the configured server, dropped at the end."""
    before = str(connection.settings_dict["NAME"])
    with tempfile.TemporaryDirectory(prefix="leadcrm-bench-") as folder:
        # SQLite would otherwise make it in memory, where no server process could see it.
        sqlite = connection.vendor == "sqlite"
        connection.settings_dict["TEST"]["NAME"] = (
            str(Path(folder) / "leadcrm.sqlite3") if sqlite else f"bench_{before}"
        )
        try:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        except SystemExit:
            raise CommandError("Cannot create a database to measure with: the user needs the right to.") from None
        compiling.forget()
        try:
            yield
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)
            compiling.forget()


def take_stock() -> None:
    """Let the database count its rows, as it does by itself, within a minute, where there is work every day."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def copy_rows(model: type[models.Model], pk: int, source: str, **values: str) -> None:
    """Insert copies of a row, one for each row of a source, with some columns as SQL over it (PostgreSQL).

    The SQL must be made of names of columns and numbers, never of anything from outside.
    """
    columns = [str(field.column) for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    wanted = ", ".join(values.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {wanted} FROM "{table}" t, {source} WHERE t.id = {pk:d}'  # noqa: S608
        )


def environment() -> dict[str, str]:
    """The environment in which another process works on the scratch database."""
    name = str(connection.settings_dict["NAME"])
    url = os.environ.get("DATABASE_URL")
    if url is None:
        return {**os.environ, "VAR_DIR": str(Path(name).parent)}
    return {**os.environ, "DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}


def make_company() -> LeadSource:
    """Seventeen rules by country, the last of which matches the sample leads, and a pool of ten; returns the source."""
    pipeline = Pipeline.objects.create(name="Sales", slug="sales", is_default=True)
    Stage.objects.create(pipeline=pipeline, name="New", slug="new")
    pool = Pool.objects.create(name="Inside sales", method="weighted")
    for number in range(1, REPS + 1):
        user = User.objects.create(username=f"rep{number}")
        rep = Rep.objects.create(user=user, name=f"Rep {number}", languages=["de", "en"])
        PoolMember.objects.create(pool=pool, rep=rep, weight=1 + number % 3)
    rule_set = RuleSet.objects.create(name="Rules", catch_all_pool=pool)
    for position, country in enumerate((*COUNTRIES, "DE")):
        rule = RoutingRule.objects.create(rule_set=rule_set, name=f"From {country}", position=position, pool=pool)
        Condition.objects.create(rule=rule, field="country", operator="is", value=country)
    publish_rule_set(rule_set, actor=None)
    return LeadSource.objects.create(name="Web", slug="web", pipeline=pipeline, requests_per_minute=10**9)


def sample_fields(number: int) -> dict[str, str | int]:
    """A lead as a form sends it, another person for each number."""
    return {
        "first_name": "Ada",
        "last_name": f"Novak {number}",
        "email": f"ada.novak{number}@people{number}.example",
        "phone": f"+4930{1_000_000 + number}",
        "company": f"Novak Pumps {number}",
        "country": "DE",
        "postal_code": "10115",
        "employees": 120,
        "product": "Pumps",
        "message": "Please call me about twenty pumps for our new plant.",
    }
