import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """A wake is a wake-up and no record: the table is made anew."""

    dependencies = [
        ("distribution", "0005_assignments_lent_and_by_time"),
    ]

    operations = [
        migrations.DeleteModel("PoolWake"),
        migrations.CreateModel(
            name="PoolWake",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                (
                    "pool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="wakes", to="distribution.pool"
                    ),
                ),
            ],
        ),
    ]
