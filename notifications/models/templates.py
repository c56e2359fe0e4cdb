from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords


class MessageTemplate(models.Model):
    """What a message says: one per kind, channel and language. Without one of an installation, the default set holds.

    Written in Django's template language, restricted to a few tags and filters over plain texts.
    """

    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=20, blank=True, help_text="Empty: for every channel without its own.")
    language = models.CharField(max_length=2)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True, help_text="For e-mail. Empty: made of the text.")
    # WhatsApp takes only approved templates outside the 24 hours after the last message of the lead.
    content_sid = models.CharField("approved template", max_length=40, blank=True)
    active = models.BooleanField(default=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("kind", "channel", "language")
        constraints = (
            models.UniqueConstraint(fields=("kind", "channel", "language"), name="template_once_per_language"),
            models.CheckConstraint(
                condition=Q(content_sid="") | Q(channel="whatsapp"), name="template_approved_of_whatsapp"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.channel} {self.language}".replace("  ", " ")


class Sequence(models.Model):
    """Messages to a lead: the first answer, and what follows until the lead replies, is contacted or closed."""

    class Start(models.TextChoices):
        ASSIGNED = "assigned", "When it is assigned"
        HELD = "held", "When it has to wait"

    name = models.CharField(max_length=100, unique=True)
    start = models.CharField(max_length=10, choices=Start.choices, default=Start.ASSIGNED)
    source = models.ForeignKey(
        "pipeline.LeadSource",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sequences",
        help_text="Empty: leads of every source without a sequence of its own.",
    )
    max_age_days = models.PositiveSmallIntegerField(
        "for leads of the last days",
        default=7,
        validators=[MinValueValidator(1)],
        help_text="A lead that came in longer ago does not get it, such as an old one that is handed over.",
    )
    active = models.BooleanField(default=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class SequenceStep(models.Model):
    """One message of a sequence."""

    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(default=0)
    after_hours = models.PositiveIntegerField(default=0, help_text="Hours after the one before; 0: at once.")
    kind = models.CharField(max_length=40, help_text="Which template.")

    class Meta:
        ordering = ("sequence", "position", "id")

    def __str__(self) -> str:
        return f"{self.sequence} {self.position}"


class SequenceRun(models.Model):
    """A sequence on its way to one lead."""

    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="runs")
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="sequence_runs")
    started_at = models.DateTimeField()
    next_step = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=40, blank=True, help_text="Why: done, replied, contacted, closed, stopped.")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("lead",), condition=Q(ended_at=None), name="run_one_open_per_lead"),
            models.UniqueConstraint(fields=("sequence", "lead"), name="run_once_per_lead"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="run_ended_has_end",
            ),
        )
        indexes = (models.Index("next_at", condition=Q(ended_at=None), name="run_due"),)

    def __str__(self) -> str:
        return f"{self.sequence} to {self.lead}"
