"""What people fill in to return a lead or to pass it on. The services check again what a form lets through."""

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User

from distribution.models import Rep
from distribution.selectors import manageable_reps
from pipeline.forms import needs

LONGEST_REASON: Final = 200


def _reason(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_REASON,
        required=required,
        help_text=help_text,
        error_messages=needs("Say why. Whoever reads the history asks."),
    )


class ReturnForm(forms.Form):
    """Why a lead is no lead at all."""

    reason = _reason("What is wrong with it", "Such as a wrong number, or somebody who wants a job.")


class GiveBackForm(forms.Form):
    """Why somebody else should have a lead."""

    reason = _reason("Why", "The next owner and the manager read it.")


class PassOnForm(forms.Form):
    """Who gets leads, and why: a person among those whom ``user`` may give leads to, or whom the rules choose among
    those who did not have them yet. ``but``: whose they are already, as a user's id."""

    to = forms.ModelChoiceField(
        Rep.objects.none(),
        label="To",
        required=False,
        empty_label="Whom the rules choose",
        help_text="A person is given leads whatever their capacity.",
        error_messages={
            "required": "Choose somebody.",
            "invalid_choice": "Choose somebody of the list: an active person whom you look after.",
        },
    )
    reason = _reason("Why", "Whoever gets a lead, and whoever had it, reads it in its history.", required=False)

    def __init__(self, user: User, *args: Any, but: int | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        to: Any = self.fields["to"]
        to.queryset = manageable_reps(user).exclude(user=but).order_by("name", "pk")


class GiveForm(PassOnForm):
    """Who gets a lead that nobody has: the rules chose nobody, so a person must be named."""

    def __init__(self, user: User, *args: Any, **more: Any) -> None:
        super().__init__(user, *args, **more)
        to: Any = self.fields["to"]
        to.required, to.empty_label = True, "Choose somebody"


class HandOverForm(PassOnForm):
    """Who gets all open leads of somebody, for good: many people will ask why."""

    def __init__(self, user: User, *args: Any, **more: Any) -> None:
        super().__init__(user, *args, **more)
        self.fields["reason"].required = True
