from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest

from leadcrm.lib.access import GuardedModelAdmin
from leadcrm.lib.adminbase import (
    AnyModelForm,
    ArchivableAdmin,
    ArchivedFilter,
    LabelledFormSet,
    ModelAdmin,
    TabularInline,
)
from pipeline.models import Lead, LostReason, Pipeline, Stage


class StageFormSet(LabelledFormSet):
    """A pipeline needs somewhere to start and both ways to end; a stage with leads keeps its meaning."""

    def add_fields(self, form: Form, index: int | None) -> None:
        super().add_fields(form, index)
        if getattr(getattr(form, "instance", None), "in_use", False):
            form.fields["kind"].disabled = form.fields["DELETE"].disabled = True
            form.fields["kind"].widget.attrs["title"] = "Leads are in this stage: it cannot change or go."

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and not self._should_delete_form(form)]
        kinds = {row.get("kind") for row in kept if row}
        missing = [kind.label.lower() for kind in Stage.Kind if kind not in kinds]
        if missing and not any(self.errors):
            raise ValidationError(f"Add at least one stage that is {' and one that is '.join(missing)}.")


class StageInline(TabularInline):
    model = Stage
    formset = StageFormSet
    fields = ("name", "slug", "kind", "wip_limit", "rot_days", "position")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("position", "id")
    ordering_field = "position"
    hide_ordering_field = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stage]:
        stages: QuerySet[Stage] = super().get_queryset(request)
        return stages.annotate(in_use=Exists(Lead.objects.filter(stage=OuterRef("pk"))))


class PipelineForm(AnyModelForm):
    class Meta:
        model = Pipeline
        fields = ("name", "slug", "is_default", "sorted_by_hand")

    def clean_is_default(self) -> bool:
        chosen: bool = self.cleaned_data["is_default"]
        if self.initial.get("is_default") and not chosen:
            raise ValidationError("Tick this in the pipeline that should be the default; it is taken from here then.")
        others = Pipeline.objects.exclude(pk=self.instance.pk).filter(is_default=True)
        return chosen or not others.exists()

    def _get_validation_exclusions(self) -> set[str]:
        """Without "one default": saving takes it from the pipeline that has it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"is_default"}


@admin.register(Pipeline)
class PipelineAdmin(GuardedModelAdmin, ArchivableAdmin):
    form = PipelineForm
    inlines = (StageInline,)
    list_display = ("name", "slug", "is_default", "stage_count")
    list_filter = (ArchivedFilter,)
    search_fields = ("name", "slug")
    search_help_text = "Search by name"
    prepopulated_fields = {"slug": ("name",)}
    fields = ("name", "slug", "is_default", "sorted_by_hand")
    computed_fields = ("is_default",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pipeline]:
        pipelines: QuerySet[Pipeline] = super().get_queryset(request)
        return pipelines.annotate(stage_count=Count("stages"))

    @admin.display(description="stages", ordering="stage_count")
    def stage_count(self, pipeline: Any) -> int:
        count: int = pipeline.stage_count
        return count

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if obj.is_default:
            Pipeline.objects.filter(~Q(pk=obj.pk), is_default=True).update(is_default=False)
        super().save_model(request, obj, form, change)

    def why_not_archive(self, obj: Pipeline) -> str:
        if obj.is_default:
            return "it is the default. Make another pipeline the default first."
        if Lead.objects.filter(stage__pipeline=obj, closed_at=None, archived_at=None).exists():
            return "it has open leads. Close them first."
        return ""


@admin.register(LostReason)
class LostReasonAdmin(ModelAdmin):
    """Without any, whoever loses a lead says why in words of their own. Leads keep the words that were chosen."""

    list_display = ("name", "position")
    ordering_field = "position"
    search_fields = ("name",)
    search_help_text = "Search by name"
    fields = ("name", "position")
