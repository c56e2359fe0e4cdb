import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0014_fill_run_of_messages"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalsequence",
            name="max_age_days",
            field=models.PositiveSmallIntegerField(
                default=7,
                help_text="A lead that came in longer ago does not get it, such as an old one that is handed over.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="for leads of the last days",
            ),
        ),
        migrations.AddField(
            model_name="sequence",
            name="max_age_days",
            field=models.PositiveSmallIntegerField(
                default=7,
                help_text="A lead that came in longer ago does not get it, such as an old one that is handed over.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="for leads of the last days",
            ),
        ),
    ]
