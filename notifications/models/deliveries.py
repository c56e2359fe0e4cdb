import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Notification(models.Model):
    """One message to one recipient over one channel, with a delivery state.

    The recipient is a user, or, when ``user`` is empty, the lead itself.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        DELIVERED = "delivered", "Delivered"
        RETRY = "retry", "To be tried again"
        FAILED = "failed", "Failed"
        SUPPRESSED = "suppressed", "Not sent on purpose"

    class Urgency(models.TextChoices):
        URGENT = "urgent", "Urgent"
        NORMAL = "normal", "Normal"
        LOW = "low", "Low"

    # What is told. A message about no lead, such as a weekly audit, has a key of its own instead of an event.
    kind = models.CharField(max_length=40, help_text="Entry of the registry of kinds.")
    event = models.ForeignKey("pipeline.Event", models.CASCADE, null=True, blank=True, related_name="notifications")
    key = models.CharField(max_length=200, blank=True)
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, null=True, blank=True, related_name="notifications")
    urgency = models.CharField(max_length=6, choices=Urgency.choices, default=Urgency.NORMAL)

    run = models.ForeignKey(
        "notifications.SequenceRun",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        help_text="The sequence of which it is a message.",
    )
    data = models.JSONField(default=dict, blank=True, help_text="Plain values that its text needs, beside the lead.")

    # To whom, and how. ``why`` this channel: first, backup, or for everyone.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    channel = models.CharField(max_length=20, help_text="Entry of the registry of channels.")
    backup = models.BooleanField(default=False, help_text="Sent because the first channel failed or was not answered.")
    address = models.CharField(max_length=500, blank=True, help_text="Where it went.")

    # What it says; rendered when it is sent, pruned by age.
    language = models.CharField(max_length=2, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    bundled_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="bundled")

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was not sent, or not yet.")
    error_code = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True, help_text="When it is sent, or tried again.")
    leased_until = models.DateTimeField(null=True, blank=True)
    unsure = models.BooleanField(default=False, help_text="An attempt broke off, so it may have gone out already.")
    # Marks of what it said in attempts that may have come through, for providers that can only be asked by the text.
    tried = models.JSONField(default=list, blank=True, editable=False)
    # Goes with every attempt, as Message-ID or webhook id, so that a repeated one is recognised.
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    provider_id = models.CharField(max_length=200, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    passed_at = models.DateTimeField(null=True, blank=True, help_text="When the guard let it go to the lead.")
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "message"
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("event", "user", "channel"),
                condition=Q(event__isnull=False, user__isnull=False),
                name="notification_once_per_event",
            ),
            models.UniqueConstraint(
                fields=("event", "channel"),
                condition=Q(event__isnull=False, user=None),
                name="notification_to_lead_once_per_event",
            ),
            models.UniqueConstraint(
                fields=("key", "user", "channel"), condition=~Q(key=""), name="notification_once_per_key"
            ),
            models.UniqueConstraint(
                fields=("key",), condition=~Q(key="") & Q(user=None), name="notification_to_lead_once_per_key"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(lead__isnull=False), name="notification_to_someone"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("queued", "retry")) | Q(next_at__isnull=False), name="notification_waits_until"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("failed", "suppressed")) | ~Q(reason=""), name="notification_says_why"
            ),
        )
        indexes = (
            # The sender reads only what is due, and the sweeper what hangs.
            models.Index(
                fields=("channel", "next_at", "id"),
                condition=Q(state__in=("queued", "retry"), bundled_into=None),
                name="notification_due",
            ),
            models.Index("leased_until", condition=Q(state="sending"), name="notification_hanging"),
            models.Index(
                fields=("user", "-id"), condition=Q(channel="in_app", read_at=None), name="notification_unread"
            ),
            # Whether something went to this recipient a moment ago.
            models.Index(fields=("user", "channel", "sent_at"), name="notification_last_sent"),
            models.Index(fields=("channel", "-created_at"), name="notification_by_channel"),
            models.Index("error_code", condition=~Q(error_code=""), name="notification_by_error"),
            models.Index(fields=("lead", "-id"), name="notification_by_lead"),
            # The guard counts what left in the last 24 hours.
            models.Index(
                fields=("channel", "passed_at"), condition=Q(passed_at__isnull=False), name="notification_passed"
            ),
            models.Index(
                fields=("address", "passed_at"), condition=Q(passed_at__isnull=False), name="notification_to_address"
            ),
            models.Index("provider_id", condition=~Q(provider_id=""), name="notification_by_provider"),
            models.Index(fields=("state", "-created_at"), name="notification_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"


class ChannelSwitch(models.Model):
    """What admins decide about one channel, or about all of them at once (the key ``all``)."""

    ALL = "all"

    channel = models.CharField(max_length=20, primary_key=True)
    stopped = models.BooleanField(
        "emergency stop", default=False, help_text="Nothing leaves over it until this is taken back."
    )
    reason = models.CharField(max_length=200, blank=True)
    per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Messages per minute at most. Empty: the channel's own limit."
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "channel"

    def __str__(self) -> str:
        return "All channels" if self.channel == self.ALL else self.channel


class ChannelWindow(models.Model):
    """How many messages left over a channel in one minute; for the limit, whatever the number of workers."""

    channel = models.CharField(max_length=60, help_text="The channel, or the channel and one number.")
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("channel", "minute"), name="window_once_per_minute"),)

    def __str__(self) -> str:
        return f"{self.channel} {self.minute:%H:%M}: {self.count}"


class FanOutFailure(models.Model):
    """An event of which somebody could not be told, because telling it failed. It is tried again, and shown."""

    event = models.OneToOneField("pipeline.Event", models.CASCADE, primary_key=True, related_name="+")
    error = models.CharField(max_length=300)
    attempts = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "event not told"
        verbose_name_plural = "events not told"
        ordering = ("-at",)
        indexes = (models.Index("next_at", condition=Q(solved_at=None), name="fanout_failure_due"),)

    def __str__(self) -> str:
        return self.error


class ProviderEvent(models.Model):
    """A call of a provider that was handled: it may come twice and must count once."""

    provider = models.CharField(max_length=20)
    identifier = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("provider", "identifier"), name="provider_event_once"),)
        indexes = (models.Index("at", name="provider_event_by_age"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.identifier}"
