"""Write the people, products, accounts and stages of a plan: a few statements, however many rows."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.text import slugify
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from distribution.models import Rep, Skill
from distribution.onboarding.plan import Action, Plan, Step, WantedAccount, WantedRep, WantedTeam
from leadcrm.lib.text import match_key
from pipeline.models import Account, LeadSource, Pipeline, Stage, Team
from pipeline.naming import company_key, split_name


def write_managers(steps: Sequence[Step[str]]) -> None:
    _write_users([(step.wanted, "") for step in steps if step.id is None])


def write_products(steps: Sequence[Step[str]]) -> None:
    Skill.objects.bulk_create(Skill(name=step.wanted, kind=Skill.Kind.PRODUCT) for step in steps if step.id is None)


def write_reps(steps: Sequence[Step[WantedRep]]) -> None:
    """Create users without a usable password, and rep profiles; change those that differ; add skills."""
    new_users = _write_users([(step.wanted.name, step.wanted.email) for step in steps if step.id is None])
    user_ids = [step.id or new_users[step.wanted.name, step.wanted.email] for step in steps]
    there = {rep.user_id: rep for rep in Rep.objects.filter(user__in=user_ids)}
    new, changed = [], []
    for step, user_id in zip(steps, user_ids, strict=True):
        rep = there.get(user_id) or Rep(user_id=user_id, name=step.wanted.name[:150])
        _fill_rep(rep, step.wanted)
        if user_id not in there:
            new.append(rep)
        elif step.changes:
            changed.append(rep)
        there[user_id] = rep
    bulk_create_with_history(new, Rep)
    bulk_update_with_history(changed, Rep, ["time_zone", "languages", "capacity"])
    _add_skills([(there[user_id], step.wanted) for step, user_id in zip(steps, user_ids, strict=True)])


def _fill_rep(rep: Rep, wanted: WantedRep) -> None:
    rep.time_zone = wanted.time_zone or rep.time_zone
    rep.languages = list(wanted.languages) or rep.languages
    rep.capacity = rep.capacity if wanted.capacity is None else wanted.capacity


def _add_skills(pairs: Sequence[tuple[Rep, WantedRep]]) -> None:
    if not any(wanted.skills for _, wanted in pairs):
        return
    skills = {match_key(skill.name): skill.pk for skill in Skill.objects.all()}
    rows = (Rep.skills.through(rep=rep, skill_id=skills[match_key(name)]) for rep, w in pairs for name in w.skills)
    Rep.skills.through.objects.bulk_create(rows, ignore_conflicts=True)


def write_teams(steps: Sequence[Step[WantedTeam]], reps: Sequence[Step[WantedRep]]) -> None:
    """Create or change teams, and put everyone into the team that the file names, out of the file's other teams."""
    users = user_ids_by_name()
    teams = {match_key(team.name): team for team in Team.objects.all()}
    for step in steps:
        if step.id is None:
            teams[match_key(step.wanted.name)] = Team(name=step.wanted.name)
    mine = [teams[match_key(step.wanted.name)] for step in steps]
    for step, team in zip(steps, mine, strict=True):
        team.manager_id = users.get(match_key(step.wanted.manager), team.manager_id)
    Team.objects.bulk_create(team for step, team in zip(steps, mine, strict=True) if step.id is None)
    Team.objects.bulk_update((t for s, t in zip(steps, mine, strict=True) if s.action is Action.CHANGE), ["manager"])
    _move_members(mine, {users[match_key(step.wanted.name)]: teams.get(match_key(step.wanted.team)) for step in reps})


def _move_members(mine: Sequence[Team], wanted: dict[int, Team | None]) -> None:
    through = Team.members.through
    now = set(through.objects.filter(team__in=mine, user__in=wanted).values_list("user_id", "team_id"))
    then = {(user_id, team.pk) for user_id, team in wanted.items() if team is not None}
    movers = {user_id for user_id, _ in then}
    for user_id, team_id in now - then:
        if user_id in movers:
            through.objects.filter(user_id=user_id, team_id=team_id).delete()
    through.objects.bulk_create(
        (through(user_id=user, team_id=team) for user, team in then - now), ignore_conflicts=True
    )


def accounts_appeared(steps: Sequence[Step[WantedAccount]]) -> bool:
    """Whether an account that is to be made is there by now."""
    new = [step.wanted for step in steps if step.id is None]
    alike = Q(name_key__in=[company_key(wanted.name) for wanted in new], external_id="")
    known = Q(external_id__in=[wanted.external_id for wanted in new if wanted.external_id])
    return Account.objects.filter(alike | known, archived_at=None).exists()


def write_accounts(steps: Sequence[Step[WantedAccount]]) -> None:
    """Create or change accounts, then link each to its parent."""
    there = Account.objects.in_bulk([step.id for step in steps if step.id is not None])
    users = user_ids_by_name()
    accounts = [there[step.id] if step.id else Account(name=step.wanted.name) for step in steps]
    for account, step in zip(accounts, steps, strict=True):
        _fill_account(account, step.wanted, users)
    Account.objects.bulk_create(account for account in accounts if account.pk is None)
    by_name = {company_key(a.name): a.pk for a in Account.objects.filter(archived_at=None).only("pk", "name")}
    for account, step in zip(accounts, steps, strict=True):
        account.parent_id = by_name.get(company_key(step.wanted.parent), account.parent_id)
    touched = [
        a for a, step in zip(accounts, steps, strict=True) if step.changes or (step.wanted.parent and not step.id)
    ]
    Account.objects.bulk_update(touched, _ACCOUNT_FIELDS, batch_size=200)


_ACCOUNT_FIELDS = (
    "external_id", "domain", "owner", "parent", "country", "region", "postal_code", "city", "industry", "employees",
    "revenue",
)  # fmt: skip


def _fill_account(account: Account, wanted: WantedAccount, users: dict[str, int]) -> None:
    account.name_key = company_key(account.name)
    account.external_id = wanted.external_id or account.external_id
    account.owner_id = users.get(match_key(wanted.owner), account.owner_id) if wanted.owner else account.owner_id
    for name, value in wanted.fields.items():
        setattr(account, name, value)


def write_pipeline(plan: Plan) -> LeadSource:
    """The pipeline with its stages, and the source of the history, each made when missing."""
    name = plan.mapping.pipeline
    pipeline = Pipeline.objects.filter(name__iexact=name).first() or Pipeline.objects.create(
        name=name, slug=_free_slug(Pipeline, name), is_default=not Pipeline.objects.filter(is_default=True).exists()
    )
    _write_stages(plan, pipeline)
    name = plan.mapping.source
    return LeadSource.objects.filter(name__iexact=name).first() or LeadSource.objects.create(
        name=name,
        slug=_free_slug(LeadSource, name),
        kind=LeadSource.Kind.FILE,
        pipeline=pipeline,
        default_currency=plan.mapping.currency,
    )


def _write_stages(plan: Plan, pipeline: Pipeline) -> None:
    taken = set(pipeline.stages.values_list("slug", flat=True))
    new = [step.wanted for step in plan.stages if step.id is None]
    for position, wanted in enumerate(new, start=len(taken)):
        slug = _free(slugify(wanted.name) or "stage", taken)
        Stage.objects.create(pipeline=pipeline, name=wanted.name, slug=slug, kind=wanted.kind, position=position)


def user_ids_by_name() -> dict[str, int]:
    """Users by the match key of their name: as a rep if they are one, else their full name."""
    users = User.objects.order_by("-id").values_list("id", "first_name", "last_name", "rep__name")
    return {match_key(rep or f"{first} {last}"): id for id, first, last, rep in users}


def _write_users(people: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Users for (name, e-mail) pairs: they cannot sign in until somebody gives them a password."""
    taken = set(User.objects.values_list("username", flat=True))
    users = [_user(name, email, taken) for name, email in people]
    User.objects.bulk_create(users)
    return {person: user.pk for person, user in zip(people, users, strict=True)}


def _user(name: str, email: str, taken: set[str]) -> User:
    first, last = split_name(name)
    username = _free((email or match_key(name).replace(" ", "."))[:140] or "user", taken)
    return User(
        username=username, email=email, first_name=first[:150], last_name=last[:150], password=make_password(None)
    )


def _free_slug(model: Any, name: str) -> str:
    return _free(slugify(name)[:40] or "import", set(model.objects.values_list("slug", flat=True)))


def _free(wanted: str, taken: set[str]) -> str:
    """The wanted word, or the first of word-2, word-3 ... that is not taken; takes it."""
    candidates: Iterable[str] = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    chosen = next(word for word in candidates if word not in taken)
    taken.add(chosen)
    return chosen
