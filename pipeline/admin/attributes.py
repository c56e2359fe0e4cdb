from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from leadcrm.lib.adminbase import AnyModelForm, ModelAdmin
from leadcrm.lib.adminforms import ListField
from pipeline.models import AttributeDefinition, Lead


def has_values(definition: AttributeDefinition) -> bool:
    """Whether any lead has answered this question."""
    return Lead.objects.filter(attributes__has_key=definition.key).exists()


class AttributeForm(AnyModelForm):
    choices = ListField(separator="\n", label="Choices", help_text="For 'one of a list': one choice per line.")

    class Meta:
        model = AttributeDefinition
        fields = ("key", "label", "type", "choices", "help_text")
        help_texts = {
            "label": "As people read it in forms and rules.",
            "help_text": "Shown to whoever has to fill it in.",
        }

    def clean_type(self) -> str:
        chosen: str = self.cleaned_data["type"]
        before = self.initial.get("type")
        if self.instance.pk and chosen != before and has_values(self.instance):
            raise ValidationError("Leads have answers of the old type. Make a new attribute instead.")
        return chosen

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        needs_choices = values.get("type") == AttributeDefinition.Type.CHOICE
        if needs_choices and not values.get("choices") and "choices" not in self.errors:
            self.add_error("choices", "Write at least one choice.")
        if not needs_choices and values.get("choices"):
            self.add_error("choices", "Only 'one of a list' has choices. Choose that type, or leave this empty.")
        return values


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(ModelAdmin):
    form = AttributeForm
    actions = None
    list_display = ("label", "key", "type", "choice_list")
    list_filter = (("type", ChoicesDropdownFilter),)
    search_fields = ("label", "key")
    search_help_text = "Search by label or key"
    fields = ("label", "key", "type", "choices", "help_text")

    @admin.display(description="choices")
    def choice_list(self, definition: AttributeDefinition) -> str:
        shown = ", ".join(map(str, definition.choices[:5]))
        return f"{shown}, …" if len(definition.choices) > 5 else shown or "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Leads, sources and rules know an attribute by its key."""
        return ("key",) if obj else ()

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        answered = [f"Leads that have answered “{definition}”" for definition in objs if has_values(definition)]
        return to_delete, counts, perms_needed, [*protected, *answered]
