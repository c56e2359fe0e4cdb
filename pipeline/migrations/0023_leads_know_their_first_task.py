from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """They are set up after the migrations, which fills the column too, and would write into one that is gone."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS pipeline_task_first() CASCADE")
    else:
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS pipeline_task_first_{event}")


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0022_plainer_words_of_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="lead",
            name="next_task_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
    ]
