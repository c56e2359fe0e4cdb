"""The page of one rule: when, where to, who there, and on which days."""

from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from distribution.admin.ruleforms import ConditionForm, ConditionFormSet, RuleForm, condition_catalogue
from distribution.fields import rule_fields
from distribution.models import Condition, RoutingRule, RuleSet
from distribution.rulesets import Fixed, lock_draft, next_position
from distribution.rulewords import target_words, then_words, when_words
from leadcrm.lib.adminbase import ModelAdmin, TabularInline


class ConditionInline(TabularInline):
    model = Condition
    form = ConditionForm
    formset = ConditionFormSet
    hide_title = True
    verbose_name_plural = "When these conditions hold"
    template_before = "admin/distribution/routingrule/_conditions_help.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_rules(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_rules(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_rules(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("distribution.view_routingrule") or may_change_rules(request, obj)


def may_change_rules(request: HttpRequest, rule: RoutingRule | None = None) -> bool:
    """Whether this user may change rules, and this rule: those of a published set never change."""
    is_draft = rule is None or rule.rule_set.state == RuleSet.State.DRAFT
    return is_draft and request.user.has_perm("distribution.change_routingrule")


@admin.register(RoutingRule)
class RoutingRuleAdmin(ModelAdmin):
    form = RuleForm
    inlines = (ConditionInline,)
    change_form_outer_before_template = "admin/distribution/routingrule/_before.html"
    list_display = ("name", "rule_set", "position", "sends_to", "active", "words")
    list_filter = (
        ("rule_set", RelatedDropdownFilter),
        ("rule_set__state", ChoicesDropdownFilter),
        ("target", ChoicesDropdownFilter),
        "active",
    )
    search_fields = ("name", "pool__name", "rep__name", "team__name")
    search_help_text = "Search by name, pool, rep or team"
    ordering = ("-rule_set__state", "-rule_set", "position", "id")
    actions = None
    conditional_fields = {
        "pool": "target == 'pool'",
        "rep": "target == 'rep'",
        "team": "target == 'team_queue'",
        "if_unavailable": "target != 'team_queue'",
        "fallback_pool": "target != 'team_queue' && if_unavailable == 'fallback'",
        "required_skills": "target != 'team_queue'",
        "skill_field": "target != 'team_queue'",
        "match_language": "target != 'team_queue'",
        "match_territory": "target != 'team_queue'",
    }
    # Constraints span these: whoever saves last saves them together.
    computed_fields = (
        "target", "pool", "rep", "team", "if_unavailable", "fallback_pool",
        "from_time", "to_time", "valid_from", "valid_until",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("rule_set", "name", "active")}),
        ("Then the lead goes to", {"fields": ("target", "pool", "rep", "team", "if_unavailable", "fallback_pool")}),
        (
            "Only to people there who fit",
            {"fields": ("required_skills", "skill_field", "match_language", "match_territory")},
        ),
        (
            "Only at these times",
            {"fields": ("weekdays", ("from_time", "to_time"), "time_zone", "valid_from", "valid_until")},
        ),
        ("And besides", {"fields": (("set_priority", "sla_policy"),)}),
    )

    @property
    def media(self) -> Media:
        ours = Media(js=["distribution/conditions.js"], css={"all": ["distribution/rules.css"]})
        merged: Media = super().media + ours
        return merged

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingRule]:
        rules: QuerySet[RoutingRule] = super().get_queryset(request)
        rules = rules.select_related("rule_set", "pool", "rep", "team", "fallback_pool", "sla_policy")
        return rules.prefetch_related("conditions", "required_skills")

    # --- What may be done -----------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_rules(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = obj is None or obj.rule_set.state == RuleSet.State.DRAFT
        allowed: bool = super().has_delete_permission(request, obj)
        return is_draft and allowed

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("rule_set",) if obj else ()

    # --- The list -------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # A copy for each request, so that the catalogue is read once for all lines, and again next time.
        page: Any = copy(self)
        page.rule_fields = rule_fields()
        return super(RoutingRuleAdmin, page).changelist_view(request, extra_context)

    @display(description="sends leads to", ordering="target")
    def sends_to(self, rule: RoutingRule) -> str:
        words = target_words(rule)
        return words[0].upper() + words[1:]

    @display(description="in words")
    def words(self, rule: Any) -> str:
        fields: Any = self
        return f"{when_words(rule, fields.rule_fields)} → {then_words(rule)}"

    # --- The page of a rule ---------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rule = self.get_object(request, object_id) if object_id else None
        fields = rule_fields()
        extra = {
            "rule": rule,
            "rule_when": when_words(rule, fields) if rule else "",
            "rule_then": then_words(rule) if rule else "",
            "condition_catalogue": condition_catalogue(fields),
            "may_clone": request.user.has_perm("distribution.add_ruleset"),
            "is_fixed": rule is not None and rule.rule_set.state != RuleSet.State.DRAFT,
        }
        page: Any = copy(self)
        if not self.has_change_permission(request, rule):
            page.conditional_fields = {}  # they follow inputs, and there are none to follow
        try:
            answer: HttpResponse = super(RoutingRuleAdmin, page).changeform_view(
                request, object_id, form_url, {**extra, **(extra_context or {})}
            )
        except Fixed as fixed:
            return self._refuse(request, fixed, object_id)
        return answer

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except Fixed as fixed:
            return self._refuse(request, fixed, object_id)
        return answer

    def _refuse(self, request: HttpRequest, fixed: Fixed, object_id: str | None) -> HttpResponse:
        """Somebody published the rule set while this form stood open."""
        messages.error(request, f"Nothing was saved. {fixed}")
        if object_id is None:
            return HttpResponseRedirect(reverse("admin:distribution_ruleset_changelist"))
        return HttpResponseRedirect(reverse("admin:distribution_routingrule_change", args=[object_id]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        lock_draft(obj.rule_set)
        if not change:
            obj.position = next_position(obj.rule_set)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        lock_draft(obj.rule_set)
        super().delete_model(request, obj)

    # --- Where to go afterwards: the rule set, where the rule stands among the others -------------

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST:
            return HttpResponseRedirect(add_rule_url(obj.rule_set))
        return answer

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(rule_set_url(obj.rule_set))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(rule_set_url(obj.rule_set))


def rule_set_url(rule_set: RuleSet) -> str:
    return reverse("admin:distribution_ruleset_change", args=[rule_set.pk])


def add_rule_url(rule_set: RuleSet) -> str:
    return reverse("admin:distribution_routingrule_add", query={"rule_set": rule_set.pk})
