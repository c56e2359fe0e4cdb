"""What is there already, read in a constant number of queries."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model

from distribution.models import Rep, Skill
from leadcrm.lib.text import match_key
from pipeline.models import Account, ExchangeRate, Lead, LeadSource, Pipeline, Stage, Team
from pipeline.naming import company_key


@dataclass(frozen=True, slots=True)
class KnownUser:
    id: int
    username: str
    email: str
    name: str
    rep_id: int | None


@dataclass(frozen=True, slots=True)
class KnownLead:
    id: int
    stage: str


@dataclass(slots=True)
class Known:
    """The installation before the import. Names are keyed by their match key, accounts by their company key."""

    users: list[KnownUser] = field(default_factory=list)
    reps: dict[int, Rep] = field(default_factory=dict)
    rep_skills: dict[int, set[str]] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    user_teams: dict[int, set[str]] = field(default_factory=dict)
    products: dict[str, Skill] = field(default_factory=dict)
    accounts_by_name: dict[str, Account] = field(default_factory=dict)
    accounts_by_id: dict[str, Account] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    rates: set[str] = field(default_factory=set)
    leads: dict[str, KnownLead] = field(default_factory=dict)


def load_known(pipeline_name: str, source_name: str) -> Known:
    """Everything that a plan compares its files with."""
    known = Known()
    _load_people(known)
    _load_companies(known)
    _load_leads(known, pipeline_name, source_name)
    return known


def _load_people(known: Known) -> None:
    users = get_user_model().objects.order_by("id").select_related("rep")
    for user in users:
        rep = getattr(user, "rep", None)
        if rep is not None:
            known.reps[rep.id] = rep
        name = rep.name if rep is not None else user.get_full_name()
        known.users.append(KnownUser(user.pk, user.username, user.email.lower(), name, rep and rep.id))
    known.teams = {match_key(team.name): team for team in Team.objects.select_related("manager")}
    known.user_teams = _grouped(Team.members.through.objects.values_list("user_id", "team__name"))
    known.rep_skills = _grouped(Rep.skills.through.objects.values_list("rep_id", "skill__name"))


def _grouped(pairs: Any) -> dict[int, set[str]]:
    groups: dict[int, set[str]] = defaultdict(set)
    for id, name in pairs:
        groups[id].add(match_key(name))
    return groups


def _load_companies(known: Known) -> None:
    known.products = {match_key(skill.name): skill for skill in Skill.objects.all()}
    for account in Account.objects.filter(archived_at=None).select_related("owner__rep", "parent").order_by("-id"):
        known.accounts_by_name[company_key(account.name)] = account
        if account.external_id:
            known.accounts_by_id[account.external_id] = account


def _load_leads(known: Known, pipeline_name: str, source_name: str) -> None:
    known.rates = set(ExchangeRate.objects.values_list("currency", flat=True))
    pipeline = Pipeline.objects.filter(name__iexact=pipeline_name).first()
    if pipeline is not None:
        known.stages = {match_key(stage.name): stage for stage in Stage.objects.filter(pipeline=pipeline)}
    source = LeadSource.objects.filter(name__iexact=source_name).first()
    if source is not None:
        leads = Lead.objects.filter(source=source).exclude(external_id="")
        rows = leads.values_list("external_id", "id", "stage__name")
        known.leads = {external_id: KnownLead(id, stage) for external_id, id, stage in rows}
