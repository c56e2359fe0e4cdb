import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0008_stages_have_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="lead",
            name="stage_since",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="lead",
            name="board_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
    ]
