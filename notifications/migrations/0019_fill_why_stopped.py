from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """By what is known of stops that are there: who entered them, or the channel whose way out is a link."""
    stops = apps.get_model("notifications", "Stop").objects
    stops.filter(channel="email").update(reason="link")
    stops.filter(origin__startswith="entered by ").update(reason="asked")


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0018_why_stopped"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
