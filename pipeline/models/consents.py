from django.db import models
from django.utils import timezone


class Consent(models.Model):
    """What a lead agreed to or refused: over which channel, in which words, when and where."""

    class Channel(models.TextChoices):
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone call"
        SMS = "sms", "SMS"
        WHATSAPP = "whatsapp", "WhatsApp"

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="consents")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    granted = models.BooleanField()
    wording = models.TextField(blank=True, help_text="The text that was shown.")
    at = models.DateTimeField(default=timezone.now)
    origin = models.CharField(max_length=500, blank=True, help_text="Page, form or call where it was given.")
    ip = models.GenericIPAddressField("IP address", null=True, blank=True, help_text="From where, if the source said.")

    class Meta:
        ordering = ("at", "id")
        indexes = (models.Index(fields=("lead", "channel", "-at"), name="consent_latest"),)

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {'yes' if self.granted else 'no'}"
