from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0015_sequences_for_new_leads"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contactaddress",
            name="address",
            field=models.CharField(blank=True, help_text="Empty: it was removed.", max_length=500),
        ),
        migrations.AddConstraint(
            model_name="contactaddress",
            constraint=models.CheckConstraint(
                condition=~Q(address="") | Q(verified_at=None), name="address_verified_is_one"
            ),
        ),
    ]
