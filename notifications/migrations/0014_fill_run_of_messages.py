from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.db.models.functions import Cast, StrIndex, Substr

from leadcrm.lib.filling import in_chunks

PREFIX = "sequence:"


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Their keys name the run so far: sequence:RUN:STEP."""
    runs = apps.get_model("notifications", "SequenceRun").objects.values("pk")
    rest = Substr("key", len(PREFIX) + 1)
    number = Cast(Substr(rest, 1, StrIndex(rest, Value(":")) - 1), BigIntegerField())

    def note_run(messages: QuerySet[Any]) -> None:
        messages.annotate(number=number).filter(number__in=runs).update(run=F("number"))

    rows = apps.get_model("notifications", "Notification").objects
    in_chunks(rows.filter(user=None, run=None, key__startswith=PREFIX), note_run)


class Migration(migrations.Migration):
    atomic = False  # no message is locked for longer than a part of them takes

    dependencies = [
        ("notifications", "0013_run_of_messages"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
