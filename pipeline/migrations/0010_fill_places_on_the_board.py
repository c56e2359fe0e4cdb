from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from leadcrm.lib.filling import in_chunks

MOVES = ("lead.stage_changed", "lead.closed", "lead.reopened")


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Since its last move, else since it came in, a lead is where it is; the newest lie on top."""
    events = apps.get_model("pipeline", "Event").objects.filter(lead=OuterRef("pk"), kind__in=MOVES)
    last = Subquery(events.order_by("-at").values("at")[:1])

    def place(leads: QuerySet[Any]) -> None:
        leads.update(stage_since=Coalesce(last, F("created_at")), board_at=F("created_at"))

    in_chunks(apps.get_model("pipeline", "Lead").objects.all(), place)


class Migration(migrations.Migration):
    atomic = False  # no lead is locked for longer than a part of them takes

    dependencies = [
        ("pipeline", "0009_leads_have_a_place_on_the_board"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
