"""Where leads come from: a source, what it must send, and its keys."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminTextInputWidget

from leadcrm.lib.access import GuardedModelAdmin
from leadcrm.lib.adminbase import AnyModelForm, ModelAdmin, ReadOnlyAdmin, ReadOnlyInline, admin_link, list_link
from leadcrm.lib.adminforms import ManyField, country_field, currency_field
from leadcrm.lib.adminsteps import ask
from pipeline.intake import READERS
from pipeline.models import AttributeDefinition, Lead, LeadSource, SourceKey
from pipeline.questions import ATTRIBUTE_PREFIX
from pipeline.services.keys import issue_key, revoke_key


def sendable_fields() -> list[tuple[str, str]]:
    """What a source can send: the fields of a lead, and our own questions."""
    labels = {field.name: str(field.verbose_name).capitalize() for field in Lead._meta.concrete_fields}
    fields = [(name, labels[name]) for name in READERS]
    questions = AttributeDefinition.objects.values_list("key", "label")
    return fields + [(ATTRIBUTE_PREFIX + key, label) for key, label in questions]


class LeadSourceForm(AnyModelForm):
    required_fields = ManyField(
        choices=sendable_fields, help_text="What this source must send; a lead without it is refused. All else is free."
    )
    # Not "attributes": an input of that name hides the form's own attributes from the page's scripts.
    questions = forms.ModelMultipleChoiceField(
        AttributeDefinition.objects.all(),
        required=False,
        label="Attributes",
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="Questions of your own that this source may send.",
    )
    default_country = country_field("Used to read phone numbers without a country code, such as Germany or DE.")
    default_currency = currency_field(help_text="Currency of values that are sent without one.")

    class Meta:
        model = LeadSource
        fields = (
            *("name", "slug", "kind", "active", "pipeline", "routes_owned", "required_fields"),
            *("default_country", "default_currency", "requests_per_minute"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["questions"] = list(self.instance.attributes.all())

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.instance.attributes.set(self.cleaned_data["questions"])

    def clean(self) -> dict[str, Any]:
        """A question that must be answered is one that may be asked."""
        values = self.cleaned_data
        asked = {ATTRIBUTE_PREFIX + definition.key for definition in values.get("questions") or ()}
        needed = {name for name in values.get("required_fields") or () if name.startswith(ATTRIBUTE_PREFIX)}
        if missing := sorted(needed - asked):
            keys = ", ".join(name.removeprefix(ATTRIBUTE_PREFIX) for name in missing)
            self.add_error("questions", f"Required, but not among the attributes this source may send: {keys}.")
        return values


class LabelForm(forms.Form):
    label = forms.CharField(
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Who will use it, such as 'website' or the partner's name.",
    )


class SourceKeyInline(ReadOnlyInline):
    model = SourceKey
    verbose_name_plural = "API keys"
    fields = ("prefix", "label", "created_at", "created_by", "last_used_at", "state")
    readonly_fields = fields
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceKey]:
        keys: QuerySet[SourceKey] = super().get_queryset(request)
        return keys.select_related("created_by")

    @admin.display(description="state")
    def state(self, key: SourceKey) -> SafeString | str:
        if not key.pk:
            return "-"
        if key.revoked_at:
            return f"revoked on {key.revoked_at:%Y-%m-%d}"
        url = reverse("admin:pipeline_leadsource_revoke_key", args=[key.source_id, key.pk])
        return format_html('in use (<a href="{}" class="text-link">revoke</a>)', url)


@admin.register(LeadSource)
class LeadSourceAdmin(GuardedModelAdmin, ModelAdmin):
    form = LeadSourceForm
    inlines = (SourceKeyInline,)
    actions = None
    actions_detail = ("issue_key",)
    list_display = ("name", "kind", "active", "pipeline", "keys_in_use", "leads")
    list_select_related = ("pipeline",)
    list_filter = (("kind", ChoicesDropdownFilter), "active", ("pipeline", RelatedDropdownFilter))
    search_fields = ("name", "slug")
    search_help_text = "Search by name"
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("kind", "active"), "pipeline", "routes_owned")}),
        ("What it sends", {"fields": ("required_fields", "questions", ("default_country", "default_currency"))}),
        ("Limits", {"fields": ("requests_per_minute",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[LeadSource]:
        sources: QuerySet[LeadSource] = super().get_queryset(request)
        return sources.annotate(keys_in_use=Count("keys", filter=Q(keys__revoked_at=None)))

    @admin.display(description="keys in use", ordering="keys_in_use")
    def keys_in_use(self, source: Any) -> int:
        count: int = source.keys_in_use
        return count

    @admin.display(description="leads")
    def leads(self, source: LeadSource) -> SafeString:
        return list_link(Lead, "Leads", source__id__exact=source.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its leads name it: it is switched off instead."""
        return False

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("<int:source_id>/keys/<int:key_id>/revoke/", "pipeline_leadsource_revoke_key", self.revoke_view),)

    @action(description="Issue an API key", url_path="issue-key", icon="key", permissions=("change",))
    def issue_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks for a label, then shows the key: the only page that ever does."""
        source = self._editable(request, object_id)
        form = LabelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            _, plain = issue_key(source, label=form.cleaned_data["label"], actor=cast(User, request.user))
            return self._shown_once(request, source, plain)
        intro = "The key is shown once, on the next page. Whoever has it can send leads in the name of this source."
        return ask(
            self, request, title=f"Issue an API key for {source}", intro=intro, form=form, button="Issue the key"
        )

    def revoke_view(self, request: HttpRequest, source_id: int, key_id: int, **kwargs: Any) -> HttpResponse:
        source = self._editable(request, str(source_id))
        key = get_object_or_404(source.keys, pk=key_id)
        if request.method != "POST":
            intro = "Whoever uses it is refused from then on. A key that was revoked cannot be brought back."
            return ask(self, request, title=f"Revoke the key {key} of {source}", intro=intro, button="Revoke the key")
        if revoke_key(key):
            self.message_user(request, f"The key {key} was revoked.")
        else:
            self.message_user(request, f"The key {key} had been revoked before.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:pipeline_leadsource_change", args=[source.pk]))

    def _editable(self, request: HttpRequest, object_id: str) -> LeadSource:
        source: LeadSource | None = self.get_object(request, unquote(object_id))
        if source is None:
            raise Http404
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        return source

    def _shown_once(self, request: HttpRequest, source: LeadSource, plain: str) -> HttpResponse:
        """Not stored by browsers and proxies either: the admin's pages say so of themselves."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"API key of {source}"}
        context |= {"key": plain, "source": source, "back": admin_link(source, "Back to the source")}
        return TemplateResponse(request, "admin/pipeline/leadsource/key.html", context)


@admin.register(SourceKey)
class SourceKeyAdmin(ReadOnlyAdmin):
    """All keys of all sources, to find the one that was used last, or that leaked."""

    list_display = ("prefix", "label", "source", "created_at", "created_by", "last_used_at", "revoked_at")
    list_select_related = ("source", "created_by")
    list_filter = (("source", RelatedDropdownFilter),)
    search_fields = ("prefix", "label")
    search_help_text = "Search by the first characters, or the label"
    fields = list_display
