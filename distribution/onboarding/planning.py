"""Files in, plan out. Reads only."""

from datetime import datetime

from django.utils import timezone

from distribution.onboarding.companies import plan_accounts, plan_products
from distribution.onboarding.deals import plan_opportunities
from distribution.onboarding.existing import load_known
from distribution.onboarding.files import Files, mapping_of, tables_of
from distribution.onboarding.mapping import OnboardMapping
from distribution.onboarding.people import plan_people
from distribution.onboarding.plan import Plan
from distribution.onboarding.sheets import recognise


def build_plan(files: Files, mapping: OnboardMapping | None = None, now: datetime | None = None) -> Plan:
    """What onboarding these files would do, compared with what is there.

    Args:
        files: their contents by name.
        mapping: how to read them; None: the mapping among the files, or the defaults.

    Raises:
        MappingError: the mapping or a file as a whole cannot be used. Bad values never raise: they are in the plan.
    """
    mapping = mapping or mapping_of(files)
    sheets, told = recognise(tables_of(files), mapping)
    known = load_known(mapping.pipeline, mapping.source)
    plan = Plan(mapping, read=told)
    if "products" in sheets:
        plan_products(sheets["products"], known, plan)
    if "team" in sheets:
        plan_people(sheets["team"], known, plan)
    if "accounts" in sheets:
        plan_accounts(sheets["accounts"], known, plan)
    if "opportunities" in sheets:
        plan_opportunities(sheets["opportunities"], known, plan, now or timezone.now())
    plan.problems = [problem for sheet in sheets.values() for problem in sorted(sheet.problems, key=lambda p: p.row)]
    return plan
