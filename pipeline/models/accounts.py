import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from pipeline.domains import company_domain
from pipeline.naming import company_key


class Account(models.Model):
    """A company we know; its owner, if any, gets its new leads first."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    # Legal forms, case and accents removed: what company names are compared by.
    name_key = models.CharField(max_length=200, editable=False, db_index=True)
    domain = models.CharField(max_length=253, blank=True, help_text="Company domain, such as example.com.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="owned_accounts"
    )
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="subsidiaries")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 code, such as DE.")
    region = models.CharField(max_length=6, blank=True, help_text="ISO 3166-2 code, such as DE-BY.")
    postal_code = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=100, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    revenue = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    external_id = models.CharField(max_length=200, blank=True, help_text="Its name in the system it came from.")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint("external_id", condition=~Q(external_id=""), name="account_external_id_unique"),
        )
        indexes = (models.Index("domain", condition=~Q(domain=""), name="account_domain"),)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fill_keys()
        if (columns := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*columns, "name_key", "domain"}
        super().save(*args, **kwargs)

    def fill_keys(self) -> None:
        """Derives what matching compares; whoever writes accounts in bulk calls it for each."""
        self.name_key = company_key(self.name)[:200]
        self.domain = company_domain(self.domain) or self.domain.strip().lower()
