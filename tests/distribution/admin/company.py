"""One of everything that the admin shows, as often as wanted."""

from datetime import date, time, timedelta
from typing import Final
from uuid import uuid4

from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from distribution.models import (
    Assignment,
    AwayReason,
    CreditCorrection,
    Decision,
    EscalationStep,
    Hold,
    HoursException,
    Leave,
    LeaveCalendar,
    Loan,
    Offer,
    Pool,
    PoolMember,
    Rep,
    RepCounter,
    Skill,
    SLAClock,
    SLAPolicy,
    StepTaken,
    TeamHours,
    Territory,
    TerritoryArea,
    WorkingHours,
    WorkShift,
)
from distribution.periods import period_start
from distribution.services import assign_lead
from notifications.models import (
    Call,
    ChannelChoice,
    ChannelSwitch,
    ContactAddress,
    FanOutFailure,
    GuardPolicy,
    InboundMessage,
    MessageTemplate,
    Notification,
    Sequence,
    SequenceRun,
    SequenceStep,
    Stop,
)
from pipeline.models import (
    Account,
    AttributeDefinition,
    Consent,
    Event,
    ExchangeRate,
    Lead,
    LeadSource,
    LostReason,
    Pipeline,
    Stage,
    Task,
    Team,
)
from pipeline.services.keys import issue_key
from tests.distribution.setups import make_rep, make_rule, make_rule_set, publish

CURRENCIES = "USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN TRY JPY CNY INR AUD CAD NZD".split()

MODELS: Final = sorted(admin.site._registry, key=lambda model: model._meta.label)


def address(model: type[Model], page: str, *args: object) -> str:
    """Of a page of the admin, such as ``changelist``, ``add`` or ``change``."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def build_company(start: int, stop: int) -> None:
    """The company's people, configuration and leads with these numbers; to be called again for more."""
    team = Team.objects.get_or_create(name="Everyone")[0]
    pool = Pool.objects.get_or_create(name="Main", method="weighted", team=team)[0]
    if not Rep.objects.filter(name="Catch All").exists():
        rules = make_rule_set("Main", pool=pool)
        make_rule(rules, "Everything", ("country", "is", "DE"), pool=pool)
        PoolMember.objects.create(pool=pool, rep=make_rep("Catch All"))
        publish(rules)
    for number in range(start, stop):
        _build_one(number, team, pool)


def _build_one(number: int, team: Team, pool: Pool) -> None:
    rep, account, source, stage = _build_setup(number, team, pool)
    now = timezone.now()
    lead = Lead.objects.create(
        source=source,
        stage=stage,
        first_name="Ada",
        last_name=f"Person {number}",
        company="Acme",
        country="DE",
        account=account,
        email=f"ada{number}@acme.example",
        attributes={f"question_{number}": "yes"},
    )
    Consent.objects.create(lead=lead, channel="email", granted=True)
    Task.objects.create(lead=lead, text="Call again", due_at=now, assignee=rep.user)
    assign_lead(lead.pk)
    decision = lead.decisions.first()
    assert decision is not None
    _build_history(number, lead, decision, rep, pool)
    waiting = Lead.objects.create(source=source, stage=stage, last_name=f"Waiting {number}", routing_state="held")
    Hold.objects.create(lead=waiting, pool=pool, decision=decision, code="nobody_available", retry_at=now)
    _build_clock(lead, waiting, rep)
    Offer.objects.create(lead=waiting, pool=pool, rep=rep, decision=decision)
    Event.objects.create(lead=waiting, kind=Event.Kind.HELD, actor=rep.user)


def _build_clock(lead: Lead, lent: Lead, rep: Rep) -> None:
    now = timezone.now()
    clock = SLAClock.objects.create(
        kind="lead",
        lead=lead,
        rep=rep,
        policy=SLAPolicy.objects.earliest("pk"),
        working=False,
        span=timedelta(hours=1),
        max_hops=3,
        used=timedelta(),
        started_at=now,
        counted_from=now,
        ladder=[{"key": 0, "after": 3600.0, "action": "break", "note": ""}],
    )
    StepTaken.objects.create(clock=clock, key=0, action="break", due_at=now)
    Loan.objects.create(lead=lent, lender=rep, borrower=Rep.objects.get(name="Catch All"), until=now)


def _build_setup(number: int, team: Team, pool: Pool) -> tuple[Rep, Account, LeadSource, Stage]:
    question = AttributeDefinition.objects.create(key=f"question_{number}", label=f"Question {number}")
    pipeline = Pipeline.objects.create(name=f"Pipeline {number}", slug=f"pipeline-{number}", is_default=number == 0)
    stages = [
        Stage.objects.create(pipeline=pipeline, name=kind, slug=kind, kind=kind, position=position)
        for position, kind in enumerate(("open", "won", "lost"))
    ]
    source = LeadSource.objects.create(name=f"Source {number}", slug=f"source-{number}", pipeline=pipeline)
    source.attributes.add(question)
    issue_key(source, label="test")
    rep = make_rep(f"Rep {number}", languages=["de"], cap_per_day=50)
    rep.skills.add(Skill.objects.create(name=f"Skill {number}"))
    rep.user.groups.add(Group.objects.create(name=f"Group {number}"))
    team.members.add(rep.user)
    own_team = Team.objects.create(name=f"Team {number}", manager=rep.user)
    _build_hours(number, own_team, rep)
    PoolMember.objects.create(pool=pool, rep=rep)
    PoolMember.objects.create(pool=Pool.objects.create(name=f"Pool {number}", team=team), rep=rep)
    account = Account.objects.create(name=f"Account {number}", owner=rep.user)
    territory = Territory.objects.create(name=f"Territory {number}", owner=rep, pool=pool)
    territory.reps.add(rep)
    for postal in ("80331", "80333"):
        TerritoryArea.objects.create(territory=territory, country="DE", postal_from=postal, account=account)
    ExchangeRate.objects.create(currency=CURRENCIES[number], rate=1)
    return rep, account, source, stages[0]


def _build_hours(number: int, team: Team, rep: Rep) -> None:
    hours = WorkingHours.objects.create(name=f"Hours {number}", time_zone="Europe/Berlin", holiday_country="DE")
    for weekday in (1, 2):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(9), end=time(18))
    HoursException.objects.create(hours=hours, date=date(2026, 5, 4), name="trade fair")
    TeamHours.objects.create(team=team, hours=hours)
    Rep.objects.filter(pk=rep.pk).update(hours=hours)
    AwayReason.objects.create(name=f"Lunch {number}", minutes=45)
    starts = timezone.now() + timedelta(days=number)
    Leave.objects.create(rep=rep, starts_at=starts, ends_at=starts + timedelta(days=3), reason="on leave")
    LostReason.objects.create(name=f"Too dear {number}", position=number)
    LeaveCalendar.objects.create(rep=rep, url="https://calendar.example/secret.ics")
    policy = SLAPolicy.objects.create(name=f"Policy {number}", accept_minutes=15, contact_minutes=60)
    EscalationStep.objects.create(policy=policy, after_percent=80, action="remind")
    EscalationStep.objects.create(policy=policy, after_minutes=20, action="reassign")


def _build_history(number: int, lead: Lead, decision: Decision, rep: Rep, pool: Pool) -> None:
    now = timezone.now()
    member = PoolMember.objects.filter(pool=pool, rep=rep).get()
    CreditCorrection.objects.create(posting=uuid4(), member=member, amount=1, kind="correction", decision=decision)
    day = period_start("day", now, rep.time_zone)
    RepCounter.objects.get_or_create(rep=rep, period="day", starts_at=day)
    every = IntervalSchedule.objects.create(every=number + 1, period=IntervalSchedule.HOURS)
    CrontabSchedule.objects.create(minute=str(number))
    PeriodicTask.objects.create(name=f"Task {number}", task="distribution.tasks.nothing", interval=every)
    AccessAttempt.objects.create(username=f"someone {number}", ip_address="192.0.2.1", failures_since_start=1)
    old = now - timedelta(days=number + 1)
    Assignment.objects.filter(lead=lead).update(started_at=old)
    _build_messages(lead, rep)


def _build_messages(lead: Lead, rep: Rep) -> None:
    ChannelSwitch.objects.get_or_create(channel="email")
    event = lead.events.latest("pk")
    FanOutFailure.objects.create(event=event, error="no such person", next_at=timezone.now())
    told = {"user": rep.user, "lead": lead, "event": event, "kind": "held", "next_at": timezone.now()}
    Notification.objects.create(channel="in_app", state="delivered", **told)
    Notification.objects.create(channel="email", state="failed", reason="no such address", error_code="550", **told)
    name = f"of {lead.pk}"
    GuardPolicy.objects.get_or_create(country="")
    Stop.objects.create(channel="sms", address=name)
    MessageTemplate.objects.create(kind="assigned", channel="sms", language=f"{lead.pk % 100:02}", text="New lead")
    ContactAddress.objects.create(user=rep.user, channel="sms", address="+12025550123")
    ChannelChoice.objects.create(user=rep.user, urgency="urgent", first="in_app")
    InboundMessage.objects.create(channel="sms", provider_id=name, sender="+1", receiver="+2", text="Yes", lead=lead)
    Call.objects.create(lead=lead, rep=rep, direction="in", provider_id=name, recording_url="https://api.twilio.com/R")
    sequence = Sequence.objects.create(name=name)
    SequenceStep.objects.create(sequence=sequence, kind="first_response")
    SequenceRun.objects.create(sequence=sequence, lead=lead, started_at=timezone.now(), next_at=timezone.now())
