"""Plan the products and accounts."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from distribution.onboarding.existing import Known
from distribution.onboarding.plan import Plan, Step, WantedAccount
from distribution.onboarding.sheets import Row, Sheet
from leadcrm.lib.money import parse_money
from leadcrm.lib.text import Unreadable, match_key, quoted
from pipeline.domains import company_domain
from pipeline.intake import read_fields
from pipeline.models import Account, LeadSource
from pipeline.naming import company_key

_PLAIN: Final[tuple[str, ...]] = ("country", "region", "postal_code", "city", "industry", "employees")
_LARGEST_REVENUE: Final = Decimal(10**14)
_LONGEST: Final = {"product": 100, "account": 200}


def plan_products(sheet: Sheet, known: Known, plan: Plan) -> None:
    """One skill per product, so that rules can ask for who sells it."""
    seen: dict[str, int] = {}
    for row in sheet.rows:
        _check_name(sheet, row, "product", match_key(row["name"]), seen)
        if sheet.takes(row):
            skill = known.products.get(match_key(row["name"]))
            plan.products.append(Step(row["name"], skill.pk if skill else None))


def plan_accounts(sheet: Sheet, known: Known, plan: Plan) -> None:
    """Add the steps for accounts; reps must be planned before, since accounts name their owners."""
    reader = _Accounts(sheet, known, plan)
    seen: dict[str, int] = {}
    for row in sheet.rows:
        _check_name(sheet, row, "account", row["external_id"] or company_key(row["name"]), seen)
    reader.plan_all()


def _check_name(sheet: Sheet, row: Row, thing: str, key: str, seen: dict[str, int]) -> None:
    """Refuses rows without a name, with one that is too long, and those that repeat another one."""
    name = row["name"]
    if not name:
        sheet.refuse(row, "name", "is empty", f"Give the {thing}'s name")
    elif len(name) > _LONGEST[thing]:
        sheet.refuse(row, "name", f"{quoted(name)} is too long", f"Use at most {_LONGEST[thing]} characters")
    elif seen.setdefault(key, row.number) != row.number:
        sheet.refuse(row, "name", f"{quoted(name)} is on row {seen[key]} already", "Remove one of the two")


class _Accounts:
    def __init__(self, sheet: Sheet, known: Known, plan: Plan) -> None:
        self.sheet, self.known, self.plan = sheet, known, plan
        self.reps = rep_names(known, plan)

    def plan_all(self) -> None:
        parents = {company_key(row["name"]): row["name"] for row in self.sheet.rows if self.sheet.takes(row)}
        parents |= {key: account.name for key, account in self.known.accounts_by_name.items()}
        for row in self.sheet.rows:
            wanted = WantedAccount(
                name=row["name"],
                external_id=row["external_id"][:200],
                fields=self._fields(row),
                owner=self._named(row, "owner", "a rep", match_key(row["owner"]), self.reps),
                parent=self._named(row, "parent", "an account", company_key(row["parent"]), parents),
            )
            if self.sheet.takes(row):
                self.plan.accounts.append(self._step(wanted))

    def _named(self, row: Row, field: str, thing: str, key: str, known: dict[str, str]) -> str:
        """The name as it is known; an unknown one is left out, because the account itself is good."""
        if row[field] and key not in known:
            self.sheet.unknown(row, field, row[field], thing, known.values(), refused=False)
        return known.get(key, "") if row[field] else ""

    def _fields(self, row: Row) -> dict[str, Any]:
        """The plain columns the file gives, normalised as those of leads are."""
        sent = {name: row[name] for name in _PLAIN if row[name]}
        values, errors = read_fields(sent, LeadSource())
        for error in errors:
            self.sheet.note(row, error.field, error.detail, "Left empty")
        fields = {name: values[name] for name in _PLAIN if name in values}
        for name, read in (("domain", self._domain), ("revenue", self._revenue)):
            if row[name] and (value := read(row)):
                fields[name] = value
        return fields

    def _domain(self, row: Row) -> str:
        domain = company_domain(row["domain"]) or ""
        if not domain:
            self.sheet.note(row, "domain", f"{quoted(row['domain'])} is not a company's domain", "Left empty")
        return domain

    def _revenue(self, row: Row) -> Decimal | None:
        try:
            revenue = parse_money(row["revenue"], ".").amount * self.plan.mapping.revenue_unit
        except Unreadable as error:
            self.sheet.note(row, "revenue", str(error), "Left empty")
            return None
        if not 0 <= revenue < _LARGEST_REVENUE:
            self.sheet.note(row, "revenue", f"{quoted(row['revenue'])} is out of range", "Left empty")
            return None
        return revenue.quantize(Decimal("0.01"))

    def _step(self, wanted: WantedAccount) -> Step[WantedAccount]:
        account = self.known.accounts_by_id.get(wanted.external_id) or self._namesake(wanted)
        if account is None:
            return Step(wanted)
        return Step(wanted, account.pk, tuple(self._changes(wanted, account)))

    def _namesake(self, wanted: WantedAccount) -> Account | None:
        """The account of this name, unless both have ids, which then differ: two companies of one name."""
        account = self.known.accounts_by_name.get(company_key(wanted.name))
        return None if account is not None and wanted.external_id and account.external_id else account

    def _changes(self, wanted: WantedAccount, account: Account) -> Iterable[str]:
        """What the file says differently; what it does not say is left as it is."""
        then = {**wanted.fields, "external_id": wanted.external_id}
        for name, value in then.items():
            if value and getattr(account, name) != value:
                yield f"{name.replace('_', ' ')}: {getattr(account, name) or 'none'} → {value}"
        owner = getattr(account.owner, "rep", None)
        if wanted.owner and match_key(str(owner or "")) != match_key(wanted.owner):
            yield f"owner: {owner or 'none'} → {wanted.owner}"
        if wanted.parent and company_key(str(account.parent or "")) != company_key(wanted.parent):
            yield f"parent: {account.parent or 'none'} → {wanted.parent}"


def rep_names(known: Known, plan: Plan) -> dict[str, str]:
    """Everyone who is or will be a rep, by match key."""
    return {match_key(rep.name): rep.name for rep in known.reps.values()} | {
        match_key(step.wanted.name): step.wanted.name for step in plan.reps
    }
