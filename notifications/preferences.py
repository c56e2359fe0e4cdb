"""The page on which people say how they want to be told, as forms and values ready to show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from leadcrm.lib import outgoing
from leadcrm.lib.moments import moment_text
from leadcrm.lib.text import Unreadable, clean
from notifications.channels import CHANNELS, EMAIL, IN_APP, SendError
from notifications.channels.apprise import HELP as APPRISE_HELP
from notifications.channels.apprise import service_of
from notifications.choosing import PUSH, address_of
from notifications.defaults import LANGUAGE_NAMES
from notifications.models import ChannelChoice, ContactAddress, Notification, Preference, PushSubscription
from notifications.services.lifting import OwnStop, own_stop
from pipeline.normalise import parse_phone

Urgency = Notification.Urgency

URGENCIES: Final = (
    (Urgency.URGENT, "Urgent", "New leads, offers, reminders, replies"),
    (Urgency.NORMAL, "Normal", "Mentions, leads given to others"),
    (Urgency.LOW, "Low", "Summaries"),
)
SMS, APPRISE, WEBHOOK = "sms", "apprise", "webhook"
# Channels to which one enters an address of one's own. A number for text messages serves WhatsApp too.
WITH_ADDRESS: Final = (SMS, EMAIL, APPRISE, WEBHOOK)
_ADDRESS: Final[Mapping[str, tuple[str, str, str]]] = {
    SMS: ("Mobile number", "For text messages and WhatsApp. With the country, such as +49 151 23456789.", "tel"),
    EMAIL: ("E-mail address", "Without one, the address of your account is used.", "email"),
    APPRISE: ("Slack, Teams and others", APPRISE_HELP, "text"),
    WEBHOOK: ("Webhook", "An https address of a program of yours.", "url"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """One address with what can be done about it. ``stop``: why it is on the stop list, and what helps; ``liftable``:
    a code that goes there does."""

    channel: str
    label: str
    state: str
    tone: str
    form: forms.Form
    code: forms.Form | None
    saved: bool
    works: bool
    missing: str
    stop: str
    liftable: bool


@dataclass(frozen=True, slots=True)
class PreferencePage:
    form: "PreferenceForm"
    addresses: list[Address]
    browsers: int
    push_missing: str


class PreferenceForm(forms.Form):
    """First and backup channel per urgency, quiet hours, language."""

    quiet_from = forms.TimeField(
        required=False, label="Quiet from", widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    quiet_to = forms.TimeField(required=False, label="to", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    backup_minutes = forms.IntegerField(
        min_value=1,
        max_value=120,
        label="Minutes until the second channel",
        error_messages={"required": "Give a number of minutes, such as 5."},
    )
    language = forms.ChoiceField(required=False, choices=[("", "English"), *LANGUAGE_NAMES[1:]], label="Language")

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data, initial=_stored(user))
        self.user = user
        channels = [(key, CHANNELS[key].label) for key in CHANNELS]
        for urgency, label, _ in URGENCIES:
            self.fields[f"first_{urgency}"] = forms.ChoiceField(choices=channels, label=f"{label}: first channel")
            self.fields[f"backup_{urgency}"] = forms.ChoiceField(
                choices=[("", "E-mail, as for everyone"), *channels], required=False, label=f"{label}: second channel"
            )
        _describe_errors(self)

    @property
    def rows(self) -> Iterator[tuple[str, str, forms.BoundField, forms.BoundField]]:
        for urgency, label, examples in URGENCIES:
            yield label, examples, self[f"first_{urgency}"], self[f"backup_{urgency}"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name in (f"{place}_{urgency}" for urgency, _, _ in URGENCIES for place in ("first", "backup")):
            self._check_reachable(name, values.get(name, ""))
        for urgency, _, _ in URGENCIES:
            first, backup = values.get(f"first_{urgency}"), values.get(f"backup_{urgency}")
            if backup and first == backup:
                self.add_error(f"backup_{urgency}", "This is the first channel already. Choose another one.")
        if (values.get("quiet_from") is None) != (values.get("quiet_to") is None):
            self.add_error("quiet_to" if values.get("quiet_to") is None else "quiet_from", "Give both times, or none.")
        return values

    def _check_reachable(self, name: str, channel: str) -> None:
        if not channel or channel == IN_APP:
            return
        missing = CHANNELS[channel].unavailable()
        if missing:
            self.add_error(name, f"{CHANNELS[channel].label} cannot be used here yet: {missing}")
        elif not address_of(self.user, channel):
            where = "Switch it on in this browser first." if channel == PUSH else "Enter and confirm an address first."
            self.add_error(name, f"There is no confirmed address for it. {where}")

    def save(self) -> None:
        """Store the choices; doing it again changes nothing."""
        values = self.cleaned_data
        kept = {name: values[name] for name in ("quiet_from", "quiet_to", "backup_minutes", "language")}
        with transaction.atomic():
            Preference.objects.update_or_create(user=self.user, defaults=kept)
            for urgency, _, _ in URGENCIES:
                choice = {"first": values[f"first_{urgency}"], "backup": values[f"backup_{urgency}"]}
                ChannelChoice.objects.update_or_create(user=self.user, urgency=urgency, defaults=choice)


def _stored(user: User) -> dict[str, Any]:
    preference = Preference.objects.filter(user=user).first() or Preference(user=user)
    stored: dict[str, Any] = {f"first_{urgency}": EMAIL for urgency, _, _ in URGENCIES}
    for row in ChannelChoice.objects.filter(user=user):
        stored |= {f"first_{row.urgency}": row.first, f"backup_{row.urgency}": row.backup}
    names = ("quiet_from", "quiet_to", "backup_minutes", "language")
    return stored | {name: getattr(preference, name) for name in names}


class AddressForm(forms.Form):
    """One address of one channel, in the form in which it is stored."""

    address = forms.CharField(max_length=500, error_messages={"required": "Enter an address, or remove it."})

    def __init__(self, channel: str, data: Any = None, initial: str = "") -> None:
        super().__init__(data, initial={"address": initial}, auto_id=f"{channel}-%s")
        self.channel = channel
        field = self.fields["address"]
        field.label, field.help_text, kind = _ADDRESS[channel]
        field.widget.input_type = kind
        field.widget.attrs["autocomplete"] = {SMS: "tel", EMAIL: "email"}.get(channel, "off")
        _describe_errors(self)

    def clean_address(self) -> str:
        return READERS[self.channel](clean(str(self.cleaned_data["address"])))


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=20,
        label="Code",
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": "Enter the code that was sent."},
    )

    def __init__(self, channel: str, data: Any = None) -> None:
        super().__init__(data, auto_id=f"{channel}-%s")
        _describe_errors(self)


def _describe_errors(form: forms.Form) -> None:
    """For screen readers: the error and the help of a field belong to its input."""
    for name, field in form.fields.items():
        if form.is_bound and name in form.errors:
            field.widget.attrs["aria-invalid"] = "true"


def _phone(text: str) -> str:
    try:
        return parse_phone(text).e164
    except Unreadable as fault:
        raise ValidationError(str(fault)) from None


def _email(text: str) -> str:
    validate_email(text)
    return text


def _service(text: str) -> str:
    try:
        service_of(text)
    except SendError as error:
        raise ValidationError(error.text) from None
    return text


def _web_address(text: str) -> str:
    try:
        outgoing.check_url(text)
    except outgoing.Refused as refused:
        raise ValidationError(str(refused)) from None
    return text


READERS: Final = {SMS: _phone, "whatsapp": _phone, EMAIL: _email, APPRISE: _service, WEBHOOK: _web_address}


def build_preference_page(user: User, form: PreferenceForm | None = None, **bound: forms.Form) -> PreferencePage:
    """The page; ``bound`` holds a form that was sent with an error: ``sms`` an address, ``sms_code`` a code."""
    rows = {row.channel: row for row in ContactAddress.objects.filter(user=user).exclude(address="")}
    return PreferencePage(
        form=form or PreferenceForm(user),
        addresses=[_address(channel, rows.get(channel), user, bound) for channel in WITH_ADDRESS],
        browsers=PushSubscription.objects.filter(user=user, failed_at=None).count(),
        push_missing=CHANNELS[PUSH].unavailable(),
    )


def _address(channel: str, row: ContactAddress | None, user: User, bound: Mapping[str, forms.Form]) -> Address:
    own = own_stop(user, channel)
    state, tone = ("On the stop list", "warn") if own else state_of_address(channel, row, user)
    waits = row is not None and (row.code_hash or (row.verified_at is None and channel != EMAIL))
    return Address(
        channel=channel,
        label=_ADDRESS[channel][0],
        state=state,
        tone=tone,
        form=bound.get(channel) or AddressForm(channel, initial=row.address if row else ""),
        code=(bound.get(f"{channel}_code") or CodeForm(channel)) if waits else None,
        saved=row is not None,
        works=bool(address_of(user, channel)),
        missing=CHANNELS[channel].unavailable(),
        stop=stop_words(own) if own else "",
        liftable=own is not None and not own.obstacle,
    )


def stop_words(own: OwnStop) -> str:
    """Why nothing goes to an address, since when, and what helps."""
    stop, helps = own
    since = f"Nothing goes there since {moment_text(stop.at)}: {stop.get_reason_display()}."
    return f"{since} {helps or 'If it is yours and works, have a code sent there and enter it.'}"


def state_of_address(channel: str, row: ContactAddress | None, user: User) -> tuple[str, str]:
    """How an address of a channel stands, in words and as a tone: ``good`` when messages go there. Not asked: whether
    it is on the stop list."""
    if row is None:
        return ("Your account's address", "good") if channel == EMAIL and user.email else ("No address", "")
    return ("Confirmed", "good") if row.verified_at else ("To be confirmed", "warn")


def channels_to_test(user: User) -> list[tuple[str, str]]:
    """The channels over which a user can be reached outside the app."""
    reached = [key for key in CHANNELS if key != IN_APP and address_of(user, key)]
    return [(key, CHANNELS[key].label) for key in reached if not CHANNELS[key].unavailable()]
