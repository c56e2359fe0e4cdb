"""My fairness: the story a rep reads is what the ledger did, and nobody else's leads are in it."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution import services
from distribution.engine.ledger import UNIT
from distribution.fairness import MINE, OTHER, SKIPPED, read_record
from distribution.fairnesspage import build_fairness
from distribution.fairnesswords import OF_THEM, owed_words
from distribution.models import Assignment, DecisionTrace, PoolMember, Rep
from distribution.services.availability import set_available, set_away
from pipeline.models import Lead
from tests.distribution.calendars import make_leave
from tests.distribution.world import make_lead, world
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people():
    return make_people()


def rep_of(user):
    return Rep.objects.select_related("user").get(user=user)


def member_of(user):
    return PoolMember.objects.select_related("rep__user", "pool").get(rep__user=user)


def assign(count, **fields):
    for number in range(count):
        services.assign_lead(make_lead(last_name=f"Lead {number}", **fields).pk)


def story(user, **query):
    response = signed_in(user).get("/my/fairness/", query)
    assert response.status_code == 200
    return response


def words(user, **query):
    return " ".join(story(user, **query).context["page"].pool.words)


# --- What is read -------------------------------------------------------------------------------


def test_turns_and_shares_are_those_of_the_ledger(people):
    world(rep_of(people.owner), rep_of(people.teammate), rep_of(people.stranger))
    assign(7)
    record = read_record(member_of(people.owner), SINCE)
    assert (len(record.turns), record.could, record.got) == (7, 7, 3)
    assert abs(record.fair - 7 * UNIT // 3) <= 7
    assert record.moments[0].credit == 0
    assert record.moments[-1].credit == member_of(people.owner).credit
    assert {turn.outcome for turn in record.turns} == {MINE, OTHER}


def test_who_is_away_is_skipped_and_stays_in_line(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(3)
    before = member_of(people.owner).credit
    set_away(rep_of(people.owner), reason="dentist", actor=None)
    assign(4)
    record = read_record(member_of(people.owner), SINCE)
    assert [turn.outcome for turn in record.turns[3:]] == [SKIPPED] * 4
    assert record.skips() == [("Away", 4)]
    assert record.turns[-1].why == "dentist"
    assert record.moments[-1].credit == before == member_of(people.owner).credit


def test_why_somebody_was_skipped_and_until_when_is_told_in_the_readers_zone(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    make_leave(rep_of(people.owner), NOW - timedelta(days=1), NOW + timedelta(days=1))
    assign(2)
    lead = Lead.objects.latest("pk")
    for address in ("/my/fairness/", f"/leads/{lead.uid}/decision/"):
        client = signed_in(people.owner if "fairness" in address else people.manager)
        Lead.objects.update(team=people.team)
        client.cookies["time_zone"] = "Europe/Berlin"
        page = client.get(address).content.decode()
        assert "until 3 Mar 2026, 11:00 CET" in page, address
        assert "10:00 UTC" not in page, address


def test_a_lead_that_was_returned_gives_its_turn_back(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(3)
    mine = Assignment.objects.filter(rep__user=people.owner, ended_at=None).first()
    services.return_lead(mine.lead_id, actor=people.owner, reason="spam")
    record = read_record(member_of(people.owner), SINCE)
    assert (record.returned, record.got, record.moments[-1].got) == (1, 2, 2)
    assert record.moments[-1].corrected == "Refund"
    assert record.corrected == UNIT // 2
    assert record.moments[-1].credit == member_of(people.owner).credit


def test_a_turn_by_hand_counts_for_whoever_gets_it(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(2)
    mine = Assignment.objects.filter(rep__user=people.owner, ended_at=None).first()
    services.reassign_lead(mine.lead_id, to=rep_of(people.teammate), actor=people.manager)
    gave, took = (read_record(member_of(user), SINCE) for user in (people.owner, people.teammate))
    assert (gave.got, took.got) == (1, 1)
    assert (gave.corrected, took.corrected) == (UNIT, -UNIT)
    assert (gave.by_hand, took.by_hand) == (1, 1)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_lines_meet_where_the_ledger_stands(people, seed):
    rng = random.Random(seed)
    users = (people.owner, people.teammate, people.stranger)
    pool = world(*(rep_of(user) for user in users), method="weighted")
    for member in pool.members.all():
        PoolMember.objects.filter(pk=member.pk).update(weight=rng.randint(1, 5))
    for step in range(40):
        with time_machine.travel(NOW + timedelta(minutes=step), tick=False):
            act(rng, people, users)
    for user in users:
        record = read_record(member_of(user), SINCE)
        assert record.moments[0].credit == record.began == 0
        assert record.moments[-1].credit == record.fair - record.got * UNIT + record.corrected
        assert record.moments[-1].credit == member_of(user).credit
        shares = [moment.fair for moment in record.moments]
        assert shares == sorted(shares)  # a share that was earned is never taken away
        assert (shares[-1], record.moments[-1].got) == (record.fair, record.got)


def act(rng, people, users):
    held = list(Assignment.objects.filter(ended_at=None).order_by("pk"))
    kind = rng.choice(("new", "new", "new", "away", "back", "return", "hand"))
    if kind == "new" or not held:
        assign(1)
    elif kind == "away":
        set_away(rep_of(rng.choice(users[:2])), reason="", actor=None)
    elif kind == "back":
        set_available(rep_of(rng.choice(users)), actor=None)
    elif kind == "return":
        services.return_lead(rng.choice(held).lead_id, actor=people.manager, reason="spam")
    else:
        services.reassign_lead(rng.choice(held).lead_id, to=rep_of(rng.choice(users)), actor=people.manager)


def test_decisions_from_before_joining_and_those_whose_table_was_removed_are_left_out(people):
    pool = world(rep_of(people.teammate))
    assign(2)
    PoolMember.objects.create(pool=pool, rep=rep_of(people.owner))
    assign(3)
    DecisionTrace.objects.order_by("pk").last().delete()
    assert len(read_record(member_of(people.owner), SINCE).turns) == 2


def test_only_the_latest_decisions_are_looked_at_and_the_page_says_so(people, monkeypatch):
    monkeypatch.setattr("distribution.fairness.MOST", 5)
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(8)
    record = read_record(member_of(people.owner), SINCE)
    assert (len(record.turns), record.full) == (5, True)
    assert record.moments[-1].credit == member_of(people.owner).credit
    assert "Of the latest 5 leads of this pool you could take 5." in words(people.owner)


# --- What is said -------------------------------------------------------------------------------


def test_the_story_is_told_in_words(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(4)
    make_leave(rep_of(people.owner), NOW, NOW + timedelta(hours=1))
    assign(1)
    told = words(people.owner)
    assert "In the last 30 days 5 leads came to this pool, and you could take 4." in told
    assert "Your share of those, by weight, was 2.0 leads. You got 2." in told
    assert "When this time began you were even. So you are even now." in told
    assert "1 lead went by while you could not take it. That cost you nothing" in told
    shown = story(people.owner).content.decode()
    assert "50.0% of its leads are yours" in shown
    assert "<polyline" in shown
    assert "On leave" in shown


TOLD = re.compile(
    r"by weight, was (?P<share>[\d.]+) leads\. You got (?P<got>\d+)\."
    r" When this time began (?P<began>[^.]+(?:\.\d[^.]*)?)\."
    r"(?: Turns that were given back or changed hands count"
    r" (?P<corrected>[\d.]+) (?:of a lead|leads) (?P<way>for|against) you\.)?"
    r" So (?P<now>.+?) now\."
)


def tenths(standing):
    number = round(10 * float(found[0])) if (found := re.findall(r"[\d.]+", standing)) else 0
    return -number if "ahead" in standing else number


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_of_the_story_add_up(people, seed):
    rng = random.Random(seed)
    users = (people.owner, people.teammate, people.stranger)
    pool = world(*(rep_of(user) for user in users), method="weighted")
    for member in pool.members.all():
        PoolMember.objects.filter(pk=member.pk).update(weight=rng.randint(1, 5))
    for hour in range(40):
        with time_machine.travel(NOW - timedelta(days=10) + timedelta(hours=12 * hour), tick=False):
            act(rng, people, users)
    told = TOLD.search(words(people.owner, days=7))
    assert told
    corrected = round(10 * float(told["corrected"] or 0)) * (-1 if told["way"] == "against" else 1)
    assert tenths(told["began"]) + round(10 * float(told["share"])) - 10 * int(told["got"]) + corrected == tenths(
        told["now"]
    )
    standing = story(people.owner, days=7).context["page"].pools[0].owed
    assert told["now"].removeprefix("the pool ") == standing


def test_the_story_says_where_its_time_began(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    with time_machine.travel(NOW - timedelta(days=20), tick=False):
        assign(1)
    assign(2)
    first, second = (words(user, days=7) for user in (people.owner, people.teammate))
    assert "You got 1. When this time began you were 0.5 of a lead ahead. So you are 0.5 of a lead ahead now." in first
    assert "You got 1. When this time began the pool owed you 0.5 of a lead. So the pool owes you 0.5" in second


def test_a_turn_that_was_given_back_is_a_mark_of_its_own(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    assign(1)
    services.return_lead(Assignment.objects.get(rep__user=people.owner).lead_id, actor=people.owner, reason="spam")
    page = story(people.owner)
    assert [mark.label for mark in page.context["page"].pool.owed.marks] == ["Refund"]
    assert "<title>Refund</title>" in page.content.decode()
    assert "count 0.5 of a lead for you. So you are even now." in words(people.owner)


def test_a_pool_that_counts_no_turns_says_so(people):
    world(rep_of(people.owner), rep_of(people.teammate), method="least_loaded")
    assign(3)
    page = story(people.owner).context["page"].pool
    assert (page.ledger, page.shares) == (False, None)
    assert "This pool counts no turns: least loaded decides each time." in " ".join(page.words)


@pytest.mark.parametrize(
    ("credit", "said"),
    [
        (0, "you are even"),
        (UNIT // 2, "owes you 0.5 of a lead"),
        (-UNIT // 2, "you are 0.5 of a lead ahead"),
        (3 * UNIT // 2, "owes you 1.5 leads"),
        (-3 * UNIT // 2, "you are 1.5 leads ahead"),
        (UNIT // 15, "owes you 0.1 of a lead"),
        (-UNIT // 21, "you are even"),
    ],
)
def test_a_credit_is_told_in_words(credit, said):
    assert owed_words(credit) == said


def test_new_leads_are_counted_by_the_reps_own_calendar(people):
    Rep.objects.filter(user=people.owner).update(time_zone="Pacific/Kiritimati")  # where it is Tuesday already
    world(rep_of(people.owner))
    assign(2)
    assert build_fairness(rep_of(people.owner), people.owner, 0, 30, NOW).counts == [
        ("today", 2),
        ("this week", 2),
        ("this month", 2),
    ]


def test_days_are_those_of_the_reader(people):
    world(rep_of(people.owner))
    assign(1)
    client = signed_in(people.owner)
    client.cookies["time_zone"] = "Pacific/Kiritimati"
    assert [line.day.day for line in client.get("/my/fairness/").context["page"].pool.days] == [3]


# --- Whose it is --------------------------------------------------------------------------------


def test_leads_of_others_are_neither_named_nor_linked(people):
    world(rep_of(people.owner), rep_of(people.stranger))
    assign(4, first_name="Secret")
    shown = story(people.owner).content.decode()
    theirs = Assignment.objects.filter(rep__user=people.stranger).values_list("lead__uid", flat=True)
    assert shown.count("You got Secret") == 2
    assert not [uid for uid in theirs if str(uid) in shown]
    assert "Stranger Person before you" in shown


def test_the_pool_of_others_is_not_shown(people):
    pool = world(rep_of(people.stranger))
    assert story(people.owner, pool=pool.pk).context["page"].pool is None
    assert "You are in no pool" in story(people.owner).content.decode()


@pytest.mark.parametrize("query", [{"pool": "x", "days": "-1"}, {"pool": "9" * 30, "days": "365"}, {"days": "٣"}])
def test_an_address_that_cannot_be_shows_the_first_pool_and_the_usual_days(people, query):
    world(rep_of(people.owner))
    page = story(people.owner, **query).context["page"]
    assert (page.pool.line.name, page.days) == ("Sales", 30)


def test_who_owns_no_leads_is_told_why_and_a_visitor_signs_in(people, client):
    assert "You have no rep profile" in story(people.manager).content.decode()
    assert client.get("/my/fairness/").headers["Location"].startswith("/login/")


def test_the_page_costs_as_many_queries_after_many_leads_as_after_few(people):
    world(rep_of(people.owner), rep_of(people.teammate))
    client, counts = signed_in(people.owner), []
    for more in (2, 20):
        assign(more)
        client.get("/my/fairness/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/my/fairness/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 18


# --- Of somebody whom the reader looks after ------------------------------------------------------


def of(people, reader, **query):
    return signed_in(reader).get(f"/availability/{people.owner.rep.pk}/fairness/", query)


def test_a_manager_reads_the_same_of_a_member_in_the_third_person(people):
    world(rep_of(people.owner), rep_of(people.teammate), team=people.team)
    assign(4)
    services.return_lead(
        Assignment.objects.filter(rep__user=people.owner).first().lead_id, actor=people.owner, reason="spam"
    )
    set_away(rep_of(people.owner), reason="dentist", actor=None)
    assign(1)
    mine, theirs = (page.context["page"].pool for page in (story(people.owner), of(people, people.manager)))
    assert (mine.days, mine.skips, mine.shares, mine.owed) == (theirs.days, theirs.skips, theirs.shares, theirs.owed)
    assert "they could take 4" in theirs.words[0]
    assert theirs.words[1] == "Their share of those, by weight, was 2.0 leads. They got 2."
    assert "That cost them nothing: their place in line stayed as it was." in " ".join(theirs.words)
    shown = of(people, people.manager).content.decode()
    main = re.sub(r"<[^>]+>", " ", shown[shown.index("<main") :])
    assert "Fairness of Owner Person" in " ".join(main.split())
    assert not re.findall(r"\b(?:you|your|yours|I|my|me)\b", main, re.IGNORECASE)


def test_ones_own_page_by_its_number_speaks_to_oneself(people):
    world(rep_of(people.owner), team=people.team)
    assert of(people, people.owner).context["page"].own


def test_a_manager_is_told_the_names_only_of_leads_that_the_manager_may_see(people):
    world(rep_of(people.owner), team=people.team)
    assign(2, first_name="Secret")
    Lead.objects.filter(pk=Lead.objects.order_by("pk").first().pk).update(team=people.other_team)
    shown = of(people, people.manager).content.decode()
    assert shown.count("They got Secret") == 1
    assert "They got it" in shown
    hidden = Lead.objects.get(team=people.other_team)
    assert str(hidden.uid) not in shown


def test_who_looks_after_nobody_finds_no_such_page(people):
    for user in (people.teammate, people.stranger):
        assert of(people, user).status_code == 404


def test_the_page_of_a_team_leads_there(people):
    shown = signed_in(people.manager).get("/team/availability/").content.decode()
    assert f'href="/availability/{people.owner.rep.pk}/fairness/"' in shown


@pytest.mark.parametrize(
    ("credit", "said"), [(0, "they are even"), (UNIT, "owes them 1.0 leads"), (-UNIT, "they are 1.0 leads ahead")]
)
def test_a_credit_is_told_in_the_third_person(credit, said):
    assert owed_words(credit, OF_THEM) == said
