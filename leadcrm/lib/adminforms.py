"""Form fields of the admin for what is stored as lists, codes and places."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from leadcrm.lib.languages import LANGUAGES
from leadcrm.lib.money import CURRENCIES
from leadcrm.lib.places import country_code, region_code
from leadcrm.lib.postal import postal_code
from leadcrm.lib.text import Unreadable, clean

LONGEST_LIST = 200
LONGEST_ENTRY = 100
# Historical aliases and clocks without a place; nobody lives there.
_NO_PLACE = ("Etc/", "SystemV/", "US/", "posix", "right/", "Factory", "localtime")


class ReadField(forms.CharField):
    """A text with one written form: ``read`` gives it, or says with Unreadable what is wrong."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, read: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(**{"max_length": 200, "required": False, **kwargs})
        self.read = read

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return self.read(text) if text else ""
        except Unreadable as fault:
            raise ValidationError(str(fault), code="invalid") from None


def country_field(help_text: str = "A name or an ISO code, such as Germany or DE.", **kwargs: Any) -> ReadField:
    return ReadField(**{"read": country_code, "help_text": help_text, **kwargs})


class ListField(forms.CharField):
    """A list of words, written with commas between or one per line; duplicates and blanks are dropped."""

    def __init__(self, *, separator: str = ",", **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget if separator == "," else UnfoldAdminTextareaWidget
        super().__init__(**{"required": False, "widget": widget, **kwargs})
        self.separator = separator

    def prepare_value(self, value: Any) -> Any:
        joint = ", " if self.separator == "," else self.separator
        return joint.join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        words = list(dict.fromkeys(filter(None, map(clean, text.split(self.separator)))))
        if len(words) > LONGEST_LIST:
            raise ValidationError(f"At most {LONGEST_LIST} entries; these are {len(words)}.")
        if too_long := next((word for word in words if len(word) > LONGEST_ENTRY), ""):
            raise ValidationError(f"At most {LONGEST_ENTRY} characters each; this one has {len(too_long)}.")
        return words


class ManyField(forms.MultipleChoiceField):
    """Several of a fixed choice, stored as a list, in the order of the choices."""

    widget = UnfoldAdminSelect2MultipleWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def clean(self, value: Any) -> list[str]:
        chosen = set(super().clean(value))
        choices: Any = self.choices
        return [key for key, _label in choices if key in chosen]


def languages_field(**kwargs: Any) -> ManyField:
    choices = [(code, f"{name} ({code})") for code, name in LANGUAGES.items()]
    return ManyField(**{"choices": choices, "help_text": "Type to search.", **kwargs})


def time_zone_field(**kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(**{"choices": time_zone_choices, "widget": UnfoldAdminSelect2Widget, **kwargs})


def time_zone_choices() -> list[tuple[str, str]]:
    """The time zones people live in, and UTC."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_NO_PLACE))
    return [(zone, zone) for zone in ("UTC", *places)]


def currency_field(**kwargs: Any) -> forms.ChoiceField:
    choices = [("", "Select value"), *((code, code) for code in sorted(CURRENCIES))]
    return forms.ChoiceField(**{"choices": choices, "widget": UnfoldAdminSelect2Widget, "required": False, **kwargs})


def clean_place(form: forms.BaseForm, postal: Iterable[str] = ("postal_code",)) -> None:
    """Reads region and postal codes with the country known, as the last step of a form's ``clean``.

    Puts what is wrong on its field; fills in the country when only the region says it.
    """
    values = form.cleaned_data
    if "country" not in values:  # at fault itself
        return
    country: str = values["country"]
    region = _read(form, "region", lambda raw: region_code(country, raw))
    if region and not country:
        country = values["country"] = region[:2]
    for name in postal:
        _read(form, name, lambda raw: postal_code(raw, country))


def _read(form: forms.BaseForm, name: str, read: Callable[[str], str]) -> str:
    raw = form.cleaned_data.get(name) or ""
    try:
        form.cleaned_data[name] = read(raw) if raw else ""
    except Unreadable as fault:
        form.add_error(name, str(fault))
        return ""
    return str(form.cleaned_data[name])


def add_errors(form: forms.BaseForm, errors: Mapping[str, str]) -> None:
    """Puts each error on its field, or above the form when it has no such field."""
    for name, sentence in errors.items():
        form.add_error(
            name if name in form.fields else None, sentence if name in form.fields else f"{name}: {sentence}"
        )


def refuse_second(form: forms.ModelForm, name: str) -> None:  # type: ignore[type-arg]
    """An error on a box that only one row of a table may have ticked, when another one has; names that one."""
    if form.cleaned_data.get(name):
        rows: Any = form._meta.model
        other = rows._default_manager.filter(**{name: True}).exclude(pk=form.instance.pk).first()
        if other is not None:
            form.add_error(name, f"“{other}” has this already. Take it away there first.")
