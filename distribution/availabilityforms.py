"""What people fill in about when they are there. The services check again what a form lets through."""

from dataclasses import asdict
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from distribution.errors import WrongValue
from distribution.leavespan import TypedSpan, typed_span
from distribution.models import AwayReason, Leave, LeaveCalendar, Rep
from distribution.services.availability import LONGEST_REASON, LeaveTerms
from leadcrm.lib.outgoing import Refused, check_url
from pipeline.forms import MomentField, needs, zone_name
from pipeline.models import Team

# Where a leave's terms were typed.
TYPED_AS: Final = {"starts_at": "first_day", "ends_at": "last_day"}


def _date_input() -> forms.DateInput:
    return forms.DateInput({"type": "date"}, format="%Y-%m-%d")


def _time_input() -> forms.TimeInput:
    return forms.TimeInput({"type": "time"}, format="%H:%M")


class AwayForm(forms.Form):
    """Why, and until when, somebody takes no new leads."""

    reason = forms.CharField(label="Reason", required=False, max_length=LONGEST_REASON)
    until = MomentField(label="Until", required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["until"].help_text = f"Empty: until changed. In your time, {zone_name()}."


class PauseForm(AwayForm):
    """The same of somebody else, who will ask why."""

    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        help_text="They read it, and so does whoever asks why they were skipped.",
        error_messages=needs("Say why, such as 'at the dentist'."),
    )


class LeaveForm(forms.Form):
    """Days, and times when it is not whole days, by the clock of the rep."""

    first_day = forms.DateField(label="From", widget=_date_input(), error_messages=needs("Give the first day."))
    last_day = forms.DateField(
        label="To",
        required=False,
        help_text="This day included. Empty: one day.",
        widget=_date_input(),
    )
    from_time = forms.TimeField(
        label="At",
        required=False,
        help_text="Empty: all day.",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    to_time = forms.TimeField(
        label="Until",
        required=False,
        help_text="Empty: all day.",
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    reason = forms.CharField(
        label="Reason", required=False, max_length=LONGEST_REASON, help_text="Colleagues see it in decisions."
    )
    cover = forms.ModelChoiceField(
        Rep.objects.none(),
        label="Who stands in",
        required=False,
        empty_label="Nobody",
        help_text="Gets new leads of the same accounts meanwhile.",
    )
    lend_leads = forms.BooleanField(
        label="Lend the open leads meanwhile", required=False, help_text="They come back by themselves."
    )

    def __init__(self, rep: Rep, *args: Any, leave: Leave | None = None, **more: Any) -> None:
        if leave is not None:
            told = {"reason": leave.reason, "cover": leave.cover_id, "lend_leads": leave.lend_leads}
            more["initial"] = {**asdict(typed_span(leave)), **told}
        super().__init__(*args, **more)
        self.rep = rep
        covers = possible_covers(rep, leave)
        self.fields["cover"].queryset = covers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        if not {"first_day", "last_day", "from_time", "to_time"} & set(self.errors):
            try:
                values["span"] = self._span(values)
                values["instants"] = values["span"].instants(self.rep.time_zone)
            except WrongValue as error:
                self.add_error(error.field, str(error))
        return values

    def _span(self, values: dict[str, Any]) -> TypedSpan:
        last_day = values["last_day"] or values["first_day"]
        return TypedSpan(values["first_day"], last_day, values["from_time"], values["to_time"])

    def terms(self) -> LeaveTerms:
        """What a valid form asks for."""
        values = self.cleaned_data
        starts_at, ends_at = values["instants"]
        return LeaveTerms(
            starts_at=starts_at,
            ends_at=ends_at,
            whole_days=values["span"].whole_days,
            reason=values["reason"],
            cover=values["cover"],
            lend_leads=values["lend_leads"],
        )

    def blame(self, error: WrongValue) -> None:
        """Say what a service found wrong at the field where it was typed."""
        self.add_error(TYPED_AS.get(error.field, error.field), str(error))


def possible_covers(rep: Rep, leave: Leave | None = None) -> QuerySet[Rep]:
    """Who may stand in for a rep: active colleagues of the same teams, their managers, and who does so already."""
    teams = Team.objects.filter(Q(members=rep.user_id) | Q(manager=rep.user_id), archived_at=None)
    people = User.objects.filter(Q(lead_teams__in=teams) | Q(pk__in=teams.values("manager")), is_active=True)
    known = Q(user__in=people.values("pk"), active=True) | Q(pk=leave.cover_id if leave else None)
    return Rep.objects.filter(known).exclude(pk=rep.pk)


class CalendarForm(forms.Form):
    """The secret address of a calendar. It is typed in and never shown again."""

    url = forms.CharField(
        label="Address",
        max_length=LeaveCalendar._meta.get_field("url").max_length,
        help_text="The secret address in iCal format, which begins with https. Nobody is shown it again.",
        widget=forms.URLInput({"autocomplete": "off", "placeholder": "https://"}),
        error_messages=needs("Give the address of the calendar."),
    )

    def clean_url(self) -> str:
        # Calendars give their addresses out as webcal ones; they are https.
        url = str(self.cleaned_data["url"]).replace("webcal://", "https://", 1)
        try:
            check_url(url)
        except Refused as refused:
            raise ValidationError(str(refused)) from None
        return url


def away_reasons() -> list[AwayReason]:
    return list(AwayReason.objects.order_by("name"))
