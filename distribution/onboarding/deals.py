"""Plan the stages and the opportunities, closed and open."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings

from distribution.onboarding.companies import rep_names
from distribution.onboarding.existing import Known
from distribution.onboarding.plan import Plan, Step, WantedDeal, WantedStage
from distribution.onboarding.sheets import Row, Sheet
from leadcrm.lib.text import match_key, quoted
from pipeline.intake import read_fields
from pipeline.models import Account, LeadSource, Stage
from pipeline.naming import company_key

_TEXTS: Final = ("first_name", "last_name", "email", "phone")
_KIND_WORDS: Final = {
    Stage.Kind.WON: frozenset("won closedwon customer signed".split()),
    Stage.Kind.LOST: frozenset("lost closedlost dead abandoned rejected disqualified".split()),
}
_WHOLE_FILE: Final = Row(0, {})
# A date without a time is noon in UTC, which is the same day in almost every office.
_NOON: Final = time(12, tzinfo=UTC)

_Dates = tuple[datetime | None, datetime | None]


def plan_opportunities(sheet: Sheet, known: Known, plan: Plan, now: datetime) -> None:
    """Add the steps for stages and opportunities; people, products and accounts must be planned before."""
    reader = _Deals(sheet, known, plan, now)
    for row in sheet.rows:
        reader.read(row)
    reader.finish()


def stage_kind(name: str, stages: Mapping[str, str]) -> str:
    """Open, won or lost: as the mapping says, else by the words of the stage's name."""
    said = stages.get(match_key(name))
    words = set(match_key(name).split())
    return said or next((kind.value for kind, own in _KIND_WORDS.items() if words & own), Stage.Kind.OPEN.value)


class _Deals:
    def __init__(self, sheet: Sheet, known: Known, plan: Plan, now: datetime) -> None:
        self.sheet, self.known, self.plan, self.now = sheet, known, plan, now
        self.source = LeadSource(default_currency=plan.mapping.currency)
        self.reps = rep_names(known, plan)
        self.accounts = _account_names(known, plan)
        self.products = {key: skill.name for key, skill in known.products.items()}
        self.products |= {match_key(step.wanted): step.wanted for step in plan.products}
        self.stages: dict[str, WantedStage] = {}
        self.seen: dict[str, int] = {}
        self.alike: dict[str, list[Row]] = defaultdict(list)

    def read(self, row: Row) -> None:
        external_id = (row["external_id"] or _digest(row))[:200]
        self.alike[_digest(row)].append(row)
        if self.seen.setdefault(external_id, row.number) != row.number:
            wrong = f"{quoted(row['external_id'])} is on row {self.seen[external_id]} already"
            self.sheet.refuse(row, "external_id", wrong, "Give every opportunity an id of its own")
        self._note_blanks(row)
        self._check_names(row)
        stage, created, closed = self._stage(row), self._moment(row, "created"), self._moment(row, "closed")
        self._check_dates(row, stage, created, closed)
        values = self._values(row)
        if stage and self.sheet.takes(row):
            self.stages.setdefault(match_key(stage.name), stage)
            deal = self._deal(row, external_id, stage, (created, closed), values)
            self.plan.opportunities.append(self._step(row, deal))

    def finish(self) -> None:
        """Say which rows are the same apart from their ids, and plan the stages in the order open, won, lost."""
        for rows in self.alike.values():
            for row in rows[1:]:
                wrong, right = (
                    "says the same as an earlier row, apart from the id",
                    "Taken as a second deal; remove it if not",
                )
                self.sheet.note(row, "external_id", wrong, right, f"as row {rows[0].number}")
        self._note_currencies()
        order = list(Stage.Kind.values)
        for wanted in sorted(self.stages.values(), key=lambda stage: order.index(stage.kind)):
            stage = self.known.stages.get(match_key(wanted.name))
            self.plan.stages.append(Step(wanted, stage.pk if stage else None))

    def _note_currencies(self) -> None:
        """Values without a rate are kept, but rules and totals in the base currency do not see them."""
        used = {step.wanted.currency for step in self.plan.opportunities if step.wanted.value is not None}
        for currency in sorted(used - {"", settings.BASE_CURRENCY} - self.known.rates):
            right = f"Add one under Exchange rates first, else the values count nothing in {settings.BASE_CURRENCY}"
            self.sheet.note(_WHOLE_FILE, "value", f"there is no exchange rate for {currency}", right)

    def _check_names(self, row: Row) -> None:
        """Every name of somebody or something that the row gives must be one that is known."""
        checks = (
            ("owner", "a rep", match_key(row["owner"]), self.reps),
            ("product", "a product", match_key(row["product"]), self.products),
            ("account", "an account", company_key(row["account"]), self.accounts),
        )
        # Without any product or account the file's own names are all there is.
        for field, thing, key, names in checks:
            if row[field] and names and key not in names:
                self.sheet.unknown(row, field, row[field], thing, names.values())

    def _deal(
        self, row: Row, external_id: str, stage: WantedStage, dates: _Dates, values: dict[str, Any]
    ) -> WantedDeal:
        created, closed = dates
        is_open = stage.kind == Stage.Kind.OPEN
        return WantedDeal(
            external_id=external_id,
            stage=stage.name,
            owner=self.reps.get(match_key(row["owner"]), ""),
            account=self.accounts.get(company_key(row["account"]), row["account"]) if row["account"] else "",
            created=created or closed,
            closed=None if is_open else closed,
            value=values.get("value"),
            currency=values.get("currency", ""),
            texts={
                **{name: values[name] for name in _TEXTS if name in values},
                "product": self.products.get(match_key(row["product"]), row["product"]),
                "lost_reason": row["lost_reason"][:200] if stage.kind == Stage.Kind.LOST else "",
            },
        )

    def _stage(self, row: Row) -> WantedStage | None:
        name = row["stage"][:60]
        if not name:
            self.sheet.refuse(row, "stage", "is empty", "Give the stage of the opportunity")
            return None
        known = self.known.stages.get(match_key(name))
        kind = known.kind if known else stage_kind(name, self.plan.mapping.stages)
        return self.stages.get(match_key(name)) or WantedStage(known.name if known else name, kind)

    def _moment(self, row: Row, field: str) -> datetime | None:
        text = row[field]
        moment = read_moment(text, self.plan.mapping.date_format) if text else None
        if text and moment is None:
            expected = self.plan.mapping.date_format or "2026-01-31"
            right = f"Write it as {expected}, or say how it is written under [opportunities], as date_format"
            self.sheet.refuse(row, field, f"{quoted(text)} is not a date", right)
        return moment

    def _check_dates(
        self, row: Row, stage: WantedStage | None, created: datetime | None, closed: datetime | None
    ) -> None:
        """What cannot be about each date, once it can be read. An open deal may say when it should close."""
        tomorrow = self.now + timedelta(days=1)
        if created and created > tomorrow:
            self.sheet.refuse(row, "created", f"{quoted(row['created'])} is in the future", "Correct the date")
            created = None
        if stage is None or stage.kind == Stage.Kind.OPEN:
            return
        if not row["closed"]:
            self.sheet.refuse(row, "closed", "is empty", f"Give the day on which it was {stage.kind}")
        elif closed and closed > tomorrow:
            wrong = f"{quoted(row['closed'])} is in the future"
            self.sheet.refuse(row, "closed", wrong, "Correct the date or the stage")
        elif created and closed and closed < created:
            wrong = f"{quoted(row['closed'])} is before {quoted(row['created'])}"
            self.sheet.refuse(row, "closed", wrong, "Correct one of the two dates")

    def _values(self, row: Row) -> dict[str, Any]:
        sent = {name: row[name] for name in (*_TEXTS, "value", "currency") if row[name]}
        values, errors = read_fields(sent, self.source)
        for error in errors:
            self.sheet.note(row, error.field, error.detail, "Left empty")
        return values

    def _note_blanks(self, row: Row) -> None:
        if not row["account"] and "account" in self.sheet.columns:
            self.sheet.note(row, "account", "is empty", "Fill it in, or leave it: the lead has no account then")
        if not row["owner"]:
            self.sheet.note(row, "owner", "is empty", "Fill it in, or leave it: an open lead is routed then")

    def _step(self, row: Row, deal: WantedDeal) -> Step[WantedDeal]:
        """What is here already is worked here: it is left alone, and a difference is told."""
        there = self.known.leads.get(deal.external_id)
        if there is None:
            return Step(deal)
        if match_key(there.stage) != match_key(deal.stage):
            wrong = f"{quoted(deal.stage)} here, {quoted(there.stage)} in LeadCRM"
            self.sheet.note(row, "stage", wrong, "Left as it is. Move the lead on its board if the file is right")
        return Step(deal, there.id)


def read_moment(text: str, date_format: str = "") -> datetime | None:
    """A date or moment in the given form (as ``strptime`` has it; empty: ISO 8601); None when it is none."""
    try:
        moment = datetime.strptime(text, date_format) if date_format else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError:
        return None
    if moment.year < 1970:
        return None
    if moment.time() == time() and moment.tzinfo is None:
        return datetime.combine(moment.date(), _NOON)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _digest(row: Row) -> str:
    """The same for rows that say the same, apart from their id."""
    said = {name: value for name, value in row.values.items() if name != "external_id"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def _account_names(known: Known, plan: Plan) -> dict[str, str]:
    accounts: dict[str, Account] = known.accounts_by_name
    there = {key: account.name for key, account in accounts.items()}
    return there | {company_key(step.wanted.name): step.wanted.name for step in plan.accounts}
