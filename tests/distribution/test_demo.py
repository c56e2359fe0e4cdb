"""The demo company: made once, by the engine itself, and never over somebody's data."""

import random
from collections import Counter
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.test import Client, override_settings
from django.utils import timezone

from distribution.demo import making
from distribution.demo.company import OFFICES, Company, build_company
from distribution.demo.making import is_demo, make_demo, stream_more
from distribution.demo.wishes import Wishes
from distribution.hours import hours_of_reps, load_timetable
from distribution.ladders import WEEK, longest_gap, policy_warnings
from distribution.models import (
    Assignment,
    AwayReason,
    Decision,
    EscalationStep,
    Leave,
    Rep,
    RoutingRule,
    RuleSet,
    SLAClock,
    SLAPolicy,
    TeamHours,
    WorkingHours,
)
from distribution.rulesets import check_rule_set
from leadcrm.lib.doctor import violations
from pipeline.models import Account, Event, Lead, LeadSource, Team
from pipeline.services.keys import digest_of
from tests.distribution.setups import make_rep

pytestmark = pytest.mark.django_db
live = pytest.mark.django_db(transaction=True)


@pytest.fixture
def days(thorough) -> int:
    return 365 if thorough else 30


def run(*args) -> str:
    out = StringIO()
    call_command("demo", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def short(monkeypatch):
    """The command with a history of two days."""
    monkeypatch.setattr(making.make_demo, "__kwdefaults__", {"new_leads": 1, "days": 2})


def test_the_company_has_the_people_accounts_and_sources_that_it_promises():
    make_demo(7, new_leads=0, days=2)
    assert (Team.objects.count(), Rep.objects.count(), Account.objects.count()) == (6, 35, 90)
    assert len({zone for _, zone, _ in OFFICES}) == 3
    assert not Account.objects.filter(owner=None).exists()
    assert all(rep.languages and rep.skills.exists() for rep in Rep.objects.all())
    assert check_rule_set(RuleSet.objects.get(state="live")) == []


def test_its_history_was_decided_by_the_engine_at_the_time_and_everything_holds(days):
    before = timezone.now()
    make_demo(7, new_leads=0, days=days)
    assert list(violations()) == []
    leads = Lead.objects.all()
    assert leads.count() > 3 * days
    assert not leads.filter(decisions=None).exists()
    assert not Decision.objects.filter(trace=None).exists()
    assert not Decision.objects.filter(at__gte=before).exists()
    assert not Assignment.objects.filter(started_at__gte=before).exists()
    waits = [lead.assigned_at - lead.created_at for lead in leads.exclude(assigned_at=None)]
    assert min(waits).total_seconds() >= 0
    assert not Event.objects.filter(fanned_out_at=None).exists()


def test_it_shows_the_ways_to_give_out_leads(days):
    make_demo(7, new_leads=0, days=days)
    methods = set(Decision.objects.values_list("method", flat=True))
    assert {"account_owner", "weighted", "round_robin", "claim", "least_loaded"} <= methods
    assert set(Lead.objects.filter(closed_at__isnull=False).values_list("stage__kind", flat=True)) == {"won", "lost"}
    assert not Lead.objects.filter(closed_at__gt=timezone.now()).exists()


def test_nothing_of_the_history_was_promised_or_held_and_leave_was_kept(days):
    make_demo(7, new_leads=0, days=days)
    assert not SLAClock.objects.exists()
    assert not Lead.objects.filter(routing_state=Lead.RoutingState.HELD).exists()
    assert not Event.objects.filter(kind=Event.Kind.HELD).exists()
    on_leave = Leave.objects.filter(
        rep=OuterRef("rep"), starts_at__lte=OuterRef("started_at"), ends_at__gt=OuterRef("started_at")
    )
    by_turn = Assignment.objects.filter(decision__method__in=("weighted", "round_robin", "least_loaded"))
    assert by_turn.exists()
    assert not by_turn.filter(Exists(on_leave)).exists()


def test_at_every_hour_of_the_year_somebody_of_the_catch_all_is_there():
    make_demo(7, new_leads=0, days=2)
    now = timezone.now()
    members = RuleSet.objects.get(state="live").catch_all_pool.members.filter(rep__status=Rep.Status.AVAILABLE)
    hours = hours_of_reps(members.values_list("rep", flat=True), load_timetable(), now)
    assert None not in hours.values()
    assert [gap for week in range(53) if (gap := longest_gap(hours.values(), now + WEEK * week))] == []


def test_it_shows_leave_hours_and_reasons_to_be_away():
    make_demo(7, new_leads=0, days=100)
    now = timezone.now()
    assert Leave.objects.filter(ends_at__lt=now).exists()
    assert Leave.objects.filter(starts_at__lt=now, ends_at__gt=now, cover__isnull=False).exists()
    assert Leave.objects.filter(starts_at__lt=now, ends_at__gt=now, lend_leads=True).count() == 1
    assert Leave.objects.filter(starts_at__gt=now).exists()
    assert TeamHours.objects.count() == Team.objects.count()
    assert not any(WorkingHours.objects.filter(teams__isnull=False, holiday_country=""))
    assert set(AwayReason.objects.values_list("name", flat=True)) == {"at lunch", "in a meeting", "in training", "sick"}


def test_its_promises_are_as_their_author_meant_them():
    make_demo(7, new_leads=0, days=2)
    now, timetable = timezone.now(), load_timetable()
    assert [warning for policy in SLAPolicy.objects.all() for warning in policy_warnings(policy, now, timetable)] == []
    actions = set(EscalationStep.objects.values_list("action", flat=True))
    assert {"remind", "manager", "reassign"} <= actions
    (calls,) = RoutingRule.objects.filter(rule_set__state="live", pool__name="Hot line")
    assert calls.sla_policy.name == "Hot line"


def test_the_same_seed_makes_the_same_company():
    assert names_of(1) == names_of(1) != names_of(2)


def names_of(seed: int) -> list[str]:
    with transaction.atomic():
        company = build_company(random.Random(seed), timezone.now())
        transaction.set_rollback(True)
    return [rep.name for rep in company.all_reps] + [account.name for account in company.accounts]


def test_the_same_seed_makes_the_same_wishes_and_all_have_a_score_that_tells_them_apart():
    company = build_company(random.Random(1), timezone.now())
    first, again, other = (
        [wishes.next() for _ in range(60)]
        for wishes in (wishes_of(1, company), wishes_of(1, company), wishes_of(2, company))
    )
    assert first == again != other
    scores = {wish.fields["score"] for wish in first}
    assert len(scores) > 20
    assert min(scores) >= 0
    assert max(scores) <= 100


def wishes_of(seed: int, company: Company) -> Wishes:
    return Wishes(random.Random(seed), company)


def test_more_leads_are_the_same_ones_in_the_same_demo_and_others_the_next_time():
    make_demo(7, new_leads=0, days=2)
    first, again = streamed(3, keep=False), streamed(3, keep=True)
    assert first == again != streamed(3, keep=True)


def streamed(count: int, *, keep: bool) -> list[str]:
    told: list[str] = []
    with transaction.atomic():
        stream_more(count, lambda lead: told.append(f"{lead} {lead.score}"))
        transaction.set_rollback(not keep)
    return told


@live
def test_new_leads_come_in_through_the_live_intake_and_are_routed_at_once():
    before = timezone.now()
    demo = make_demo(7, new_leads=4, days=2)
    assert sum(demo.arrived.values()) == 4
    owned = Lead.objects.filter(routing_state="assigned", assigned_at__gte=before)
    assert owned.exists()
    assert not owned.filter(clocks=None).exists()
    assert demo.arrived["new"] == 0
    told: list[Lead] = []
    states = stream_more(3, told.append)
    assert Counter(lead.routing_state for lead in told) == states
    assert all(lead.routing_sentence for lead in told)
    assert list(violations()) == []


def test_the_printed_key_is_the_key_of_the_source_and_is_kept_nowhere():
    demo = make_demo(7, new_leads=0, days=2)
    assert LeadSource.objects.get(keys__digest=digest_of(demo.api_key)).slug == "website"


def test_in_production_the_passwords_are_random():
    demo = make_demo(7, new_leads=0, days=2)
    assert len(set(demo.passwords.values())) == 3
    assert all(len(password) > 10 for password in demo.passwords.values())


@override_settings(PRODUCTION=False)
def test_on_ones_own_machine_the_passwords_are_easy_and_everybody_can_sign_in():
    demo = make_demo(7, new_leads=0, days=2)
    assert set(demo.passwords.values()) == {"demo"}
    assert all(Client().login(username=name, password="demo") for name in ("admin", "manager", "rep"))


def test_the_command_says_what_it_made_and_a_second_run_adds_nothing(short):
    told = run()
    assert "35 reps, 90 accounts" in told
    assert "sign in as admin" in told
    before = Lead.objects.count()
    assert "is here already" in run()
    assert Lead.objects.count() == before


@live
def test_the_command_lets_more_leads_come_in(short):
    run()
    before = Lead.objects.count()
    assert len(run("--stream", "2").splitlines()) == 2
    assert Lead.objects.count() == before + 2


def test_a_database_with_anything_else_in_it_is_left_alone(short):
    make_rep("Ann")
    with pytest.raises(CommandError, match="nothing was added"):
        run()
    assert not is_demo()


def test_a_user_called_like_a_demo_login_is_left_alone(short):
    User.objects.create_user("manager")
    with pytest.raises(CommandError, match="There is a user called manager already"):
        run()


@live
def test_fresh_makes_the_demo_again(short):
    run()
    first = set(Lead.objects.values_list("uid", flat=True))
    run("--fresh")
    assert is_demo()
    assert not first & set(Lead.objects.values_list("uid", flat=True))


@live
def test_fresh_never_empties_what_somebody_else_put_in(short):
    run()
    User.objects.create_user("boss", email="boss@firm.example")
    with pytest.raises(CommandError, match="nothing was removed"):
        run("--fresh")
    assert is_demo()


def test_when_it_fails_half_way_nothing_is_left(monkeypatch):
    monkeypatch.setattr(making, "issue_key", None)
    with pytest.raises(TypeError):
        make_demo(7, new_leads=0, days=2)
    assert not User.objects.exists()
    assert not Lead.objects.exists()
