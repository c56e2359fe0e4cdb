"""Facts of a lead, and decisions over a snapshot that is filled in as the decision asks. Reads only."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from distribution.compiling import World, live_world, world_of
from distribution.engine.decision import Decision
from distribution.engine.facts import ATTRIBUTE_PREFIX, Field, LeadFacts, Value
from distribution.engine.people import Pool, Rep
from distribution.engine.routing import route
from distribution.engine.rules import Look
from distribution.engine.snapshot import Missing, Snapshot
from distribution.hours import Timetable
from distribution.models import Assignment, Hold, RuleSet
from distribution.people import SEPARATOR, joined, load_pool, load_rep
from leadcrm.lib.prepared import Each, Param, Prepared
from pipeline.matching import Matches, match_account, match_accounts, match_people, match_person
from pipeline.models import Account, Lead, LeadSource, Stage


@dataclass(frozen=True, slots=True)
class Wait:
    """The pool that a lead waits for, None for a single rep, and since when."""

    pool_id: int | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A lead with what routing must know about it beside its own columns. ``had``: reps who gave it up or lost it."""

    lead: Lead
    matches: Matches
    account: Account | None
    had: frozenset[int] = frozenset()
    wait: Wait | None = None


# Rows that leads point to, by the name of the field and by key.
Known = dict[str, dict[int, Any]]


def leads_to_route() -> QuerySet[Lead]:
    """Leads with everything that their facts are made of, in one query."""
    lost = (Assignment.End.REASSIGNED, Assignment.End.RETURNED, Assignment.End.RELEASED)
    held_before = Assignment.objects.filter(lead=OuterRef("pk"), end__in=lost)
    leads = Lead.objects.annotate(had_by=joined(held_before, "lead", "rep_id"))
    return leads.select_related("source", "stage__pipeline", "account")


def read_lead(pk: int) -> Lead | None:
    """One of :func:`leads_to_route`; None when it is gone."""
    return _LEAD.first(lead=pk)


_LEAD: Final = Prepared(lambda: leads_to_route().filter(pk=Param("lead")).order_by())


def read_leads(ids: Collection[int], known: Known | None = None) -> list[Lead]:
    """Those of :func:`leads_to_route` that there are, in no order. ``known``: sources and stages read before, to be
    read no more."""
    if len(ids) == 1:
        return _LEAD.rows(lead=next(iter(ids)))
    leads = _LEADS.rows(ids=ids)
    _share(leads, "account", {})
    for name in ("source", "stage"):
        _share(leads, name, known.setdefault(name, {}) if known is not None else {})
    return leads


_LEADS: Final = Prepared(lambda: leads_to_route().select_related(None).filter(pk__in=Each("ids", int)).order_by())
# Many leads have the same source and stage; to make them anew for each lead takes longer than all else about reading.
_RELATED: Final[Mapping[str, Prepared[Any]]] = {
    "source": Prepared(lambda: LeadSource.objects.filter(pk__in=Each("ids", int)).order_by()),
    "stage": Prepared(lambda: Stage.objects.select_related("pipeline").filter(pk__in=Each("ids", int)).order_by()),
    "account": Prepared(lambda: Account.objects.filter(pk__in=Each("ids", int)).order_by()),
}


def _share(leads: Iterable[Lead], name: str, known: dict[int, Any]) -> None:
    """Give each lead the row that it points to by this name; each row is read once, and known from then on."""
    pointing = [(lead, pk) for lead in leads if (pk := getattr(lead, f"{name}_id")) is not None]
    unread = {pk for _, pk in pointing if pk not in known}
    known |= {row.pk: row for row in _RELATED[name].rows(ids=unread)} if unread else {}
    for lead, pk in pointing:
        setattr(lead, name, known[pk])


def read_subject(lead: Lead) -> Subject:
    """Who a lead of :func:`leads_to_route` is: open leads of the same person, the account, who had it before."""
    wait = _waits([lead]).get(lead.pk)
    return Subject(lead, match_person(lead), lead.account or match_account(lead), _had_by(lead), wait)


def read_subjects(leads: Sequence[Lead]) -> list[Subject]:
    """:func:`read_subject` for many leads, in a fixed number of queries, in their order."""
    people = match_people(leads)
    unknown = [lead for lead in leads if lead.account_id is None]
    accounts = dict(zip((lead.pk for lead in unknown), match_accounts(unknown), strict=True)) if unknown else {}
    waits = _waits(leads)
    return [
        Subject(lead, matches, lead.account or accounts.get(lead.pk), _had_by(lead), waits.get(lead.pk))
        for lead, matches in zip(leads, people, strict=True)
    ]


def _waits(leads: Sequence[Lead]) -> dict[int, Wait]:
    """What leads that are held wait for; asks nothing when none is."""
    held = [lead.pk for lead in leads if lead.routing_state == Lead.RoutingState.HELD]
    if not held:
        return {}
    holds = Hold.objects.filter(lead__in=held, released_at=None)
    return {lead: Wait(pool, since) for lead, pool, since in holds.values_list("lead", "pool", "since")}


def _had_by(lead: Lead) -> frozenset[int]:
    joined_ids: str | None = getattr(lead, "had_by", None)
    return frozenset(int(pk) for pk in joined_ids.split(SEPARATOR)) if joined_ids else frozenset()


def facts_of(subject: Subject, attributes: Mapping[str, Field]) -> LeadFacts:
    """A lead in the terms of the field catalogue."""
    lead, account = subject.lead, subject.account
    values: dict[str, Value] = {
        "source": lead.source.slug,
        "pipeline": lead.stage.pipeline.slug,
        "product": lead.product,
        "country": lead.country,
        "region": lead.region,
        "postal_code": lead.postal_code,
        "city": lead.city,
        "language": lead.language,
        "time_zone": lead.time_zone,
        "company": lead.company,
        "industry": lead.industry,
        "employees": lead.employees,
        "value": lead.value_base,
        "currency": lead.currency,
        "score": lead.score,
        "priority": lead.priority,
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "email": lead.email,
        "email_domain": lead.email.rpartition("@")[2],
        "phone": lead.phone,
        "job_title": lead.job_title,
        "website": lead.website,
        "message": lead.message,
        "tags": tuple(str(tag) for tag in lead.tags),
        "account": account.name if account else "",
        "account_owned": bool(account and account.owner_id),
        "duplicate": subject.matches.duplicate_of is not None,
        "utm_source": lead.utm_source,
        "utm_medium": lead.utm_medium,
        "utm_campaign": lead.utm_campaign,
        "utm_term": lead.utm_term,
        "utm_content": lead.utm_content,
    }
    for key, raw in lead.attributes.items():
        field = attributes.get(ATTRIBUTE_PREFIX + key)
        if field is not None:
            values[field.key] = attribute_value(field.type, raw)
    return LeadFacts(values, account.pk if account else None)


def attribute_value(type: str, raw: Any) -> Value:
    """A stored attribute as a fact. What is not of its type stays a text, and conditions on it report an error."""
    try:
        if type == "number" and not isinstance(raw, bool):
            return Decimal(str(raw))
        if type == "date":
            return date.fromisoformat(str(raw))
    except (InvalidOperation, ValueError):
        return str(raw)
    return raw if isinstance(raw, bool) or raw is None else str(raw)


def open_snapshot(subject: Subject, world: World, now: datetime) -> Snapshot:
    """The world for one lead, without anybody in it yet."""
    return Snapshot(
        now=now,
        rule_set=world.rule_set,
        territories=world.territories,
        keepers=subject.matches.keepers,
        account_owner=subject.account.owner_id if subject.account else None,
        previous_owner=subject.matches.previous_owner,
        had=subject.had,
        waits={subject.wait.pool_id: subject.wait.since} if subject.wait and subject.wait.pool_id else {},
    )


# What a decision asks for by kind and id (see :class:`Missing`): a pool, a rep, or an owner, None who cannot be one.
Found = Pool | Rep | None
Find = Callable[[str, int], Found]


def decide(facts: LeadFacts, snapshot: Snapshot, find: Find, seen: Sequence[Look] = ()) -> tuple[Decision, Snapshot]:
    """Decide, finding each pool, rep or owner that the decision asks for. Returns the snapshot it stood on as well.

    ``seen``: rules that were looked at before, for the same facts and moment.
    """
    while True:
        try:
            return route(facts, snapshot, seen), snapshot
        except Missing as missing:
            snapshot = _with(snapshot, missing.kind, missing.id, find(missing.kind, missing.id))


def _with(snapshot: Snapshot, kind: str, id: int, found: Any) -> Snapshot:
    if kind == "pool":
        return replace(snapshot, pools={**snapshot.pools, id: found})
    if kind == "owner":
        return replace(snapshot, owners={**snapshot.owners, id: found})
    return replace(snapshot, reps={**snapshot.reps, id: found})


def reader(now: datetime, timetable: Timetable) -> Find:
    """Finds what a decision asks for in the database, as of now."""
    return partial(_read, now, timetable)


def _read(now: datetime, timetable: Timetable, kind: str, id: int) -> Found:
    if kind == "pool":
        return load_pool(id, now, timetable)
    if kind == "owner":
        return load_rep(now, timetable, user_id=id)
    rep = load_rep(now, timetable, pk=id)
    if rep is None:
        raise LookupError(f"there is no rep {id}")
    return rep


def reload_pool(snapshot: Snapshot, pool_id: int, timetable: Timetable) -> Snapshot:
    """The same snapshot with one pool read, perhaps again, now that it is locked.

    Counts of new leads per period are not read again: they are checked when the winner's place is taken.
    """
    before = snapshot.pools.get(pool_id)
    known = {member.rep.id: member.rep.caps for member in before.members} if before else None
    pool = load_pool(pool_id, snapshot.now, timetable, known)
    return replace(snapshot, pools={**snapshot.pools, pool_id: pool})


def preview_lead(
    lead: Lead,
    *,
    rule_set: RuleSet | None = None,
    overrides: Mapping[str, Value] | None = None,
    now: datetime | None = None,
) -> Decision:
    """What would become of a lead now, under the live rules or another rule set. Reads only.

    The lead may be unsaved. ``overrides`` replace facts by field key after matching, as if it had come in with them.
    """
    world = world_of(rule_set) if rule_set else live_world()
    subject = read_subject(lead)
    facts = facts_of(subject, world.attributes)
    if overrides:
        facts = LeadFacts({**facts.values, **overrides}, facts.account_id)
    now = now or timezone.now()
    decision, _ = decide(facts, open_snapshot(subject, world, now), reader(now, world.timetable))
    return decision
