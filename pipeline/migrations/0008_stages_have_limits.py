import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0007_consent_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="pipeline",
            name="sorted_by_hand",
            field=models.BooleanField(
                default=False, help_text="Cards stay where people put them; otherwise the most urgent come first."
            ),
        ),
        migrations.AddField(
            model_name="stage",
            name="rot_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Days in this stage after which a card is marked as stale. Empty: never.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="stale after",
            ),
        ),
        migrations.AddField(
            model_name="stage",
            name="wip_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Open leads that one owner may have in this stage at one time. Empty: no limit.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="most at once",
            ),
        ),
    ]
