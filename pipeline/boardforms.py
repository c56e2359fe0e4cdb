"""What people fill in on the board. The services check again what a form lets through."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.conf import settings
from django.db.models import QuerySet

from leadcrm.lib.money import CURRENCIES
from pipeline.intake import READERS, FieldError, read_fields
from pipeline.many import names_of
from pipeline.models import ExchangeRate, Lead, LeadSource, LostReason, Stage
from pipeline.questions import ATTRIBUTE_PREFIX, question_field
from pipeline.services.leads import LONGEST_REASON

_WHO = ("first_name", "last_name", "company", "email", "phone")


class MoveForm(forms.Form):
    """Where a lead goes, and what that asks for: a value when it is won, a reason when it is lost."""

    stage = forms.ModelChoiceField(Stage.objects.none(), to_field_name="slug", empty_label=None, label="Stage")
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    above = forms.UUIDField(widget=forms.HiddenInput, required=False)
    value = forms.CharField(label="Value, when won", required=False, max_length=40)
    currency = forms.ChoiceField(label="Currency", required=False)
    lost_reason = forms.CharField(label="Why, when lost", required=False, max_length=LONGEST_REASON)

    def __init__(self, lead: Lead, *args: Any, **more: Any) -> None:
        first = {"stage": lead.stage.slug, "version": lead.version, "currency": lead.currency or settings.BASE_CURRENCY}
        first["value"] = "" if lead.value is None else str(lead.value)
        super().__init__(*args, **{**more, "initial": {**first, **more.get("initial", {})}})
        stages = cast("forms.ModelChoiceField[Stage]", self.fields["stage"])
        stages.queryset = lead.stage.pipeline.stages.order_by("position", "id")
        offer_reasons(self.fields)
        offer_currencies(self.fields, lead.currency)
        mark_value(self.fields)


class BulkForm(forms.Form):
    """Where many leads go, and what that asks for: a reason for all that are lost, a value for those that are won and
    have none."""

    stage = forms.ModelChoiceField(
        Stage.objects.none(), to_field_name="slug", label="Stage", error_messages={"required": "Choose a stage."}
    )
    value = forms.CharField(label="Value of each, when won", required=False, max_length=40)
    currency = forms.ChoiceField(label="Currency", required=False)
    lost_reason = forms.CharField(label="Why, when lost", required=False, max_length=LONGEST_REASON)

    def __init__(self, stages: QuerySet[Stage], leads: Iterable[Lead], *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "initial": {"currency": settings.BASE_CURRENCY, **more.get("initial", {})}})
        choice = cast("forms.ModelChoiceField[Stage]", self.fields["stage"])
        choice.queryset = stages
        offer_reasons(self.fields)
        offer_currencies(self.fields)
        mark_value(self.fields)
        self.bare = [lead for lead in leads if lead.value is None]
        self.fields["value"].help_text = f"Of {names_of(self.bare)}; 0 if for nothing." if self.bare else ""

    def clean(self) -> dict[str, Any]:
        kind = stage.kind if (stage := self.cleaned_data.get("stage")) and not self.errors else None
        if kind == Stage.Kind.LOST and not self.cleaned_data["lost_reason"]:
            self.add_error("lost_reason", "Say why the leads were lost.")
        if kind == Stage.Kind.WON and self.bare:
            self._clean_worth(self.bare[0])
        return self.cleaned_data

    def _clean_worth(self, lead: Lead) -> None:
        if not self.cleaned_data["value"]:
            self.add_error("value", "Say what each of the leads was won for; 0 if for nothing.")
            return
        for fault in read_fields(self.worth(lead) or {}, lead.source)[1]:
            self.add_error(fault.field if fault.field in self.fields else None, fault.detail)

    def asked(self) -> bool:
        """Whether what is missing was asked for before: a form that only chose the stage did nothing wrong."""
        return not self.errors.keys() <= {"lost_reason", "value"} - self.data.keys()

    def worth(self, lead: Lead) -> dict[str, Any] | None:
        """What one of the leads was won for, if that is not known."""
        values = self.cleaned_data
        return {"value": values["value"], "currency": values["currency"]} if lead.value is None else None


def offer_reasons(fields: dict[str, forms.Field]) -> None:
    """Let people choose why a lead was lost from the installation's list, if it has one."""
    reasons = list(LostReason.objects.values_list("name", flat=True))
    if reasons:
        choices = [("", ""), *((reason, reason) for reason in reasons)]
        fields["lost_reason"] = forms.ChoiceField(label="Why, when lost", required=False, choices=choices)
    fields["lost_reason"].widget.attrs["aria-required"] = "true"


def mark_value(fields: dict[str, forms.Field]) -> None:
    """Let people type a number, which is needed for some stages."""
    fields["value"].widget.attrs |= {"inputmode": "decimal", "aria-required": "true"}


def offer_currencies(fields: dict[str, forms.Field], own: str = "") -> None:
    """Let people choose a currency."""
    cast("forms.ChoiceField", fields["currency"]).choices = currency_choices(own)


def currency_choices(own: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """All currencies in groups: on top the lead's ``own``, the base currency and those with an exchange rate."""
    rated = ExchangeRate.objects.values_list("currency", flat=True)
    usual = dict.fromkeys(code for code in (own, settings.BASE_CURRENCY, *rated) if code)
    groups = {"Usual": usual, "Others": sorted(CURRENCIES - usual.keys())}
    return [(name, [(code, code) for code in codes]) for name, codes in groups.items()]


class QuickLeadForm(forms.Form):
    """A lead that somebody enters by hand; the intake reads the fields as those of any other source."""

    first_name = forms.CharField(label="First name", required=False)
    last_name = forms.CharField(label="Last name", required=False)
    company = forms.CharField(label="Company", required=False)
    email = forms.CharField(label="E-mail", required=False, widget=forms.EmailInput)
    phone = forms.CharField(label="Phone", required=False, widget=forms.TextInput({"type": "tel"}))
    country = forms.CharField(label="Country", required=False)
    value = forms.CharField(label="Value", required=False, widget=forms.TextInput({"inputmode": "decimal"}))
    currency = forms.ChoiceField(label="Currency", required=False)
    product = forms.CharField(label="What they want", required=False)
    message = forms.CharField(label="Note", required=False, widget=forms.Textarea({"rows": 2}))

    def __init__(self, source: LeadSource, *args: Any, **more: Any) -> None:
        currency = source.default_currency or settings.BASE_CURRENCY
        super().__init__(*args, **{"initial": {"currency": currency}, **more})
        offer_currencies(self.fields, source.default_currency)
        for name in source.required_fields:
            if name in READERS and name not in self.fields:
                self.fields[name] = forms.CharField(label=name.replace("_", " ").capitalize())
            if name in self.fields:
                field = self.fields[name]
                field.required, field.error_messages["required"] = True, f"Give the {field.label}."
        self.fields.update(_required_questions(source))

    def sent(self) -> dict[str, Any]:
        """What was filled in, for the intake. A currency alone says nothing."""
        sent = {name: value for name, value in self.cleaned_data.items() if value and name in READERS}
        if "value" not in sent:
            sent.pop("currency", None)
        return sent

    def answers(self) -> dict[str, Any]:
        """What was answered to the questions that the source must answer, by key."""
        given = {name: value for name, value in self.cleaned_data.items() if name.startswith(ATTRIBUTE_PREFIX)}
        return {name.removeprefix(ATTRIBUTE_PREFIX): value for name, value in given.items()}

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Show what the intake found wrong at the field that it is about."""
        for fault in errors:
            typed = fault.field == "currency" and not self.cleaned_data.get("currency")
            name = "value" if typed else fault.field
            if name in self.fields:
                self.add_error(name, fault.detail)
            else:
                self.add_error(None, f"{name}: {fault.detail}")

    def clean(self) -> dict[str, Any]:
        if not any(self.cleaned_data.get(name) for name in _WHO):
            raise forms.ValidationError("Say who it is: a name, a company, an e-mail address or a phone number.")
        return self.cleaned_data


def _required_questions(source: LeadSource) -> dict[str, forms.Field]:
    """A field for each question that the source must answer, named as the intake names it."""
    keys = {name.removeprefix(ATTRIBUTE_PREFIX) for name in source.required_fields} - READERS.keys()
    asked = source.attributes.filter(key__in=keys) if keys else ()
    return {ATTRIBUTE_PREFIX + one.key: question_field(one, blank="", required=True) for one in asked}
