from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class Pipeline(models.Model):
    """A way of working leads: an ordered row of stages."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True, help_text="Short name used in links and in the API.")
    is_default = models.BooleanField(default=False, help_text="Leads whose source names no pipeline start here.")
    sorted_by_hand = models.BooleanField(
        default=False, help_text="Cards stay where people put them; otherwise the most urgent come first."
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(Lower("name"), name="pipeline_name_unique"),
            models.UniqueConstraint("is_default", condition=Q(is_default=True), name="pipeline_one_default"),
        )
        permissions = (("work_pipeline", "Can work the leads of this pipeline"),)

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """One column of a board."""

    class Kind(models.TextChoices):
        OPEN = "open", "Open"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60)
    kind = models.CharField(
        max_length=4,
        choices=Kind.choices,
        default=Kind.OPEN,
        help_text="A lead moved to a won or lost stage is closed and frees its owner's place.",
    )
    position = models.PositiveIntegerField(default=0, db_index=True)
    wip_limit = models.PositiveIntegerField(
        "most at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Open leads that one owner may have in this stage at one time. Empty: no limit.",
    )
    rot_days = models.PositiveIntegerField(
        "stale after",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Days in this stage after which a card is marked as stale. Empty: never.",
    )

    class Meta:
        ordering = ("pipeline", "position", "id")
        constraints = (
            models.UniqueConstraint("pipeline", Lower("name"), name="stage_name_unique_in_pipeline"),
            models.UniqueConstraint(fields=("pipeline", "slug"), name="stage_slug_unique_in_pipeline"),
        )

    def __str__(self) -> str:
        return self.name


class LostReason(models.Model):
    """One of the answers to why a lead was lost. Leads keep the words that were chosen."""

    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField(default=0, db_index=True)

    class Meta:
        ordering = ("position", "id")
        constraints = (models.UniqueConstraint(Lower("name"), name="lost_reason_unique"),)

    def __str__(self) -> str:
        return self.name
