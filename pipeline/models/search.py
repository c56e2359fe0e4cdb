from django.db import models
from django.db.models import Q


class SearchText(models.Model):
    """What a lead or an account is found by, in one line.

    Kept by triggers of the database (``pipeline.searchtext``), so that no way of writing leads can forget it, and apart
    from the lead, so that routing a lead does not write its line again.
    """

    lead = models.OneToOneField("pipeline.Lead", models.CASCADE, null=True, editable=False, related_name="search_text")
    account = models.OneToOneField(
        "pipeline.Account", models.CASCADE, null=True, editable=False, related_name="search_text"
    )
    text = models.TextField(editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(lead__isnull=False, account__isnull=True) | Q(lead__isnull=True, account__isnull=False),
                name="search_text_of_a_lead_or_an_account",
            ),
        )

    def __str__(self) -> str:
        return self.text
