"""What routing costs in queries: a fixed number per lead, whatever the size of the world."""

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution import services
from distribution.bench.scratch import copy_rows
from distribution.models import (
    Assignment,
    Decision,
    DecisionTrace,
    PoolMember,
    Rep,
    RepCounter,
    SLAClock,
    WorkingHours,
)
from pipeline.models import Account, Lead
from tests.distribution.calendars import make_exception, make_hours, make_leave
from tests.distribution.promises import make_policy, running
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_leads, owners, world

pytestmark = pytest.mark.django_db

BUDGET = 16
SLACK = 50  # rows: of the reps who have caps over the last hours, each new lead is counted


def queries(service, *args):
    with CaptureQueriesContext(connection) as captured:
        service(*args)
    return [q["sql"] for q in captured if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]


def costly_world(policy=None):
    """Everything that costs a query at once: hours, leave, caps of both kinds and one that is reached, skills, accounts
    to match by domain and by name."""
    hours = make_hours(start="00:00", end="00:00", days="1234567")
    reps = [make_rep(f"Rep {n}", cap_per_day=50, capacity=100, cap_per_hour=40, hours=hours) for n in range(5)]
    reps.append(make_rep("Rolling", cap_per_day=50, cap_per_hour=40, cap_window="rolling"))
    reps.append(make_rep("Full", cap_per_month=1, cap_window="rolling"))
    Assignment.objects.create(lead=make_lead(), rep=reps[-1], trigger="created", ended_at=timezone.now(), end="closed")
    reps.append(make_rep("Gone", cap_per_day=50))
    make_leave(reps[-1], timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=1), cover=reps[0])
    sales = make_pool("Sales", *reps)
    rules = make_rule_set(pool=sales)
    make_rule(
        rules, "Everything", ("country", "is", "DE"), pool=sales, match_language=True, set_priority=2, sla_policy=policy
    )
    publish(rules)
    Account.objects.create(name="Novak Pumps", domain="novak.example", country="DE", owner=reps[0].user)


def costly_lead(number=1):
    return make_lead(
        email=f"p{number}@novak.example",
        phone=f"+4930123{number:05}",
        company="Novak Pumps GmbH",
        country="DE",
        language="de",
    )


def test_one_lead_is_assigned_within_the_budget():
    costly_world()
    Rep.objects.update(languages=["de"])
    services.assign_lead(costly_lead(1).pk)  # compiles the rules
    lead = costly_lead(2)
    captured = queries(services.assign_lead, lead.pk)
    lead.refresh_from_db()
    assert lead.owner_id
    assert len(captured) <= BUDGET, "\n".join(captured)


def promising_world():
    """A costly world that promises answers in working time: a policy by rule beside the default one, hours with
    holidays and exceptions for reps and by default, and leave ahead."""
    strict = make_policy(
        ("accept", "50%", "remind"), ("accept", 10, "reassign"), ("contact", 30, "manager"),
        name="Strict", time="working", is_default=False, accept_minutes=10, contact_minutes=60, lead_minutes=90,
    )  # fmt: skip
    make_policy(("contact", 60, "manager"), name="For all", time="working", contact_minutes=240)
    costly_world(strict)
    now = timezone.now()
    default = make_hours("Default", start="00:00", end="00:00", days="1234567", is_default=True, holiday_country="DE")
    make_exception(default, (now + timedelta(days=1)).date(), "10:00", "12:00")
    make_exception(WorkingHours.objects.get(name="Office"), (now + timedelta(days=2)).date())
    WorkingHours.objects.filter(name="Office").update(holiday_country="DE", holiday_region="BY")
    for rep in Rep.objects.filter(name__startswith="Rep"):
        make_leave(rep, now + timedelta(days=3), now + timedelta(days=9))
    Rep.objects.update(languages=["de"])


def test_a_lead_with_promises_in_working_time_is_assigned_within_the_budget():
    promising_world()
    services.assign_lead(costly_lead(1).pk)  # compiles the rules
    lead = costly_lead(2)
    captured = queries(services.assign_lead, lead.pk)
    assert sorted(running(lead)) == ["accept", "contact", "lead"]
    assert set(SLAClock.objects.filter(lead=lead).values_list("policy__name", "working")) == {("Strict", True)}
    assert len(captured) <= BUDGET, "\n".join(captured)


def make_other_pools(reps):
    """So many reps in twenty other pools."""
    pools = [make_pool(f"Other {number}") for number in range(20)]
    users = User.objects.bulk_create(User(username=f"other{number}") for number in range(reps))
    rows = Rep.objects.bulk_create(Rep(user=user, name=user.username, capacity=20, languages=["de"]) for user in users)
    PoolMember.objects.bulk_create(PoolMember(pool=pools[n % 20], rep=rep) for n, rep in enumerate(rows))


def make_old_leads(count):
    """So many other people's leads of the last years, of which every rep closed as many; some are open still."""
    reps = dict(PoolMember.objects.values_list("rep_id", "rep__user_id"))
    rep, user = (f"(ARRAY{list(values)})[1 + n % {len(reps)}]" for values in (reps.keys(), reps.values()))
    first = make_lead(country="DE", language="de", company="Novak Pumps GmbH", routing_state="excluded")
    made = "now() - interval '40 days' - n % 1000 * interval '1 day'"
    copy_rows(
        Lead, first.pk, f"generate_series(1, {count}) n", uid="gen_random_uuid()",
        email="'old' || n || '@novak.example'", phone="'+4940' || 10000000 + n", routing_state="'assigned'",
        owner_id=user, next_attempt_at="NULL", created_at=made, assigned_at=made,
        closed_at=f"CASE WHEN n % 50 > 0 THEN {made} + interval '5 days' END",
    )  # fmt: skip
    held = Assignment.objects.create(
        lead=first, rep_id=min(reps), trigger="created", ended_at=timezone.now(), end="closed"
    )
    numbered = f"(SELECT *, row_number() OVER (ORDER BY id) AS n FROM pipeline_lead WHERE id > {first.pk}) l"  # noqa: S608
    copy_rows(
        Assignment, held.pk, numbered, lead_id="l.id", rep_id=rep, started_at="l.assigned_at", ended_at="l.closed_at",
        end="CASE WHEN l.closed_at IS NULL THEN '' ELSE 'closed' END",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def reading():
    """What this transaction read so far: passes over a whole table of leads or assignments, rows of all tables, entries
    of all indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_scan) FILTER (WHERE relname IN ('pipeline_lead', 'distribution_assignment')),"
            " sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
        )
        passes, rows = cursor.fetchone()
        cursor.execute("SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_stat_user_indexes")
        [entries] = cursor.fetchone()
    return Counter(passes=int(passes), rows=int(rows), entries=int(entries))


def costs_of(numbers):
    """The most that assigning one of these leads cost: queries, and what they read."""
    asked, read = 0, Counter()
    for number in numbers:
        lead = costly_lead(number)
        before = reading()
        asked = max(asked, len(queries(services.assign_lead, lead.pk)))
        read |= reading() - before
        lead.refresh_from_db()
        assert lead.owner_id
    return asked, read


def test_neither_the_queries_nor_what_they_read_grow_with_other_pools_or_old_leads(thorough):
    """More than five leads each: then a connection may plan its statements otherwise."""
    costly_world()
    Rep.objects.update(languages=["de"])
    services.assign_lead(costly_lead(0).pk)  # compiles the rules
    alone, _ = costs_of(range(1, 9))
    make_other_pools(1000)
    make_old_leads(1000)
    beside_few, read = costs_of(range(11, 19))
    make_old_leads(1_000_000 if thorough else 20_000)
    beside_many, read_then = costs_of(range(21, 29))
    assert alone == beside_few == beside_many <= BUDGET
    assert read_then["passes"] == 0
    assert read_then["rows"] <= read["rows"] + SLACK
    assert read_then["entries"] <= read["entries"] + SLACK


def test_a_pool_of_any_size_is_read_in_the_same_number_of_queries():
    pool = world("Ann", "Ben")
    services.assign_lead(make_lead(email="a@x.example").pk)
    few = len(queries(services.assign_lead, make_lead(email="b@x.example").pk))
    PoolMember.objects.bulk_create(PoolMember(pool=pool, rep=make_rep(f"More {n}")) for n in range(40))
    many = len(queries(services.assign_lead, make_lead(email="c@x.example").pk))
    assert many == few


def test_a_batch_costs_at_most_one_query_per_lead():
    costly_world()
    Rep.objects.update(languages=["de"], capacity=None, cap_per_day=None, cap_per_hour=None)
    leads = make_leads(500, country="DE", language="de", company="Some Firm")
    captured = queries(services.assign_leads, [lead.pk for lead in leads])
    assert Lead.objects.filter(routing_state="assigned", pk__in=[lead.pk for lead in leads]).count() == 500
    assert len(captured) <= 500 / 4


def test_a_batch_gives_the_leads_to_the_same_people_as_one_by_one():
    world("Ann", "Ben", "Cleo", method="weighted")
    PoolMember.objects.filter(rep__name="Ben").update(weight=3)
    Rep.objects.filter(name="Cleo").update(capacity=20)
    now = timezone.now()
    leads = make_leads(250)
    services.assign_leads([lead.pk for lead in leads], now=now)
    together = owners()

    for table in (DecisionTrace, Assignment, RepCounter, Decision):
        table.objects.all().delete()
    PoolMember.objects.update(credit=0, open_leads=0, last_assigned_at=None)
    Rep.objects.update(open_leads=0, last_assigned_at=None)
    Lead.objects.update(routing_state="new", owner=None, next_attempt_at=now, assigned_at=None, team=None, attempts=0)
    for lead in leads:
        services.assign_lead(lead.pk, now=now)
    assert owners() == together
    assert together.count("Cleo") == 20


def test_a_person_twice_in_one_batch_stays_with_one_owner():
    world("Ann", "Ben")
    first, second = make_lead(email="same@x.example"), make_lead(email="same@x.example")
    services.assign_leads([first.pk, second.pk])
    assert owners() == ["Ann", "Ann"]


def test_a_batch_never_exceeds_a_capacity():
    world(make_rep("Ann", capacity=3), make_rep("Ben", cap_per_day=2))
    leads = make_leads(20)
    result = services.assign_leads([lead.pk for lead in leads])
    assert sorted(owners()) == ["Ann"] * 3 + ["Ben"] * 2
    assert result.assigned == 5
    assert result.others["all_at_capacity"] == 15


def test_a_batch_run_twice_changes_nothing_the_second_time():
    world("Ann", "Ben")
    ids = [lead.pk for lead in make_leads(10)]
    services.assign_leads(ids)
    before = owners()
    assert services.assign_leads(ids).assigned == 0
    assert owners() == before


def test_a_lead_whose_person_waits_already_is_assigned_within_the_budget():
    promising_world()
    services.assign_lead(costly_lead(1).pk)  # compiles the rules
    costly_lead(2)
    lead = costly_lead(3)
    Lead.objects.update(phone="")
    Lead.objects.exclude(routing_state="assigned").update(email="p2@novak.example", phone="+4930123456")
    captured = queries(services.assign_lead, lead.pk)
    lead.refresh_from_db()
    assert lead.owner_id
    assert lead.duplicate_of_id
    assert len(captured) <= BUDGET, "\n".join(captured)
