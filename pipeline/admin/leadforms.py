"""The forms of a lead. They read and judge input as every other way in does: ``pipeline.intake``."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from leadcrm.lib.adminbase import AnyModelForm
from leadcrm.lib.adminforms import ListField, ManyField, currency_field, time_zone_choices
from leadcrm.lib.languages import LANGUAGES
from pipeline.attributes import read_attributes
from pipeline.errors import ReasonMissing, StaleLead, ValueMissing
from pipeline.intake import READERS, ConsentInput, FieldError, read_fields
from pipeline.models import AttributeDefinition, Consent, Lead, LeadSource, Stage
from pipeline.questions import ATTRIBUTE_PREFIX, Widgets, question_field

QUESTION = "question_"
LONGEST_INPUT = 500
# What other fields are read with.
CONTEXT = ("country", "currency")
_Type = AttributeDefinition.Type
_QUESTION_WIDGETS: Widgets = {
    _Type.TEXT: UnfoldAdminTextInputWidget,
    _Type.NUMBER: UnfoldAdminDecimalFieldWidget,
    _Type.BOOLEAN: UnfoldAdminSelectWidget,
    _Type.DATE: UnfoldAdminSingleDateWidget,
    _Type.CHOICE: UnfoldAdminSelectWidget,
}


def _text(help_text: str = "") -> forms.CharField:
    return forms.CharField(
        max_length=LONGEST_INPUT, required=False, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )


class LeadForm(AnyModelForm):
    """What people may edit of a lead."""

    email = _text()
    phone = _text("As people write it; without a country code it is read with the country below.")
    website = _text()
    country = _text("A name or an ISO code, such as Germany or DE.")
    region = _text("A name or an ISO code, such as Bavaria or DE-BY.")
    postal_code = _text()
    language = forms.ChoiceField(
        choices=[("", "Unknown"), *LANGUAGES.items()], required=False, widget=UnfoldAdminSelect2Widget
    )
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "Unknown, or as the place says"), *time_zone_choices()],
        required=False,
        widget=UnfoldAdminSelect2Widget,
    )
    currency = currency_field()
    tags = ListField(help_text="Words with commas between.")

    class Meta:
        model = Lead
        fields = tuple(READERS)

    def sent(self) -> dict[str, Any]:
        """The lead fields as they were filled in."""
        return {name: self.cleaned_data[name] for name in READERS if name in self.cleaned_data}

    def tell(self, errors: list[FieldError]) -> None:
        for error in errors:
            name = error.field.replace(ATTRIBUTE_PREFIX, QUESTION)
            if name in self.fields:
                self.add_error(name, error.detail)
            else:
                self.add_error(None, f"{error.field}: {error.detail}")

    def _post_clean(self) -> None:
        """Nothing: the services write the lead, after the same checks as for every other way in."""


class LeadAddForm(LeadForm):
    """A lead entered by hand."""

    source = forms.ModelChoiceField(
        LeadSource.objects.filter(active=True),
        empty_label="Select value",
        widget=UnfoldAdminSelectWidget,
        help_text="Its required fields must be filled in.",
    )
    external_id = forms.CharField(
        max_length=200, required=False, widget=UnfoldAdminTextInputWidget, help_text="Its id at the source, if any."
    )
    agreed = ManyField(
        choices=Consent.Channel.choices, label="Agreed to be contacted by", help_text="What the person said."
    )

    class Meta(LeadForm.Meta):
        fields = (*LeadForm.Meta.fields, "source", "external_id")

    def clean(self) -> dict[str, Any]:
        source = self.cleaned_data.get("source")
        if source is None:
            return self.cleaned_data
        _values, errors = read_fields(self.sent(), source)
        _answers, wrong_answers = read_attributes(self.answers(), source.attributes.all())
        self.tell([*errors, *wrong_answers, *self._missing(source), *self._taken(source)])
        return self.cleaned_data

    def _missing(self, source: LeadSource) -> Iterator[FieldError]:
        filled = {name for name, value in self.sent().items() if value not in ("", None, [])}
        filled |= {f"{ATTRIBUTE_PREFIX}{key}" for key in self.answers()}
        for name in source.required_fields:
            if name not in filled and name not in self.errors:
                yield FieldError(name, "required", f"{source} needs this.")

    def _taken(self, source: LeadSource) -> Iterator[FieldError]:
        external_id = self.cleaned_data.get("external_id")
        if external_id and Lead.objects.filter(source=source, external_id=external_id).exists():
            yield FieldError("external_id", "taken", f"{source} has a lead with this id already.")

    def answers(self) -> dict[str, Any]:
        """What was answered to our own questions, by key."""
        given = {name.removeprefix(QUESTION): v for name, v in self.cleaned_data.items() if name.startswith(QUESTION)}
        return {key: value for key, value in given.items() if value not in ("", None)}

    def consents(self) -> list[ConsentInput]:
        return [ConsentInput(channel, True, origin="Entered by hand") for channel in self.cleaned_data["agreed"]]


class LeadChangeForm(LeadForm):
    """A lead that is there: its fields, and where it stands in its pipeline."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    stage = forms.ModelChoiceField(Stage.objects.none(), widget=UnfoldAdminSelectWidget)

    class Meta(LeadForm.Meta):
        fields = (*LeadForm.Meta.fields, "stage", "lost_reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("seen_version", self.instance.version)
        if "stage" in self.fields:  # not for those who may only look
            field: Any = self.fields["stage"]
            field.queryset = self._stages()

    def _stages(self) -> QuerySet[Stage]:
        return Stage.objects.filter(pipeline=self.instance.stage.pipeline_id)

    def clean(self) -> dict[str, Any]:
        self.tell(read_fields(self.edited(), self.instance.source)[1])
        stage = self.cleaned_data.get("stage")
        if stage and stage.kind == Stage.Kind.LOST and not self.cleaned_data.get("lost_reason"):
            self.add_error("lost_reason", str(ReasonMissing()))
        won = stage and stage.kind == Stage.Kind.WON and stage.pk != self.instance.stage_id
        if won and "value" not in self.errors and self.cleaned_data.get("value") is None:
            self.add_error("value", str(ValueMissing()))
        if self.cleaned_data.get("seen_version") != Lead.objects.values_list("version", flat=True).get(
            pk=self.instance.pk
        ):
            self.add_error(None, str(StaleLead()))
        return self.cleaned_data

    def edited(self) -> dict[str, Any]:
        """The lead fields that were changed, and those that others are read with."""
        names = {*self.changed_data, *CONTEXT}
        return {name: value for name, value in self.sent().items() if name in names}


def question_fields() -> dict[str, forms.Field]:
    """A form field for each question of our own."""
    definitions = AttributeDefinition.objects.all()
    return {
        QUESTION + definition.key: question_field(definition, widgets=_QUESTION_WIDGETS) for definition in definitions
    }
