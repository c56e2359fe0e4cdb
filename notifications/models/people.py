from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from notifications.models.deliveries import Notification


class ContactAddress(models.Model):
    """Where a user is reached over a channel; used once it is verified."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="contact_addresses")
    channel = models.CharField(max_length=20, help_text="email, sms, whatsapp, or an entry of the registry.")
    address = models.CharField(max_length=500, blank=True, help_text="Empty: it was removed.")
    verified_at = models.DateTimeField(null=True, blank=True)
    # The code that was sent, hashed; it expires and may be tried a few times only.
    code_hash = models.CharField(max_length=128, blank=True, editable=False)
    code_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    code_tries = models.PositiveSmallIntegerField(default=0, editable=False)
    code_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Of a webhook: with SECRET_KEY it makes the secret by which the receiver knows us. Another one, another secret.
    signing_salt = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "contact addresses"
        ordering = ("user", "channel")
        constraints = (
            models.UniqueConstraint(fields=("user", "channel"), name="address_once_per_channel"),
            models.CheckConstraint(condition=~Q(address="") | Q(verified_at=None), name="address_verified_is_one"),
        )

    def __str__(self) -> str:
        return f"{self.channel} of {self.user}"


class Preference(models.Model):
    """How a user wants to be told: quiet hours for what is not urgent, and how soon the backup goes."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preference")
    quiet_from = models.TimeField(null=True, blank=True, help_text="In your time zone. Empty: no quiet hours.")
    quiet_to = models.TimeField(null=True, blank=True)
    backup_minutes = models.PositiveSmallIntegerField(
        default=5, help_text="The second channel is used when a lead is not accepted after so many minutes."
    )
    language = models.CharField(max_length=2, blank=True, help_text="Language of messages. Empty: English.")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="preference_quiet_both_or_none",
            ),
        )

    def __str__(self) -> str:
        return f"Preferences of {self.user}"


class ChannelChoice(models.Model):
    """The first and the backup channel of a user for one urgency."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="channel_choices")
    urgency = models.CharField(max_length=6, choices=Notification.Urgency.choices)
    first = models.CharField(max_length=20)
    backup = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "urgency"), name="choice_once_per_urgency"),)

    def __str__(self) -> str:
        return f"{self.user} {self.urgency}: {self.first}"


class PushSubscription(models.Model):
    """One browser that shows notifications of a user."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="push_subscriptions")
    endpoint = models.URLField(max_length=500, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)
    failed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Browser of {self.user}"


class ActionLink(models.Model):
    """A link in a message by which its receiver does one thing without signing in; used once, for a while.

    The address carries a signed token with this row's number; the row says whether it was used.
    """

    class Action(models.TextChoices):
        ACCEPT = "accept", "Accept"
        DECLINE = "decline", "Decline"
        SNOOZE = "snooze", "Snooze"

    action = models.CharField(max_length=10, choices=Action.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="action_links")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index("expires_at", name="action_link_by_age"),)

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.lead}"
