from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db.models import DecimalField
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from leadcrm.lib.adminbase import AnyModelForm, ModelAdmin
from leadcrm.lib.adminforms import currency_field
from pipeline.models import ExchangeRate


class ExchangeRateForm(AnyModelForm):
    currency = currency_field(required=True)

    class Meta:
        model = ExchangeRate
        fields = ("currency", "rate")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rate"].help_text = f"How many {settings.BASE_CURRENCY} one unit of this currency is worth."
        self.fields["rate"].validators.append(MinValueValidator(0.00000001, "Write a rate above 0, such as 0.92."))

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        if currency == settings.BASE_CURRENCY:
            raise ValidationError(f"{currency} is the base currency: it needs no rate.")
        return currency


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    form = ExchangeRateForm
    list_display = ("currency", "rate", "updated_at")
    readonly_fields = ("updated_at",)
    search_fields = ("currency",)
    search_help_text = "Search by currency"
    fields = ("currency", "rate", "updated_at")
    formfield_overrides = {DecimalField: {"widget": UnfoldAdminDecimalFieldWidget}}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("currency", *self.readonly_fields) if obj else self.readonly_fields
