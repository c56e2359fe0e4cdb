from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Their keys name the run so far: sequence:RUN:STEP."""
    notifications = apps.get_model("notifications", "Notification").objects
    runs = set(apps.get_model("notifications", "SequenceRun").objects.values_list("pk", flat=True))
    rows = notifications.filter(user=None, run=None, key__startswith="sequence:")
    for pk, key in rows.values_list("pk", "key").iterator():
        run = int(key.split(":")[1])
        if run in runs:
            notifications.filter(pk=pk).update(run=run)


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0013_run_of_messages"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
