"""What people fill in: how a lead is declined or snoozed from a message."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms

from leadcrm.lib.text import clean
from notifications.links import Action

OPENS: Final = time(9)
LONGEST_REASON: Final = 200

_SNOOZES: Final[Mapping[str, tuple[str, Callable[[datetime], datetime]]]] = {
    "hour": ("For an hour", lambda local: local + timedelta(hours=1)),
    "afternoon": ("For four hours", lambda local: local + timedelta(hours=4)),
    "tomorrow": ("Until tomorrow, 9:00", lambda local: _at_opening(local, 1)),
    "monday": ("Until Monday, 9:00", lambda local: _at_opening(local, 7 - local.weekday())),
}


def _at_opening(local: datetime, days: int) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), OPENS, local.tzinfo)


class AcceptForm(forms.Form):
    """Nothing to fill in."""


class DeclineForm(forms.Form):
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        label="Why not you?",
        help_text="Whoever gets it next, and your manager, can read this.",
        error_messages={"required": "Say in a few words why, such as 'on a call until three'."},
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )

    def clean_reason(self) -> str:
        return clean(str(self.cleaned_data["reason"]))


class SnoozeForm(forms.Form):
    until = forms.ChoiceField(
        label="How long can it wait?",
        choices=[(key, label) for key, (label, _) in _SNOOZES.items()],
        widget=forms.RadioSelect,
        initial="hour",
        error_messages={"required": "Choose how long.", "invalid_choice": "Choose one of these."},
    )

    def moment(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The end of the choice, where the rep is."""
        _, end = _SNOOZES[self.cleaned_data["until"]]
        return end(now.astimezone(zone)).astimezone(now.tzinfo)


FORMS: Final[Mapping[str, type[forms.Form]]] = {
    Action.ACCEPT: AcceptForm,
    Action.DECLINE: DeclineForm,
    Action.SNOOZE: SnoozeForm,
}


def action_form(action: str, data: Any) -> forms.Form:
    return FORMS[action](data)
