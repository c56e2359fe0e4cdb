"""Admin pages of what is not ours: people who sign in, groups, and what runs by itself."""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as StockGroupAdmin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from leadcrm.adminbeat import CrontabAdmin, IntervalAdmin, PeriodicTaskAdmin
from leadcrm.lib.adminbase import ModelAdmin, ReadOnlyAdmin, counted

# Some come back below in our looks; what nobody here needs stays out of the way.
for model in (User, Group, AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)
for schedule in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(schedule)

admin.site.register(PeriodicTask, PeriodicTaskAdmin)
admin.site.register(IntervalSchedule, IntervalAdmin)
admin.site.register(CrontabSchedule, CrontabAdmin)


@admin.register(User)
class UserAdmin(StockUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_help_text = "Search by user name, name or e-mail"
    autocomplete_fields = ("groups",)
    filter_horizontal = ()
    # Rights are given to groups, so that what a person may do is read in one place.
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who it is", {"fields": (("first_name", "last_name"), "email")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Until now", {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", ("first_name", "last_name"), "email")}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
    )

    @admin.display(description="name", ordering="first_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only a superuser hands out rights; others would give them to themselves."""
        fixed = ("last_login", "date_joined")
        return fixed if request.user.is_superuser else (*fixed, "is_superuser", "groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's page, with its password, is for superusers only."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (request.user.is_superuser or not getattr(obj, "is_superuser", False))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are switched off, not deleted: leads, decisions and events name them."""
        return False


@admin.register(Group)
class GroupAdmin(StockGroupAdmin, ModelAdmin):
    list_display = ("name", "people")
    search_help_text = "Search by name"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(people=Count("user"))

    @admin.display(description="people", ordering="people")
    def people(self, group: Any) -> int:
        count: int = group.people
        return count


@admin.register(AccessAttempt)
class FailedSignInAdmin(ReadOnlyAdmin):
    """Who mistyped a password, and who is locked out; forgetting a row lets that person try again at once."""

    actions = ("forget",)
    list_display = ("username", "ip_address", "attempt_time", "failures_since_start", "locked_out")
    fields = ("username", "ip_address", "user_agent", "path_info", "attempt_time", "failures_since_start")
    search_fields = ("username", "ip_address")
    search_help_text = "Search by user name or address"

    @admin.display(boolean=True, description="locked out")
    def locked_out(self, attempt: Any) -> bool:
        return bool(attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT)

    @admin.action(description="Forget, so that they can sign in again", permissions=("forget",))
    def forget(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count, _models = queryset.delete()
        self.message_user(request, counted(count, self.model, "forgotten"))

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")
