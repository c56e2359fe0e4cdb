from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0010_fill_places_on_the_board"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("archived_at", None), ("closed_at", None)),
                fields=["stage", "respond_by", "-created_at", "-id"],
                name="lead_board_urgency",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("archived_at", None), ("closed_at", None)),
                fields=["stage", "-board_at", "-id"],
                name="lead_board_by_hand",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["stage", "-closed_at", "-id"],
                name="lead_board_closed",
            ),
        ),
    ]
