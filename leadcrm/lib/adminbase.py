"""What every admin page of ours has in common: looks, safe saving, labels for screen readers, read-only history."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import unfold.admin
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, QuerySet
from django.forms import BaseModelFormSet, Form, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import DropdownFilter
from unfold.forms import PaginationInlineFormSet

from leadcrm.lib.adminwidgets import ForgivingWidgets

# Generic for the type checker only.
if TYPE_CHECKING:
    AnyModelForm = ModelForm[Any]
    AnyFormSet = BaseModelFormSet[Any, Any]
else:
    AnyModelForm = ModelForm
    AnyFormSet = BaseModelFormSet

NUL = "\0"


class ModelAdmin(ForgivingWidgets, unfold.admin.ModelAdmin):
    """The base of every admin page.

    A change writes only the columns that were edited, so that a form that stood open for an hour does not put back
    what the system, or a colleague, has written meanwhile. Columns that a form computes beside its fields are named in
    ``computed_fields``.
    """

    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True
    list_filter_submit = True
    warn_unsaved_form = True
    computed_fields: tuple[str, ...] = ()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # No database takes NUL, so a filter with one is no filter of ours: Django's own answer to a bad filter.
        if any(NUL in value for values in request.GET.lists() for value in (values[0], *values[1])):
            return HttpResponseRedirect(f"{request.path}?e=1")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> type[AnyFormSet]:
        formset: type[AnyFormSet] = super().get_changelist_formset(request, **{"formset": LabelledList, **kwargs})
        return formset

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if NUL in object_id else super().get_object(request, object_id, from_field)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term.replace(NUL, ""))
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            save_edited(obj, form, also=self.computed_fields)
        else:
            super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: AnyFormSet, change: bool) -> None:
        """As Django does it, but with ``save_edited`` for the rows that exist."""
        forms_by_instance = {id(row.instance): row for row in formset.forms}
        formset.save(commit=False)
        for obj in formset.deleted_objects:
            self.remove_row(obj)
        for obj, _fields in formset.changed_objects:
            save_edited(obj, forms_by_instance[id(obj)])
        for obj in formset.new_objects:
            self.add_row(obj)
        formset.save_m2m()

    def add_row(self, obj: Any) -> None:
        obj.save()

    def remove_row(self, obj: Any) -> None:
        obj.delete()

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        if not all(map(self._is_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            self.message_user(request, "The selection could not be read. Nothing was changed.", messages.ERROR)
            return None
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    def _is_key(self, text: str) -> bool:
        try:
            self.opts.pk.to_python(text)
        except ValidationError:
            return False
        return NUL not in text


class ReadOnlyAdmin(ModelAdmin):
    """Records of what happened: to read, never to add, change or delete."""

    actions: Sequence[str] | None = None
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryAdmin(SimpleHistoryAdmin, ModelAdmin):
    """For what keeps a row per change. History is to read: putting back one row would not put back what hangs on it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True


class ArchivedFilter(DropdownFilter):
    """Hides what is archived, until it is asked for."""

    title = "archived"
    parameter_name = "archived"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "In use"), ("yes", "Archived"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class ArchivableAdmin(ModelAdmin):
    """For what past records name, and what is therefore archived instead of deleted (``archived_at``)."""

    actions = ("archive", "restore")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.action(description="Archive", permissions=("change",))
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One by one, so that history rows and signals follow as for any other change."""
        done = 0
        for obj in queryset.filter(archived_at=None):
            problem = self.why_not_archive(obj)
            if problem:
                self.message_user(request, f"{obj} was not archived: {problem}", messages.ERROR)
            else:
                self._set_archived(obj, timezone.now())
                done += 1
        self.message_user(request, counted(done, self.model, "archived"))

    @admin.action(description="Bring back from the archive", permissions=("change",))
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        archived = list(queryset.exclude(archived_at=None))
        for obj in archived:
            self._set_archived(obj, None)
        self.message_user(request, counted(len(archived), self.model, "brought back"))

    def why_not_archive(self, obj: Any) -> str:
        """A sentence when ``obj`` is still needed, else ""."""
        return ""

    def _set_archived(self, obj: Any, at: Any) -> None:
        obj.archived_at = at
        obj.save(update_fields=["archived_at"])


class LabelledFormSet(PaginationInlineFormSet):
    """Rows whose inputs are named for screen readers: the column head above a cell is not tied to its input."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        """With the parent at hand, so that a column which asks for it does not read it once per row."""
        form = super()._construct_form(i, **kwargs)
        if self.instance.pk:
            setattr(form.instance, self.fk.name, self.instance)
        return form

    def add_fields(self, form: Form, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form, "new row" if index is None else f"row {index + 1}")


class LabelledList(AnyFormSet):
    """The same for the inputs of a list, which are named after what stands in their row."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_inputs(form, str(form.instance))


def name_inputs(form: Form, row: str) -> None:
    for name, field in form.fields.items():
        # What adds "+" and pencil to a select wraps the widget that is the input.
        inner: Any = getattr(field.widget, "widget", field.widget)
        inner.attrs = {**inner.attrs, "aria-label": f"{field.label or name}, {row}"}


class TabularInline(ForgivingWidgets, unfold.admin.TabularInline):
    formset = LabelledFormSet
    extra = 0
    hide_title = True


class StackedInline(ForgivingWidgets, unfold.admin.StackedInline):
    formset = LabelledFormSet
    extra = 0


class ReadOnlyInline(TabularInline):
    """Rows to read, a page at a time where there may be many (``per_page``)."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def save_edited(obj: Model, form: AnyModelForm, also: Iterable[str] = ()) -> None:
    """Write the columns of ``obj`` that were edited in ``form``, those in ``also``, and those the model sets itself."""
    edited = {*form.changed_data}
    fields = [field for field in obj._meta.concrete_fields if not field.primary_key]
    if edited:
        obj.save(update_fields=[f.name for f in fields if f.name in {*edited, *also} or _sets_itself(f)])


def _sets_itself(field: "Field[Any, Any]") -> bool:
    return bool(getattr(field, "auto_now", False))


def counted(count: int, model: type[Model], done: str) -> str:
    """``1 pool archived.``, ``3 pools archived.``"""
    meta = model._meta
    return f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural} {done}."


def admin_link(obj: Model | None, text: str = "") -> SafeString | str:
    """A link to the admin page of ``obj``, with its name unless ``text`` is given; "-" for None."""
    if obj is None:
        return "-"
    meta = obj._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(str(obj.pk))])
    return format_html('<a href="{}" class="text-link">{}</a>', url, text or str(obj))


def list_link(model: type[Model], text: str, **filters: Any) -> SafeString:
    """A link to the admin list of ``model``, filtered."""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist", query=filters)
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)
