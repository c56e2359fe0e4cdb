from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0024_leads_know_when_they_are_due"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="lead", name="lead_board_urgency"),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("archived_at", None), ("closed_at", None)),
                fields=["stage", "due_at", "-created_at", "-id"],
                include=("value_base", "owner", "team", "routing_state", "snoozed_until"),
                name="lead_board_urgency",
            ),
        ),
    ]
