from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from leadcrm.lib.moments import moment_text


class Assignment(models.Model):
    """One holding of one lead by one rep, from when to when, and how it ended."""

    class Trigger(models.TextChoices):
        CREATED = "created", "Lead created"
        SWEEP = "sweep", "Sweep"
        BATCH = "batch", "Batch"
        MANUAL = "manual", "By hand"
        INTAKE = "intake", "Came in with an owner"
        CLAIMED = "claimed", "Claimed"
        PULLED = "pulled", "Pulled"
        REASSIGNED = "reassigned", "Reassigned"
        RETURNED = "returned", "Given back by the last owner"
        LENT = "lent", "Lent, or back from a loan"
        ESCALATED = "escalated", "Moved on because a promise was not kept"

    class End(models.TextChoices):
        REASSIGNED = "reassigned", "Reassigned"
        RETURNED = "returned", "Returned as invalid"
        RELEASED = "released", "Given back"
        CLOSED = "closed", "Closed"
        LENT = "lent", "Lent, or back from a loan"

    lead = models.ForeignKey("pipeline.Lead", models.PROTECT, related_name="assignments")
    rep = models.ForeignKey("distribution.Rep", models.PROTECT, related_name="assignments", db_index=False)
    # Set when the pool's member count and ledger were touched.
    member = models.ForeignKey(
        "distribution.PoolMember", models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    decision = models.ForeignKey(
        "distribution.Decision", models.PROTECT, null=True, blank=True, related_name="assignments"
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("lead",), condition=Q(ended_at=None), name="assignment_one_open_per_lead"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="assignment_ended_has_end",
            ),
        )
        indexes = (
            models.Index("rep", condition=Q(ended_at=None), name="assignment_open_by_rep"),
            # Caps over the last hours and days count what a rep was given of late.
            models.Index(fields=("rep", "started_at"), name="assignment_by_rep_and_time"),
            models.Index("actor", condition=Q(actor__isnull=False), name="assignment_by_actor"),
        )

    def __str__(self) -> str:
        return f"{self.lead} with {self.rep}"


class Hold(models.Model):
    """Why a lead waits, and when to try again.

    ``since`` is when it began to wait for the pool, however often it was tried meanwhile.
    """

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="holds")
    pool = models.ForeignKey("distribution.Pool", models.PROTECT, null=True, blank=True, related_name="holds")
    # Whoever was asked and may be available later; when one of them is, the lead is tried again.
    pools = models.ManyToManyField("distribution.Pool", related_name="waited_for")
    reps = models.ManyToManyField("distribution.Rep", related_name="waited_for")
    needs = models.CharField(max_length=32, blank=True, help_text="Equal for leads that ask the same of the same.")
    decision = models.ForeignKey("distribution.Decision", models.PROTECT, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=40)
    since = models.DateTimeField(default=timezone.now)
    retry_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("since", "id")
        constraints = (
            models.UniqueConstraint(fields=("lead",), condition=Q(released_at=None), name="hold_one_open_per_lead"),
        )
        indexes = (models.Index("retry_at", condition=Q(released_at=None), name="hold_due"),)

    def __str__(self) -> str:
        return f"{self.lead} waits until {moment_text(self.retry_at)}"


class Offer(models.Model):
    """Who may take a lead: one rep (claim), the members of a pool (pull) or of a team (team queue), until when."""

    class End(models.TextChoices):
        TAKEN = "taken", "Taken"
        LOST = "lost", "Taken by someone else"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="offers")
    decision = models.ForeignKey("distribution.Decision", models.PROTECT, null=True, blank=True, related_name="+")
    pool = models.ForeignKey("distribution.Pool", models.PROTECT, null=True, blank=True, related_name="offers")
    rep = models.ForeignKey("distribution.Rep", models.PROTECT, null=True, blank=True, related_name="offers")
    team = models.ForeignKey("pipeline.Team", models.PROTECT, null=True, blank=True, related_name="offers")
    offered_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True)

    class Meta:
        ordering = ("offered_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(rep__isnull=False) | Q(pool__isnull=False) | Q(team__isnull=False),
                name="offer_to_someone",
            ),
            models.UniqueConstraint(
                fields=("lead", "rep"), condition=Q(ended_at=None, rep__isnull=False), name="offer_once_per_rep"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="offer_ended_has_end",
            ),
        )
        indexes = (
            models.Index("expires_at", condition=Q(ended_at=None), name="offer_due"),
            models.Index("pool", condition=Q(ended_at=None), name="offer_open_by_pool"),
            models.Index("rep", condition=Q(ended_at=None), name="offer_open_by_rep"),
        )

    def __str__(self) -> str:
        return f"{self.lead} offered to {self.rep or self.pool or self.team}"
