from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class SavedView(models.Model):
    """A board or table as somebody wants to see it again: its filters under a name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="board_views")
    pipeline = models.ForeignKey("pipeline.Pipeline", models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="The filters, as in the address.")

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint("user", "pipeline", Lower("name"), name="saved_view_name_unique"),)

    def __str__(self) -> str:
        return self.name
