from collections.abc import Callable
from typing import Any

from django.db import migrations

TABLES = ("Pool", "HistoricalPool")


def add_waits(apps: Any, schema_editor: Any) -> None:
    """What was dropped at once still is: after no minutes."""
    _rewrite(apps, lambda step: {"demand": step, "after": 0} if isinstance(step, str) else step)


def forget_waits(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, lambda step: step["demand"] if isinstance(step, dict) else step)


def _rewrite(apps: Any, change: Callable[[Any], Any]) -> None:
    for table in TABLES:
        model = apps.get_model("distribution", table)
        for row in model.objects.exclude(relax=[]).iterator():
            model.objects.filter(pk=row.pk).update(relax=[change(step) for step in row.relax])


class Migration(migrations.Migration):
    dependencies = [
        ("distribution", "0008_holds_know_what_they_wait_for"),
    ]

    operations = [
        migrations.RunPython(add_waits, forget_waits),
    ]
