from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from distribution.engine.methods import pool_method_choices
from leadcrm.lib.moments import moment_text


class Pool(models.Model):
    """Reps with weights who share leads by one method; the unit of fairness and of locking."""

    class Period(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"

    name = models.CharField(max_length=100)
    method = models.CharField(max_length=30, choices=pool_method_choices, default="round_robin")
    period = models.CharField(
        max_length=5, choices=Period.choices, default=Period.MONTH, help_text="For equal totals: equal within what."
    )
    team = models.ForeignKey(
        "pipeline.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="pools",
        help_text="The team its leads belong to. Empty: the first team of the rep who gets the lead.",
    )
    # A list of {"demand": the code of a soft filter, "after": minutes}; the minutes never grow less.
    relax = models.JSONField(
        default=list,
        blank=True,
        help_text="Demands to drop when nobody meets all of them, in this order, after so many minutes of waiting.",
    )
    offer_minutes = models.PositiveIntegerField(
        default=15, help_text="For claim: minutes for which a lead is offered before it is routed again."
    )
    refund_days = models.PositiveIntegerField(
        default=14, help_text="A lead returned as invalid within this many days gives the turn back."
    )
    blind = models.BooleanField(
        "hide who it is",
        default=False,
        help_text=(
            "Until somebody has a lead of this pool, those who may take it see what it wants, its country and its "
            "value, and not who it is. The manager of its team and administrators see everything."
        ),
    )
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        permissions = (("look_after_pool", "Can look after the people of this pool"),)
        constraints = (models.UniqueConstraint(Lower("name"), name="pool_name_unique"),)

    def __str__(self) -> str:
        return self.name


class PoolMember(models.Model):
    """A rep's place in a pool, and what the pool owes this rep."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="members", db_index=False)
    rep = models.ForeignKey("distribution.Rep", models.PROTECT, related_name="memberships")
    weight = models.PositiveIntegerField(
        default=1, help_text="Share of the pool's leads, relative to the others; 0: none."
    )
    tier = models.PositiveSmallIntegerField(
        default=1, help_text="For priority tiers: 1 is asked first, then 2, and so on."
    )
    max_open = models.PositiveIntegerField(
        "cap", null=True, blank=True, help_text="Open leads from this pool at one time. Empty: no limit."
    )
    paused = models.BooleanField(default=False, help_text="Takes no new leads from this pool for now.")
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    # In billionths of a lead; positive: the pool owes this rep. Written only with a lead's assignment or a correction.
    credit = models.BigIntegerField(default=0, editable=False)
    open_leads = models.PositiveIntegerField(default=0, editable=False)
    last_assigned_at = models.DateTimeField(null=True, blank=True, editable=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["credit", "open_leads", "last_assigned_at"])

    class Meta:
        ordering = ("pool", "tier", "id")
        constraints = (models.UniqueConstraint(fields=("pool", "rep"), name="member_once_per_pool"),)

    def __str__(self) -> str:
        return f"{self.rep} in {self.pool}"


class PoolWake(models.Model):
    """Somebody of this pool may take leads again: those that wait for it are to be routed.

    Rows are only added, and removed when the pool was looked through: nobody waits for another to write one, and what
    comes while the pool is looked through leads to one more look.
    """

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="wakes")
    since = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.pool} since {moment_text(self.since)}"
