from datetime import time

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from simple_history.models import HistoricalRecords


def preferred_channels() -> list[str]:
    return ["whatsapp", "sms", "email"]


class GuardPolicy(models.Model):
    """When and how often leads of a country are written to. The one without a country holds for all others."""

    country = models.CharField(
        max_length=2,
        blank=True,
        unique=True,
        help_text="ISO 3166 code, such as DE. Empty: wherever nothing else holds.",
    )
    opens = models.TimeField(
        null=True,
        blank=True,
        default=time(8),
        help_text="No message before this time where the lead is. Both empty: no quiet hours.",
    )
    closes = models.TimeField(null=True, blank=True, default=time(21), help_text="No message from this time on.")
    per_lead = models.PositiveSmallIntegerField(
        "per lead", default=3, help_text="At most so many in 24 hours, over all channels."
    )
    per_address = models.PositiveSmallIntegerField(
        "per address", default=3, help_text="At most so many in 24 hours to one number or e-mail address."
    )
    per_channel = models.PositiveIntegerField(
        "per channel",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At most so many in 24 hours from one number of ours, to all leads together. Empty: no limit.",
    )
    channels = models.JSONField(
        "order of channels",
        default=preferred_channels,
        help_text="The first of these that a lead agreed to and can be reached by gets the first response.",
    )
    assumed_countries = models.JSONField(
        default=list,
        blank=True,
        help_text="Where leads may be of whom neither country nor phone is known: a message must be allowed in all of "
        "them. Empty: anywhere, so they get none while there are quiet hours.",
    )

    postal_address = models.TextField(
        blank=True,
        max_length=300,
        help_text="Yours, with the name of your company. Laws ask for it: it stands below every e-mail to a lead. "
        "Empty: that of the policy for everywhere else.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "guard policies"
        ordering = ("country",)
        constraints = (
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True)
                | Q(opens__isnull=False, closes__isnull=False, opens__lt=F("closes")),
                name="guard_opens_before_it_closes",
                violation_error_message="Give both times, the first before the second, or neither.",
            ),
            models.CheckConstraint(condition=Q(country=Upper("country")), name="guard_country_in_capitals"),
        )

    def __str__(self) -> str:
        return self.country or "Everywhere else"
