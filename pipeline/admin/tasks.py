"""What people are to do for leads: to read. They are written on the page of the lead."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter

from leadcrm.lib.adminbase import ReadOnlyAdmin, ReadOnlyInline, admin_link
from pipeline.display import person
from pipeline.models import Task


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("due_at", "text", "of_lead", "who", "state")
    list_select_related = ("lead", "assignee")
    list_filter = (
        ("end", ChoicesDropdownFilter),
        ("assignee", AutocompleteSelectFilter),
        ("due_at", RangeDateTimeFilter),
    )
    search_fields = ("text", "lead__email", "lead__company", "lead__last_name")
    search_help_text = "Search by what is to be done, or by the lead's e-mail, company or last name"
    ordering = ("-due_at", "-id")
    fields = (
        "of_lead",
        "text",
        "due_at",
        "remind_at",
        "who",
        "created_by",
        "created_at",
        "state",
        "ended_at",
        "ended_by",
    )

    @admin.display(description="lead")
    def of_lead(self, task: Task) -> SafeString | str:
        return admin_link(task.lead)

    @admin.display(description="who")
    def who(self, task: Task) -> str:
        return person(task.assignee) if task.assignee else "whoever has the lead"

    @admin.display(description="state")
    def state(self, task: Task) -> str:
        return str(task.get_end_display() or "open")


class TaskInline(ReadOnlyInline):
    model = Task
    per_page = 20
    ordering = ("-due_at", "-id")
    list_select_related = ("assignee", "ended_by")
    fields = ("due_at", "text", "assignee", "end", "ended_at", "ended_by")
    readonly_fields = fields
    tab = True
