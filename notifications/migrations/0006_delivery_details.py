import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_guard_policies"),
        ("pipeline", "0002_snooze_and_escalation_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FanOutFailure",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="pipeline.event",
                    ),
                ),
                ("error", models.CharField(max_length=300)),
                ("attempts", models.PositiveSmallIntegerField(default=1)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("next_at", models.DateTimeField()),
                ("solved_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "event not told",
                "verbose_name_plural": "events not told",
                "ordering": ("-at",),
            },
        ),
        migrations.RemoveIndex(
            model_name="notification",
            name="notification_due",
        ),
        migrations.AddField(
            model_name="notification",
            name="data",
            field=models.JSONField(
                blank=True, default=dict, help_text="Plain values that its text needs, beside the lead."
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="unsure",
            field=models.BooleanField(
                default=False, help_text="An attempt broke off, so it may have gone out already."
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("bundled_into", None), ("state__in", ("queued", "retry"))),
                fields=["channel", "next_at", "id"],
                name="notification_due",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["user", "channel", "sent_at"], name="notification_last_sent"),
        ),
        migrations.AddIndex(
            model_name="fanoutfailure",
            index=models.Index(models.F("next_at"), condition=models.Q(("solved_at", None)), name="fanout_failure_due"),
        ),
    ]
