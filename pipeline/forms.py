"""What people fill in on the page of a lead. The services check again what a form lets through."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from leadcrm.lib.languages import LANGUAGES
from pipeline.display import field_label, person
from pipeline.intake import FieldError
from pipeline.models import Lead
from pipeline.selectors import people_of
from pipeline.services.activity import CHANNELS, LONGEST_REASON, LONGEST_TEXT
from pipeline.services.tasks import LONGEST_TEXT as LONGEST_TASK
from pipeline.services.tasks import TaskTerms
from pipeline.tasklines import SOON, morning_in

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


def needs(text: str) -> dict[str, str]:
    """What is said when a field is left empty."""
    return {"required": text}


def fill_moment(form: forms.Form, name: str) -> None:
    """A moment that was typed or, without one, pressed as ``soon``, a key of ``SOON``; one of both is needed."""
    typed, days = form.cleaned_data.get(name), SOON.get(form.data.get("soon", ""))
    form.cleaned_data[name] = typed or (morning_in(days, timezone.now()) if days else None)
    if not form.cleaned_data[name] and name not in form.errors:
        form.add_error(name, "Give a moment, such as tomorrow at nine.")


class ContactForm(forms.Form):
    """That somebody spoke or wrote with the lead."""

    direction = forms.ChoiceField(
        label="Who",
        choices={"": "Choose …", OUT: "We reached out", IN: "They reached us"},
        error_messages=needs("Say who reached out: you, or they."),
    )
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

    text = forms.CharField(
        label="Note",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea({"rows": 3}),
        error_messages=needs("Write the note first."),
    )


class SnoozeForm(forms.Form):
    """Until when a lead may rest, and why if there is something to say: a moment, or a key of ``SOON`` pressed instead,
    as ``soon``."""

    reason = forms.CharField(label="Why it can wait", required=False, max_length=LONGEST_REASON)
    until = MomentField(label="Until", required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["until"].help_text = f"In your time, {zone_name()}."

    def clean(self) -> dict[str, Any]:
        fill_moment(self, "until")
        return self.cleaned_data


REMIND: Final = {"": "No reminder", "0": "When it is due", "15": "15 minutes before", "60": "An hour before"}


class TaskForm(forms.Form):
    """Something to do for a lead. ``soon``: a key of ``SOON`` pressed instead of typing a moment."""

    text = forms.CharField(
        label="What",
        max_length=LONGEST_TASK,
        initial="Call again",
        error_messages=needs("Say what is to be done, such as 'Call again'."),
    )
    due_at = MomentField(label="By when", required=False)
    remind = forms.ChoiceField(label="Reminder", choices=REMIND, required=False, initial="0")
    who = forms.ModelChoiceField(User.objects.none(), label="Who", required=False, empty_label="Whoever has the lead")

    def __init__(self, lead: Lead, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["due_at"].help_text = f"In your time, {zone_name()}."
        self.fields["due_at"].widget.attrs["aria-required"] = "true"
        who: Any = self.fields["who"]
        who.queryset = people_of(lead)
        who.label_from_instance = person

    def clean(self) -> dict[str, Any]:
        fill_moment(self, "due_at")
        return self.cleaned_data

    def terms(self) -> TaskTerms:
        """What a valid form asks for."""
        values = self.cleaned_data
        remind = timedelta(minutes=int(values["remind"])) if values["remind"] else None
        return TaskTerms(values["text"], values["due_at"], values["who"], remind)


# The fields of a lead that its owner may change, in the order in which people know them.
EDITABLE: Final = (
    *("first_name", "last_name", "email", "phone", "company", "job_title", "website"),
    *("product", "value", "currency", "message", "tags", "industry", "employees"),
    *("postal_code", "city", "region", "country", "language", "time_zone"),
)
# What other fields are read with.
_CONTEXT: Final = ("country", "currency")
_HELP: Final = {
    "phone": "As people write it.",
    "country": "A name or a code, such as Germany or DE.",
    "region": "A name or a code, such as Bavaria or DE-BY.",
    "currency": "Such as EUR. Empty: the usual one.",
    "tags": "With commas between.",
    "time_zone": "Such as Europe/Berlin.",
}


def _edit_field(name: str) -> forms.Field:
    about: dict[str, Any] = {"label": field_label(name), "required": False, "help_text": _HELP.get(name, "")}
    if name == "language":
        return forms.ChoiceField(choices={"": "Unknown", **LANGUAGES}, show_hidden_initial=True, **about)
    widget = forms.Textarea({"rows": 4}) if name == "message" else None
    return forms.CharField(widget=widget, strip=True, show_hidden_initial=True, **about)


class LeadEditForm(forms.Form):
    """The fields of a lead. What was shown is sent back with it: only what the reader changed is written."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, lead: Lead, data: Mapping[str, Any] | None = None, **more: Any) -> None:
        super().__init__(data, initial={"version": lead.version, **_shown(lead)}, **more)
        self.fields.update({name: _edit_field(name) for name in EDITABLE})
        if data is None:
            self.fields[EDITABLE[0]].widget.attrs["autofocus"] = True

    def edited(self) -> dict[str, Any]:
        """The fields that were changed, and those that they are read with."""
        changed = {name for name in self.changed_data if name in EDITABLE}
        names = changed | {name for name in _CONTEXT if self.cleaned_data[name]} if changed else changed
        return {name: self.cleaned_data[name] for name in names}

    def blame(self, errors: list[FieldError]) -> None:
        """Say what is wrong at the fields."""
        for error in errors:
            self.add_error(error.field if error.field in self.fields else None, error.detail)

    def renew(self, version: int) -> None:
        """Let the reader repeat what was typed, on top of what somebody else changed meanwhile."""
        self.data = {**self.data.dict(), self.add_prefix("version"): version}  # type: ignore[attr-defined]


def _shown(lead: Lead) -> dict[str, str]:
    values = {name: getattr(lead, name) for name in EDITABLE}
    values["tags"] = ", ".join(map(str, lead.tags))
    return {name: "" if value is None else str(value) for name, value in values.items()}
