from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper


class ExchangeRate(models.Model):
    """What one unit of a currency is worth in the base currency, used once, when a lead comes in."""

    currency = models.CharField(max_length=3, primary_key=True, help_text="ISO 4217 code, such as USD.")
    rate = models.DecimalField(
        max_digits=18, decimal_places=8, help_text="1 unit of this currency in the base currency."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("currency",)
        constraints = (
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_positive"),
            models.CheckConstraint(condition=Q(currency=Upper("currency")), name="rate_currency_upper"),
        )

    def __str__(self) -> str:
        return f"{self.currency} {self.rate}"
