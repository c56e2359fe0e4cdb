import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_INDEX = "CREATE INDEX search_text_trigrams ON pipeline_searchtext USING gin (text gin_trgm_ops)"


def add_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_INDEX)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """They are set up after the migrations and would write into a table that is gone."""
    for table in ("pipeline_lead", "pipeline_account"):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {table}_searchable() CASCADE")
        else:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_searchable_insert")
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_searchable_update")


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0005_sources_may_leave_owners_to_the_rules"),
    ]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.CreateModel(
            name="SearchText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(editable=False)),
                (
                    "account",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_text",
                        to="pipeline.account",
                    ),
                ),
                (
                    "lead",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_text",
                        to="pipeline.lead",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account__isnull", True), ("lead__isnull", False)),
                            models.Q(("account__isnull", False), ("lead__isnull", True)),
                            _connector="OR",
                        ),
                        name="search_text_of_a_lead_or_an_account",
                    )
                ],
            },
        ),
        # The index goes with the table when the migration is undone.
        migrations.RunPython(add_index, drop_triggers),
    ]
