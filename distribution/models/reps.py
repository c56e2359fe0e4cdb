from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords


class Skill(models.Model):
    """What a rep can sell: a product, an industry, a size class."""

    class Kind(models.TextChoices):
        PRODUCT = "product", "Product"
        INDUSTRY = "industry", "Industry"
        SIZE = "size", "Company size"
        OTHER = "other", "Other"

    name = models.CharField(max_length=100, help_text="As leads name it, such as a product's name.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PRODUCT)

    class Meta:
        ordering = ("kind", "name")
        constraints = (models.UniqueConstraint(Lower("name"), name="skill_name_unique"),)

    def __str__(self) -> str:
        return self.name


class Rep(models.Model):
    """The profile of a user who can own leads."""

    class Status(models.TextChoices):
        AVAILABLE = "available", "Available"
        AWAY = "away", "Away"

    class CapWindow(models.TextChoices):
        FIXED = "fixed", "From midnight, Monday, the first of the month"
        ROLLING = "rolling", "The last 60 minutes, 24 hours, 7 days, 30 days"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="rep")
    name = models.CharField(max_length=150, help_text="As colleagues and decisions name this person.")
    active = models.BooleanField(
        default=True, help_text="Switch off instead of deleting: past decisions name this person."
    )
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Berlin.")
    languages = models.JSONField(default=list, blank=True, help_text="ISO 639-1 codes, such as de and en.")
    skills = models.ManyToManyField(Skill, blank=True, related_name="reps")

    hours = models.ForeignKey(
        "distribution.WorkingHours",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reps",
        verbose_name="working hours",
        help_text="Empty: those of the first team, else the default ones; without any, always there.",
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.AVAILABLE)
    away_reason = models.CharField(max_length=100, blank=True, help_text="Shown in decisions, such as 'on leave'.")
    away_until = models.DateTimeField(
        null=True, blank=True, help_text="Available again from then on; empty: until changed."
    )

    capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text="Open leads at one time, over all pools. Empty: no limit."
    )
    cap_per_hour = models.PositiveIntegerField(
        null=True, blank=True, help_text="New leads per clock hour. Empty: no limit."
    )
    cap_per_day = models.PositiveIntegerField(null=True, blank=True, help_text="New leads per day. Empty: no limit.")
    cap_per_week = models.PositiveIntegerField(
        null=True, blank=True, help_text="New leads per week, Monday to Sunday. Empty: no limit."
    )
    cap_per_month = models.PositiveIntegerField(
        null=True, blank=True, help_text="New leads per calendar month. Empty: no limit."
    )

    cap_window = models.CharField(
        "caps count", max_length=7, choices=CapWindow.choices, default=CapWindow.FIXED, help_text="Which new leads."
    )

    # Kept equal to the number of open assignments in the transaction that opens or ends one.
    open_leads = models.PositiveIntegerField(default=0, editable=False)
    last_assigned_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["open_leads", "last_assigned_at", "last_seen_at"])

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def is_away(self, now: datetime) -> bool:
        """Whether this person is away at an instant: the status stays in the row after its end."""
        return self.status == Rep.Status.AWAY and (self.away_until is None or self.away_until > now)
