from django.conf import settings
from django.db import models
from django.utils import timezone

from leadcrm.lib.moments import moment_text


class RepCounter(models.Model):
    """New leads of a rep within one fixed period of the rep's own calendar."""

    class Period(models.TextChoices):
        HOUR = "hour", "Hour"
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"

    rep = models.ForeignKey("distribution.Rep", models.CASCADE, related_name="counters", db_index=False)
    period = models.CharField(max_length=5, choices=Period.choices)
    starts_at = models.DateTimeField(help_text="When the period began, in UTC.")
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rep", "period", "starts_at"), name="counter_once_per_period"),)

    def __str__(self) -> str:
        return f"{self.rep} {self.period} {moment_text(self.starts_at)}: {self.count}"


class CreditCorrection(models.Model):
    """One member's line of a posting made outside a decision: a refund, a turn by hand, a correction.

    The lines of one posting sum to zero.
    """

    class Kind(models.TextChoices):
        REFUND = "refund", "Refund"
        MANUAL = "manual", "Turn by hand"
        CORRECTION = "correction", "Correction"

    posting = models.UUIDField(help_text="The same for all lines of one posting.")
    member = models.ForeignKey("distribution.PoolMember", models.PROTECT, related_name="corrections")
    amount = models.BigIntegerField(help_text="In billionths of a lead.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    decision = models.ForeignKey(
        "distribution.Decision",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The decision that is reversed.",
    )
    reason = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            # A decision is refunded at most once.
            models.UniqueConstraint(
                fields=("decision", "member", "kind"),
                condition=models.Q(decision__isnull=False),
                name="correction_once_per_decision",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"
