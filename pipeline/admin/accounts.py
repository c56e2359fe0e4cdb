from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter

from leadcrm.lib.adminbase import AnyModelForm, ArchivableAdmin, ArchivedFilter, list_link
from leadcrm.lib.adminforms import ReadField, clean_place, country_field
from pipeline.domains import public_host
from pipeline.models import Account, Lead


class AccountForm(AnyModelForm):
    domain = ReadField(read=public_host, help_text="Company domain, such as example.com.")
    country = country_field()
    region = ReadField(read=str, help_text="A name or an ISO code, such as Bavaria or DE-BY.")

    class Meta:
        model = Account
        fields = (
            *("name", "domain", "owner", "parent", "external_id"),
            *("country", "region", "postal_code", "city", "industry", "employees", "revenue"),
        )
        help_texts = {"owner": "Gets the account's new leads where a rule says 'the account's owner'."}

    def clean(self) -> dict[str, Any]:
        clean_place(self)
        parent = self.cleaned_data.get("parent")
        if parent and self.instance.pk and parent.pk == self.instance.pk:
            self.add_error("parent", "A company cannot be its own parent.")
        return self.cleaned_data


@admin.register(Account)
class AccountAdmin(ArchivableAdmin):
    form = AccountForm
    list_display = ("name", "domain", "owner", "country", "city", "industry", "employees")
    list_select_related = ("owner",)
    list_filter = (
        ("owner", AutocompleteSelectFilter),
        ("country", FieldTextFilter),
        ("industry", FieldTextFilter),
        ArchivedFilter,
    )
    search_fields = ("name", "domain", "external_id")
    search_help_text = "Search by name, domain or external id"
    autocomplete_fields = ("owner", "parent")
    readonly_fields = ("leads", "created_at", "archived_at")
    fieldsets = (
        (None, {"fields": ("name", "domain", "owner", "parent", "external_id", "leads")}),
        ("Where it is", {"fields": (("country", "region"), ("postal_code", "city"))}),
        ("What it is", {"fields": ("industry", ("employees", "revenue"))}),
        ("History", {"fields": (("created_at", "archived_at"),)}),
    )

    @admin.display(description="leads")
    def leads(self, account: Account) -> SafeString | str:
        return list_link(Lead, "Leads of this account", account__id__exact=account.pk) if account.pk else "-"
