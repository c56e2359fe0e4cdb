"""Forms of rules and their conditions. What they accept is what the engine can build."""

from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from distribution.conditiontext import format_value, parse_value
from distribution.engine import targets
from distribution.engine.conditions import OPERATORS, ConditionError, operator_choices, operators_for
from distribution.fields import RuleFields, by_section, rule_fields
from distribution.models import Condition, Pool, Rep, RoutingRule, RuleSet, Skill, SLAPolicy
from leadcrm.lib.adminbase import AnyModelForm, LabelledFormSet
from leadcrm.lib.adminforms import time_zone_field
from pipeline.models import Team

WEEKDAYS: Final = (
    (1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"), (7, "Sunday"),
)  # fmt: skip
# The field that each kind of target needs, and what to say when it is empty.
TARGET_FIELDS: Final = {
    targets.POOL: ("pool", "Choose the pool."),
    targets.REP: ("rep", "Choose the rep."),
    targets.TEAM_QUEUE: ("team", "Choose the team."),
}


class RuleSetForm(AnyModelForm):
    class Meta:
        model = RuleSet
        fields = ("name", "catch_all_pool", "catch_all_team")
        labels = {"catch_all_pool": "Pool", "catch_all_team": "or team's queue"}
        help_texts = {"catch_all_pool": "", "catch_all_team": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_living(self, "catch_all_pool", Pool.objects.all())
        offer_living(self, "catch_all_team", Team.objects.all())

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("catch_all_pool") and self.cleaned_data.get("catch_all_team"):
            self.add_error("catch_all_team", "Choose either a pool or a team, not both.")


class RuleForm(AnyModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None ticked: every day.",
    )
    required_skills = forms.ModelMultipleChoiceField(
        Skill.objects.all(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        label="With skills",
        help_text="Only people with all that are ticked.",
    )
    set_priority = forms.IntegerField(
        min_value=-1000,
        max_value=1000,
        required=False,
        label="Priority",
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Give the lead this priority; higher goes first. Empty: leave it as it is.",
    )
    time_zone = time_zone_field(initial="UTC", help_text="Of the days and times above.")

    class Meta:
        model = RoutingRule
        fields = "__all__"
        labels = {
            "if_unavailable": "If nobody there can",
            "fallback_pool": "Fallback",
            "skill_field": "With skill in",
            "match_language": "In the lead's language",
            "match_territory": "In the lead's territory",
            "from_time": "From",
            "to_time": "To",
            "sla_policy": "SLA policy",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_living(self, "pool", Pool.objects.all())
        offer_living(self, "fallback_pool", Pool.objects.all())
        offer_living(self, "team", Team.objects.all())
        offer_living(self, "sla_policy", SLAPolicy.objects.all())
        if "rep" in self.fields:
            kept = Q(active=True, user__is_active=True) | Q(pk=self.instance.rep_id)
            choice(self, "rep").queryset = Rep.objects.filter(kept)
        if "rule_set" in self.fields:
            choice(self, "rule_set").queryset = RuleSet.objects.filter(state=RuleSet.State.DRAFT)

    def clean(self) -> None:
        super().clean()
        self._clean_target()
        self._clean_fallback()
        self._clean_times()

    def _clean_target(self) -> None:
        """The target has what it needs, and nothing is left of another kind of target."""
        needed, sentence = TARGET_FIELDS.get(self.cleaned_data.get("target", ""), ("", ""))
        if needed and not self.cleaned_data.get(needed) and needed not in self.errors:
            self.add_error(needed, sentence)
        for name, _ in TARGET_FIELDS.values():
            if name != needed and name not in self.errors:
                self.cleaned_data[name] = None

    def _clean_fallback(self) -> None:
        if self.cleaned_data.get("if_unavailable") != targets.FALLBACK:
            self.cleaned_data["fallback_pool"] = None
        elif not self.cleaned_data.get("fallback_pool") and "fallback_pool" not in self.errors:
            self.add_error("fallback_pool", "Choose the pool to fall back to.")

    def _clean_times(self) -> None:
        values = self.cleaned_data
        begins, ends = values.get("from_time"), values.get("to_time")
        if (begins is None) != (ends is None) and not {"from_time", "to_time"} & {*self.errors}:
            self.add_error("from_time" if begins is None else "to_time", "Give both times, or none.")
        elif begins is not None and begins == ends:
            self.add_error("to_time", "Choose another time than the first, or clear both for the whole day.")
        since, until = values.get("valid_from"), values.get("valid_until")
        if since and until and since >= until:
            self.add_error("valid_until", "Choose a time after the first.")


def offer_living(form: AnyModelForm, name: str, rows: QuerySet[Any]) -> None:
    """Offer what is not archived, and what the instance points to already."""
    if name in form.fields:
        chosen = getattr(form.instance, f"{name}_id")
        choice(form, name).queryset = rows.filter(Q(archived_at=None) | Q(pk=chosen))


def choice(form: AnyModelForm, name: str) -> Any:
    return form.fields[name]


class ConditionForm(AnyModelForm):
    """One condition. The value is one line of text, which a script turns into what suits field and operator."""

    group = forms.IntegerField(
        min_value=1,
        max_value=99,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Same number: and. Another number: or.",
    )
    field = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    operator = forms.ChoiceField(
        choices=[("", "Select value"), *operator_choices()], widget=UnfoldAdminSelectWidget, label="comparison"
    )
    value = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Several values: separate them with commas. Between: two values.",
    )

    class Meta:
        model = Condition
        fields = ("group", "field", "operator", "value")

    def __init__(self, *args: Any, rule_fields: RuleFields, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule_fields = rule_fields
        stored: Any = self.instance
        choice(self, "field").choices = field_choices(rule_fields, stored.field)
        if stored.pk:
            self.initial["value"] = format_value(rule_fields, stored.field, stored.operator, stored.value)

    def clean(self) -> None:
        super().clean()
        values = self.cleaned_data
        if {"field", "operator", "value"} <= values.keys():
            try:
                values["value"] = parse_value(self.rule_fields, values["field"], values["operator"], values["value"])
            except ConditionError as error:
                self.add_error(error.part, str(error))


class ConditionFormSet(LabelledFormSet):
    """All conditions of one rule, with one reading of the catalogue."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        if not hasattr(self, "_rule_fields"):
            self._rule_fields = rule_fields()
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        return {**kwargs, "rule_fields": self._rule_fields}


def field_choices(fields: RuleFields, stored: str = "") -> list[Any]:
    """The fields by section; a stored one that is gone stays visible, to be refused with a reason."""
    sections = by_section(fields.catalogue)
    known = [(title, [(entry.key, entry.label) for entry in entries]) for title, entries in sections.items()]
    gone = [(stored, f"{stored} (gone)")] if stored and stored not in fields.catalogue else []
    return [("", "Select value"), *gone, *known]


def condition_catalogue(fields: RuleFields) -> dict[str, Any]:
    """What the script needs to offer operators and values that suit a field."""
    territories = [[name, name] for name in fields.territories.values()]
    return {
        "fields": {
            key: {
                "type": entry.type,
                "options": territories if entry.type == "territory" else fields.options(key),
                "closed": bool(entry.choices) or entry.type == "territory",
                "operators": [operator.key for operator in operators_for(entry.type)],
            }
            for key, entry in fields.catalogue.items()
        },
        "operators": {operator.key: {"argument": operator.argument} for operator in OPERATORS.values()},
    }
