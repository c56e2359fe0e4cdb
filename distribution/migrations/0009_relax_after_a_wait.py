from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import migrations
from django.db.models import QuerySet

from leadcrm.lib.filling import in_chunks

TABLES = ("Pool", "HistoricalPool")


def add_waits(apps: Any, schema_editor: Any) -> None:
    """What was dropped at once still is: after no minutes."""
    _rewrite(apps, lambda step: {"demand": step, "after": 0} if isinstance(step, str) else step)


def forget_waits(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, lambda step: step["demand"] if isinstance(step, dict) else step)


def _rewrite(apps: Any, change: Callable[[Any], Any]) -> None:
    for table in TABLES:
        in_chunks(apps.get_model("distribution", table).objects.exclude(relax=[]), partial(_change, change))


def _change(change: Callable[[Any], Any], pools: QuerySet[Any]) -> None:
    rows = list(pools.only("relax"))
    for row in rows:
        row.relax = [change(step) for step in row.relax]
    pools.model.objects.bulk_update(rows, ["relax"], batch_size=100)


class Migration(migrations.Migration):
    atomic = False  # no pool is locked for longer than a part of them takes

    dependencies = [
        ("distribution", "0008_holds_know_what_they_wait_for"),
    ]

    operations = [
        migrations.RunPython(add_waits, forget_waits),
    ]
