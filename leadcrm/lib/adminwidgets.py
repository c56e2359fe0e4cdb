"""Selects that search as one types and show a form again whatever was sent in their place; days and times of day."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteMixin, AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, ManyToManyField
from django.forms import DateInput, Field, TimeInput
from django.http import HttpRequest
from unfold.widgets import DATETIME_CLASSES


class ForgivingAutocomplete(AutocompleteMixin):
    """Looks up only what can be a key: Django's own asks the database for anything, and fails."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, [key for key in value if self._is_key(key)], attr)

    def _is_key(self, text: str) -> bool:
        try:
            self.field.remote_field.model._meta.pk.to_python(text)
        except ValidationError:
            return False
        return True


class AutocompleteOne(ForgivingAutocomplete, AutocompleteSelect):
    pass


class AutocompleteMany(ForgivingAutocomplete, AutocompleteSelectMultiple):
    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Without the button that takes all away at once: it stands, unnamed, inside the list of what was chosen."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-allow-clear": "false"}


class ForgivingWidgets:
    """For admin classes: the selects above in the place of Django's."""

    admin_site: Any

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any]", request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if "widget" not in kwargs and self._searches(db_field.name, request):
            kwargs["widget"] = AutocompleteOne(db_field, self.admin_site, using=kwargs.get("using"))
        found: Field | None = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        return found

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if "widget" not in kwargs and self._searches(db_field.name, request):
            kwargs["widget"] = AutocompleteMany(db_field, self.admin_site, using=kwargs.get("using"))
        found: Field | None = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        return found

    def _searches(self, name: str, request: HttpRequest) -> bool:
        return name in self.get_autocomplete_fields(request)  # type: ignore[attr-defined]


class DayInput(DateInput):
    """A date by the clock of whomever it is about. Django's own widget would tell how far the server's clock is off."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(DATETIME_CLASSES)}, "%Y-%m-%d")


class ClockInput(TimeInput):
    """A time of day, to the minute, by the clock of whomever it is about."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(DATETIME_CLASSES)}, "%H:%M")
