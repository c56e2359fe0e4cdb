from django.db import migrations, models
from django.db.models.functions import Coalesce, Least

PROMISE = Coalesce("snoozed_until", "respond_by")


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0023_leads_know_their_first_task"),
    ]

    operations = [
        migrations.AddField(
            model_name="lead",
            name="due_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=Coalesce(Least(PROMISE, "next_task_at"), PROMISE, "next_task_at"),
                output_field=models.DateTimeField(null=True),
            ),
        ),
    ]
