from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords


class Territory(models.Model):
    """A place or segment. A lead's territory is the most specific that holds it, then the one of higher priority."""

    name = models.CharField(max_length=100)
    priority = models.SmallIntegerField(
        default=0, help_text="Decides between equally specific territories; higher wins."
    )
    owner = models.ForeignKey(
        "distribution.Rep",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_territories",
        help_text="Gets its leads where a rule says 'the territory's owner'.",
    )
    pool = models.ForeignKey(
        "distribution.Pool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="territories",
        help_text="Shares its leads where a rule says 'the territory's pool'.",
    )
    reps = models.ManyToManyField(
        "distribution.Rep",
        blank=True,
        related_name="territories",
        help_text="Who works here, for rules that ask for someone of the lead's territory.",
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "territories"
        constraints = (models.UniqueConstraint(Lower("name"), name="territory_name_unique"),)

    def __str__(self) -> str:
        return self.name


class TerritoryArea(models.Model):
    """One line of a territory: a lead lies in it when everything the line says holds."""

    territory = models.ForeignKey(Territory, models.CASCADE, related_name="areas")
    account = models.ForeignKey("pipeline.Account", models.CASCADE, null=True, blank=True, help_text="A named account.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 code, such as DE.")
    region = models.CharField(max_length=6, blank=True, help_text="ISO 3166-2 code, such as DE-BY.")
    postal_from = models.CharField(
        "postal code",
        max_length=16,
        blank=True,
        help_text="One code (80331), the beginning of codes (80*), or the first of a range.",
    )
    postal_to = models.CharField("to", max_length=16, blank=True, help_text="Last of a range, as long as the first.")
    industry = models.CharField(max_length=100, blank=True)
    employees_from = models.PositiveIntegerField(null=True, blank=True)
    employees_to = models.PositiveIntegerField(null=True, blank=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(employees_from__isnull=True)
                | Q(employees_to__isnull=True)
                | Q(employees_from__lte=F("employees_to")),
                name="area_employees_in_order",
            ),
            models.CheckConstraint(
                condition=Q(postal_to="") | Q(postal_from__lte=F("postal_to")), name="area_postal_in_order"
            ),
            models.CheckConstraint(condition=Q(postal_from="") | ~Q(country=""), name="area_postal_needs_country"),
        )

    def __str__(self) -> str:
        postal = f"{self.postal_from}-{self.postal_to}" if self.postal_to else self.postal_from
        size = "" if self.employees_from is None and self.employees_to is None else "by size"
        account = str(self.account) if self.account_id else ""
        return " ".join(filter(None, (account, self.country, self.region, postal, self.industry, size))) or "everywhere"
