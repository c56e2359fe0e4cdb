"""What people fill in on the page of a lead. The services check again what a form lets through."""

from typing import Any, Final

from django import forms
from django.utils import timezone

from pipeline.services.activity import CHANNELS, LONGEST_REASON, LONGEST_TEXT

OUT: Final = "out"
IN: Final = "in"
MOMENT: Final = "%Y-%m-%dT%H:%M"


class MomentField(forms.DateTimeField):
    """A moment in the reader's time zone, typed or picked."""

    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT), **more)


def zone_name() -> str:
    """What the reader's time zone is called now, such as CET."""
    return f"{timezone.localtime():%Z}"


class ContactForm(forms.Form):
    """That somebody spoke or wrote with the lead."""

    direction = forms.ChoiceField(label="Who", choices={OUT: "We reached out", IN: "They reached us"})
    channel = forms.ChoiceField(label="How", choices=CHANNELS)
    at = MomentField(label="When", required=False)
    text = forms.CharField(
        label="What came of it", required=False, max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["at"].help_text = f"Empty: just now. In your time, {zone_name()}."


class NoteForm(forms.Form):
    """A note for colleagues. It is no contact."""

    text = forms.CharField(label="Note", max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": 3}))


class SnoozeForm(forms.Form):
    """Until when a lead may rest, and why."""

    until = MomentField(label="Until")
    reason = forms.CharField(label="Why it can wait", max_length=LONGEST_REASON)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["until"].help_text = f"In your time, {zone_name()}."
