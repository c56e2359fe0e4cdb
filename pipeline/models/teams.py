from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class Team(models.Model):
    """People who work leads together, and the manager who answers for them."""

    name = models.CharField(max_length=100)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="managed_teams",
        help_text="Sees every lead of the team and is told before one is lost.",
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="lead_teams",
        help_text="They see the team's leads that nobody has yet, and may take them.",
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("name"), name="team_name_unique"),)
        permissions = (
            ("view_team_leads", "Can see the leads of this team"),
            ("work_team_leads", "Can work the leads of this team"),
        )

    def __str__(self) -> str:
        return self.name
