"""Areas of territories from and to CSV files, ten thousand lines at a time."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from import_export import resources
from import_export.fields import Field
from simple_history.utils import bulk_create_with_history

from distribution.areas import PARTS, read_area
from distribution.compiling import touch_territories
from distribution.models import Territory, TerritoryArea
from distribution.services import waking
from leadcrm.lib.text import clean, csv_safe, match_key, without_csv_guard
from pipeline.models import Account

LARGEST_NUMBER = 2_147_483_647
COLUMNS = ("territory", *PARTS)


class AreaResource(resources.ModelResource):
    """A line per area. Lines that are there already are skipped, so importing a file twice adds nothing."""

    territory = Field(attribute="territory__name", column_name="territory")
    account = Field(attribute="account__name", column_name="account")

    class Meta:
        model = TerritoryArea
        fields = COLUMNS
        export_order = COLUMNS
        import_id_fields = ()
        force_init_instance = True
        use_bulk = True
        use_transactions = True
        skip_diff = True
        batch_size = 1000

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        unknown = sorted(set(dataset.headers or ()) - set(COLUMNS))
        if unknown or "territory" not in (dataset.headers or ()):
            raise ValidationError(f"The first line must name columns out of: {', '.join(COLUMNS)}. Needed: territory.")
        self.territories = {match_key(territory.name): territory for territory in Territory.objects.all()}
        self.accounts = _accounts(dataset)
        self.known = set(TerritoryArea.objects.values_list("territory_id", *_columns()))

    def import_instance(self, instance: Any, row: dict[str, Any], **kwargs: Any) -> None:
        cells = {name: without_csv_guard(clean(str(row.get(name) or ""))) for name in COLUMNS}
        raw, errors = self._looked_up(cells)
        area, faults = read_area(raw)
        if errors | faults:
            raise ValidationError(faults | errors)
        instance.territory = self.territories[match_key(cells["territory"])]
        for name, value in area.items():
            setattr(instance, name, value)

    def _looked_up(self, cells: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
        raw: dict[str, Any] = dict(cells)
        errors = {}
        if match_key(cells["territory"]) not in self.territories:
            errors["territory"] = f"There is no territory “{cells['territory'][:100]}”. Add it first."
        if cells["account"] and not (account := self.accounts.get(match_key(cells["account"]))):
            errors["account"] = f"There is no account “{cells['account'][:100]}”."
        raw["account"] = account if cells["account"] and not errors.get("account") else None
        for name in ("employees_from", "employees_to"):
            raw[name] = int(cells[name]) if cells[name].isdecimal() and len(cells[name]) < 11 else None
            if cells[name] and (raw[name] is None or raw[name] > LARGEST_NUMBER):
                errors[name] = f"Write a whole number up to {LARGEST_NUMBER}."
        for name, column in (("industry", 100), ("postal_from", 16), ("postal_to", 16)):
            if len(cells[name]) > column:
                errors[name] = f"At most {column} characters."
        return raw, errors

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        if import_validation_errors:
            return False
        key = (instance.territory_id, *(getattr(instance, name) for name in _columns()))
        seen = key in self.known
        self.known.add(key)
        return seen

    def bulk_create(self, using_transactions: bool, dry_run: bool, raise_errors: bool, **kwargs: Any) -> None:
        """With a history row for each, as for areas that are typed in."""
        bulk_create_with_history(self.create_instances, TerritoryArea, batch_size=kwargs.get("batch_size"))
        self.create_instances.clear()

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        touch_territories()
        waking.wake_unplaced(timezone.now())

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> str:
        return csv_safe(super().export_field(field, instance, **kwargs))


def _columns() -> list[str]:
    return ["account_id" if name == "account" else name for name in PARTS]


def _accounts(dataset: Any) -> dict[str, Account]:
    """The accounts that the file names, by name or by the id they have elsewhere."""
    if "account" not in (dataset.headers or ()):
        return {}
    named = {without_csv_guard(clean(str(cell))) for cell in dataset["account"] if cell}
    found = Account.objects.filter(Q(name__in=named) | Q(external_id__in=named - {""}), archived_at=None)
    by_name = {match_key(account.name): account for account in found}
    return {match_key(account.external_id): account for account in found if account.external_id} | by_name
