import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Stop(models.Model):
    """An address that must not be written to over a channel, because its owner said so, or because it does not work."""

    class Reason(models.TextChoices):
        WORD = "word", "The receiver said STOP"
        LINK = "link", "The receiver unsubscribed"
        ASKED = "asked", "The receiver asked for it"
        BOUNCED = "bounced", "Messages come back from there"

    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=254, help_text="As leads carry it: E.164, or e-mail in lower case.")
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=10, choices=Reason.choices, default=Reason.WORD)
    origin = models.CharField(max_length=200, blank=True, help_text="The words that came, or who entered it.")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=200, blank=True, help_text="The words that came, or who lifted it.")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("channel", "address"), condition=Q(lifted_at=None), name="stop_once"),
            models.CheckConstraint(condition=Q(lifted_by="") | ~Q(lifted_at=None), name="stop_lifted_when"),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.address}"


class InboundMessage(models.Model):
    """A message that came in. The lead is empty until it is known or made."""

    channel = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=200, unique=True)
    sender = models.CharField(max_length=254)
    receiver = models.CharField(max_length=254)
    text = models.TextField(blank=True)
    media = models.PositiveSmallIntegerField(default=0, help_text="Pictures and files that came along. Not kept.")
    result = models.CharField(max_length=300, blank=True, help_text="What was done with it.")
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, null=True, blank=True, related_name="inbound_messages")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=("channel", "sender", "-at"), name="inbound_latest"),)

    def __str__(self) -> str:
        return f"{self.channel} from {self.sender}"


class Call(models.Model):
    """One phone call with a lead, in or out, and how it went."""

    class Direction(models.TextChoices):
        IN = "in", "Incoming"
        OUT = "out", "Outgoing"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="calls")
    rep = models.ForeignKey(
        "distribution.Rep",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="calls",
        help_text="Who talked, or asked for the call.",
    )
    direction = models.CharField(max_length=3, choices=Direction.choices)
    # Empty until the provider has taken a call that we ask for.
    provider_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, blank=True)
    # The reps whom it rang so far, by id, so that the next one is somebody else.
    rung = models.JSONField(default=list, blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text="How long both talked.")
    recording_url = models.URLField(max_length=500, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("provider_id",), condition=~Q(provider_id=""), name="call_once"),
        )
        # The sweep reads only calls that nobody ended.
        indexes = (models.Index("started_at", condition=Q(ended_at=None), name="call_open"),)

    def __str__(self) -> str:
        return f"{self.get_direction_display()} call with {self.lead}"
