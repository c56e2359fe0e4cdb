"""What people fill in to return a lead or to pass it on. The services check again what a form lets through."""

from typing import Any, Final

from django import forms

from distribution.models import Rep
from distribution.selectors import manageable_reps
from pipeline.models import Lead

LONGEST_REASON: Final = 200


def _reason(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_REASON, required=required, help_text=help_text)


class ReturnForm(forms.Form):
    """Why a lead is no lead at all."""

    reason = _reason("What is wrong with it", "Such as a wrong number, or somebody who wants a job.")


class GiveBackForm(forms.Form):
    """Why somebody else should have a lead."""

    reason = _reason("Why", "The next owner and the manager read it.")


class PassOnForm(forms.Form):
    """Who gets a lead: a person, or whoever the rules choose among those who did not have it yet."""

    to = forms.ModelChoiceField(
        Rep.objects.none(), label="To", required=False, empty_label="Whoever the rules choose next"
    )
    reason = _reason("Why", "Both owners read it.", required=False)

    def __init__(self, user: Any, lead: Lead, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        to: Any = self.fields["to"]
        to.queryset = manageable_reps(user).exclude(user=lead.owner_id).order_by("name", "pk")
        if lead.owner_id is None:
            to.required, to.empty_label = True, "Choose somebody"
