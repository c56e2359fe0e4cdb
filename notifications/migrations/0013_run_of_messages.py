import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0012_plainer_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="run",
            field=models.ForeignKey(
                blank=True,
                help_text="The sequence of which it is a message.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="notifications.sequencerun",
            ),
        ),
    ]
