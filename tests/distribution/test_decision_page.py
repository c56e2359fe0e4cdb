"""The decision page, the lists of offers, and what can be done from both."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution import services
from distribution.engine.eligibility import FILTERS
from distribution.models import Decision, DecisionTrace, PoolMember, Rep
from pipeline.models import Lead, Team
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, world
from tests.pipeline.api.partner import LEADS, Partner
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def pool(people):
    """Owner and teammate share leads; Cyd is on leave and Dan is full."""
    owner, teammate = people.owner.rep, people.teammate.rep
    away = make_rep("Cyd", status="away", away_reason="on leave")
    full = make_rep("Dan", capacity=2, open_leads=2)
    pool = make_pool("DACH", owner, teammate, away, full, method="weighted", team=people.team)
    PoolMember.objects.filter(rep=owner).update(weight=3, credit=250_000_000)
    PoolMember.objects.filter(rep=teammate).update(credit=-250_000_000)
    rules = make_rule_set("Spring", pool=pool)
    make_rule(rules, "Big", ("value", "gte", 50_000), pool=pool)
    make_rule(rules, "German", ("country", "any_of", ["DE", "AT"]), pool=pool)
    publish(rules)
    return pool


@pytest.fixture
def lead(pool):
    lead = make_lead(last_name="Lovelace", country="DE")
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    return lead


def page_of(lead, user, path="decision/"):
    response = signed_in(user).get(f"/leads/{lead.uid}/{path}")
    assert response.status_code == 200
    return response.content.decode()


def words(html):
    """What a reader sees, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- What it tells -----------------------------------------------------------------------------


def test_it_tells_sentence_rule_version_trigger_actor_and_duration(lead, people):
    decision = Decision.objects.get()
    Decision.objects.update(duration_us=1234)
    seen = words(page_of(lead, people.owner))
    assert lead.routing_sentence in seen
    assert "Lead created, by the system" in seen
    assert "Decided in 1.2 ms" in seen
    assert f"Spring (version {decision.rule_set.version})" in seen
    assert decision.digest in seen


def test_it_tells_who_asked_for_a_decision(lead, people):
    services.reassign_lead(lead.pk, actor=people.manager, reason="Ill")
    assert "Reassigned, by Manager Person" in words(page_of(lead, people.manager))


def test_it_shows_the_rules_in_order_with_the_values_compared(lead, people):
    seen = words(page_of(lead, people.owner))
    assert "Big Passed over ✗ Value in base currency is at least 50,000 : it was blank" in seen
    assert "German Matched ✓ Country is any of Germany, Austria : it was Germany" in seen
    assert seen.index("Big Passed over") < seen.index("German Matched")


def test_it_shows_every_candidate_with_verdict_code_credits_weight_and_load(lead, people):
    page = page_of(lead, people.owner)
    rows = re.findall(r"<tr class=\"(\w*)\">(.*?)</tr>", page, re.DOTALL)
    assert [(kind, words(row)) for kind, row in rows] == [
        ("won", "1 Owner Person Gets it 0 3 75.0% +0.25 +1.00 +0.00 none"),
        ("", "2 Teammate Person Can take it 0 1 25.0% -0.25 +0.00 +0.00 none"),
        ("refused", "– Cyd Away on leave 0 1 – – – – none"),
        ("refused", "– Dan At capacity at 2 of 2 open 2 of 2 1 – – – – none"),
    ]
    assert 'title="away"' in page
    assert 'title="at_capacity"' in page
    assert "Ties go to whoever has waited longest" in page


@pytest.mark.parametrize("earlier", [datetime(2024, 3, 2, 12, tzinfo=UTC), None])
def test_of_a_single_rep_it_tells_the_lead_before_this_decision(people, earlier):
    rules = make_rule_set("Spring")
    make_rule(rules, "Key accounts", target="rep", rep=people.owner.rep)
    publish(rules)
    Rep.objects.filter(pk=people.owner.rep.pk).update(last_assigned_at=earlier)
    lead = make_lead(last_name="Lovelace")
    services.assign_lead(lead.pk)
    seen = words(page_of(lead, people.owner))
    told = "2 Mar 2024, 12:00" if earlier else "none"
    assert f"Lead before 1 Owner Person Gets it 0 1 {told} " in seen


def test_of_a_pool_it_tells_the_lead_before_from_that_pool(lead, people):
    assert "Lead before, from this pool 1 Owner Person" in words(page_of(lead, people.owner))


def test_a_rule_tried_in_vain_is_in_the_sentence_wherever_it_is_read(people, capsys):
    """On the page, the panel of the lead's page, the command line and in the API."""
    away = make_rep("Cyd", status="away", away_reason="on leave")
    rules = make_rule_set("Spring")
    make_rule(rules, "Key accounts", target="rep", rep=away)
    make_rule(rules, "Everything", pool=make_pool("Rest", people.owner.rep))
    publish(rules)
    partner = Partner("web")
    lead = make_lead(last_name="Lovelace", source=partner.source)
    services.assign_lead(lead.pk)
    call_command("explain", str(lead.uid))
    said = "rule “Key accounts”: nobody is there (Cyd on leave); so rule “Everything”, pool “Rest”"
    assert said in words(page_of(lead, people.owner))
    panel = signed_in(people.owner).get(f"/leads/{lead.uid}/decision/", headers={"HX-Request": "true"})
    assert said in words(panel.content.decode())
    assert said in capsys.readouterr().out
    assert said in partner.get(f"{LEADS}{lead.uid}/").json()["summary"]


@pytest.mark.parametrize("code", list(FILTERS))
def test_every_reason_code_has_words(code, lead, people):
    trace = DecisionTrace.objects.get()
    trace.data["attempts"][0]["candidates"][2]["code"] = code
    trace.save()
    page = page_of(lead, people.owner)
    assert FILTERS[code].label in page
    assert f'title="{code}"' in page


def test_what_became_of_a_lead_since_its_last_decision_comes_first(pool, people):
    queue = make_pool("Desk", people.owner.rep, method="pull", team=people.team)
    publish(make_rule_set("Desk", pool=queue))
    lead = make_lead(country="FR", team=people.team)
    services.assign_lead(lead.pk)
    assert "How it was routed before that" not in words(page_of(lead, people.owner))
    services.claim_lead(lead.pk, rep=people.owner.rep)
    seen = words(page_of(lead, people.owner))
    assert seen.index("Taken by Owner Person.") < seen.index("How it was routed before that")
    assert "Nobody has to do anything" not in seen


def test_an_outcome_that_needs_somebody_says_what_to_do(pool, people):
    Rep.objects.filter(pk__in=(people.owner.rep.pk, people.teammate.rep.pk)).update(active=False)
    Rep.objects.filter(name="Dan").update(active=False)
    lead = make_lead(country="DE", team=people.team)
    services.assign_lead(lead.pk)
    seen = words(page_of(lead, people.manager))
    assert "Nobody is there. Wait, bring someone back, or add a fallback pool." in seen


def test_a_lead_that_was_never_routed_says_so(pool, people):
    lead = make_lead(team=people.team)
    assert "have not been asked about this lead" in page_of(lead, people.owner)


def test_earlier_decisions_are_listed_and_can_be_opened(lead, people):
    first = Decision.objects.get()
    services.reassign_lead(lead.pk, actor=people.manager, reason="Ill")
    second = Decision.objects.exclude(pk=first.pk).get()
    latest = page_of(lead, people.manager)
    assert second.digest in latest
    assert f'href="/leads/{lead.uid}/decision/{first.pk}/"' in latest
    assert first.digest in page_of(lead, people.manager, f"decision/{first.pk}/")


def test_the_decision_of_another_lead_is_not_found(lead, people, pool):
    other = make_lead(country="DE")
    services.assign_lead(other.pk)
    number = Decision.objects.get(lead=other).pk
    assert signed_in(people.manager).get(f"/leads/{lead.uid}/decision/{number}/").status_code == 404


def test_only_staff_who_may_see_decisions_are_shown_the_way_to_the_admin(lead, people):
    assert "Open in the admin" not in page_of(lead, people.manager)
    people.manager.is_staff = True
    people.manager.save()
    assert "Open in the admin" not in page_of(lead, people.manager)
    people.manager.user_permissions.add(Permission.objects.get(codename="view_decision"))
    link = f'href="/admin/distribution/decision/{Decision.objects.get().pk}/change/"'
    assert link in page_of(lead, people.manager)


def test_when_the_table_has_been_pruned_the_sentence_stays(lead, people):
    DecisionTrace.objects.all().delete()
    seen = words(page_of(lead, people.owner))
    assert Decision.objects.get().sentence in seen
    assert "past their time of keeping" in seen
    assert "rule German , pool DACH , Weighted round robin, winner Owner Person" in seen


def test_it_is_a_page_and_for_htmx_the_panel_of_the_lead_page(lead, people):
    assert "<html" in page_of(lead, people.owner)
    part = signed_in(people.owner).get(f"/leads/{lead.uid}/decision/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.lstrip().startswith('<div class="decision">')


def test_hostile_names_are_shown_as_text(people):
    rough = "<script>alert(1)</script>\u202e"
    pool = make_pool(rough, people.owner.rep, team=people.team)
    Rep.objects.update(name=rough)
    rules = make_rule_set(rough, pool=pool)
    make_rule(rules, rough, ("city", "is", rough), pool=pool)
    publish(rules)
    lead = make_lead(last_name=rough, city=rough)
    services.assign_lead(lead.pk)
    page = page_of(lead, people.manager)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


def test_it_costs_as_many_queries_with_forty_rules_and_reps_as_with_one(people):
    def cost(rule_count, rep_count):
        reps = [make_rep(f"R{rule_count}-{number}") for number in range(rep_count)]
        pool = make_pool(f"P{rule_count}", people.owner.rep, *reps, team=people.team)
        rules = make_rule_set(f"S{rule_count}", pool=pool)
        for number in range(rule_count):
            make_rule(rules, f"N{number}", ("city", "is", "Nowhere"), pool=pool)
        publish(rules)
        lead = make_lead(country="DE", team=people.team)
        services.assign_lead(lead.pk)
        page_of(lead, people.manager)
        client = signed_in(people.manager)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/leads/{lead.uid}/decision/")
        return len(queries)

    assert cost(1, 1) == cost(40, 40) <= 13


# --- Accepting and taking ----------------------------------------------------------------------


def told(client, path, **form):
    """What the person is told after pressing a button."""
    response = client.post(path, form, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_the_owner_accepts_a_lead_and_returns_to_the_board(lead, people):
    client = signed_in(people.owner)
    response = client.post(f"/leads/{lead.uid}/accept/", {"next": "/board/sales/?who=mine#lead-1"})
    assert response.headers["Location"] == "/board/sales/?who=mine#lead-1"
    lead.refresh_from_db()
    assert lead.accepted_at


def test_accepting_twice_changes_nothing_the_second_time(lead, people):
    client = signed_in(people.owner)
    client.post(f"/leads/{lead.uid}/accept/")
    accepted = Lead.objects.get(pk=lead.pk).accepted_at
    assert told(client, f"/leads/{lead.uid}/accept/") == ["You have accepted Lovelace."] * 2
    assert Lead.objects.get(pk=lead.pk).accepted_at == accepted


def test_nobody_else_accepts_for_the_owner(lead, people):
    Rep.objects.create(user=people.manager, name="Manager Person")
    assert told(signed_in(people.manager), f"/leads/{lead.uid}/accept/") == ["This lead is not yours, or it is closed."]
    lead.refresh_from_db()
    assert lead.accepted_at is None


def test_a_manager_without_a_profile_is_told_why_a_lead_cannot_be_theirs(lead, people):
    (message,) = told(signed_in(people.manager), f"/leads/{lead.uid}/accept/")
    assert message.startswith("You have no rep profile")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_button_never_leads_to_another_site(lead, people, target):
    response = signed_in(people.owner).post(f"/leads/{lead.uid}/accept/", {"next": target})
    assert response.headers["Location"] == f"/leads/{lead.uid}/"


@pytest.mark.parametrize("path", ["accept", "claim", "/offers/next/"])
def test_looking_at_an_action_does_nothing(lead, people, path):
    address = path if path.startswith("/") else f"/leads/{lead.uid}/{path}/"
    assert signed_in(people.owner).get(address).status_code == 405


@pytest.fixture
def offered(people):
    """A lead offered to owner and teammate, through a pool that belongs to no team."""
    world(people.owner.rep, people.teammate.rep, method="claim")
    lead = make_lead(last_name="Hopper", company="Navy")
    services.assign_lead(lead.pk)
    return lead


def test_what_was_offered_to_a_rep_is_listed_even_when_no_team_owns_it(offered, people):
    assert "Hopper" in signed_in(people.owner).get("/offers/").content.decode()
    assert "Hopper" not in signed_in(people.stranger).get("/offers/").content.decode()
    assert signed_in(people.manager).get("/offers/", headers={"HX-Request": "true"}).content.strip() == b""


def test_the_first_to_take_an_offered_lead_has_it_and_the_second_is_told_who_does(offered, people):
    assert told(signed_in(people.teammate), f"/leads/{offered.uid}/claim/") == ["Hopper is yours."]
    assert told(signed_in(people.owner), f"/leads/{offered.uid}/claim/") == [
        "Teammate Person was faster: Hopper is taken."
    ]
    offered.refresh_from_db()
    assert offered.owner == people.teammate


def test_who_does_not_know_the_winner_is_not_told_the_name(offered, people):
    people.team.members.remove(people.owner)
    told(signed_in(people.teammate), f"/leads/{offered.uid}/claim/")
    assert told(signed_in(people.owner), f"/leads/{offered.uid}/claim/") == [
        "Somebody else was faster: Hopper is taken."
    ]


def test_an_offer_that_has_ended_without_a_winner_was_lost_to_nobody(offered, people):
    services.exclude_lead(offered.pk, actor=people.manager, reason="A test")
    assert told(signed_in(people.owner), f"/leads/{offered.uid}/claim/") == ["Hopper is not offered to you any more."]


def test_a_board_is_answered_with_notices_and_looks_by_itself_what_changed(offered, people):
    part = {"HX-Request": "true"}
    won = signed_in(people.teammate).post(f"/leads/{offered.uid}/claim/", headers=part)
    assert (won.status_code, json.loads(won.headers["HX-Trigger"])) == (
        204,
        {"toast": {"text": "Hopper is yours.", "tone": "success"}, "board-changed": {}, "offers-changed": {}},
    )
    lost = signed_in(people.owner).post(f"/leads/{offered.uid}/claim/", headers=part)
    assert (lost.status_code, json.loads(lost.headers["HX-Trigger"])["toast"]) == (
        409,
        {"text": "Teammate Person was faster: Hopper is taken.", "tone": "info"},
    )
    assert signed_in(people.owner).get("/offers/", headers=part).content.strip() == b""


def test_a_lead_that_was_not_offered_to_someone_does_not_exist_for_them(offered, people):
    assert signed_in(people.stranger).post(f"/leads/{offered.uid}/claim/").status_code == 404


def test_a_rep_asks_for_the_next_lead_and_gets_its_page(people):
    world(people.owner.rep, method="pull")
    lead = make_lead(last_name="Hopper")
    services.assign_lead(lead.pk)
    response = signed_in(people.owner).post("/offers/next/")
    assert response.headers["Location"] == f"/leads/{lead.uid}/"


def test_when_nothing_waits_the_rep_is_told(people):
    assert told(signed_in(people.owner), "/offers/next/") == ["Nothing is waiting at the moment."]


def test_the_list_of_offers_costs_as_many_queries_with_many_as_with_one(people):
    world(people.owner.rep, method="claim")
    client = signed_in(people.owner)
    client.get("/offers/")  # notes once a minute that the user was seen
    counts = []
    for number in (1, 20):
        for _ in range(number):
            services.assign_lead(make_lead(last_name="Hopper").pk)
        with CaptureQueriesContext(connection) as queries:
            client.get("/offers/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_team_queue_offers_its_leads_to_the_team(people):
    rules = make_rule_set("Queue")
    make_rule(rules, "All", target="team_queue", team=Team.objects.get(name="Berlin"))
    publish(rules)
    lead = make_lead(last_name="Hopper")
    services.assign_lead(lead.pk)
    assert "Hopper" in signed_in(people.teammate).get("/offers/").content.decode()
    assert told(signed_in(people.teammate), f"/leads/{lead.uid}/claim/") == ["Hopper is yours."]
