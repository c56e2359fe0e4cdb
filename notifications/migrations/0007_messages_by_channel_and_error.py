from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0006_delivery_details"),
        ("pipeline", "0003_consent_ip"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["channel", "-created_at"], name="notification_by_channel"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                models.F("error_code"),
                condition=models.Q(("error_code", ""), _negated=True),
                name="notification_by_error",
            ),
        ),
    ]
