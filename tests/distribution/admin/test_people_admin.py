"""Reps and pools in the admin: state today, memberships that last, shares that are computed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from distribution.admin.repstate import caps_of, state_of
from distribution.engine.ledger import UNIT
from distribution.models import Pool, PoolMember, Rep, RepCounter, Skill
from distribution.shares import expected_shares, oddities
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, make_user, publish
from tests.distribution.world import make_lead, world

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def change_url(obj: Any) -> str:
    return reverse(f"admin:distribution_{type(obj).__name__.lower()}_change", args=[obj.pk])


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "it was saved"
    return dict(response.context["adminform"].form.errors)


# --- Reps ---

REP: dict[str, Any] = {
    "name": "Ada",
    "active": "on",
    "time_zone": "Europe/Berlin",
    "status": "available",
    "cap_window": "fixed",
    "memberships-TOTAL_FORMS": 0,
    "memberships-INITIAL_FORMS": 0,
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "available"),
        ({"active": False}, "inactive"),
        ({"status": "away"}, "away"),
        ({"status": "away", "away_until": NOW + timedelta(days=1)}, "away until 3 Mar 2026, 09:00 UTC"),
        ({"status": "away", "away_until": NOW - timedelta(days=1)}, "available"),
        ({"capacity": 25, "open_leads": 25}, "full 25 of 25"),
        ({"capacity": 25, "open_leads": 24}, "available"),
    ],
)
def test_the_state_of_a_rep_today(fields: dict[str, Any], words: str):
    assert state_of(make_rep("Ada", **fields), NOW)[1] == words


def test_a_rep_whose_login_is_off_is_inactive():
    rep = make_rep("Ada")
    rep.user.is_active = False
    assert state_of(rep, NOW)[1] == "inactive"


def test_only_this_period_counts_for_a_cap():
    rep = make_rep("Ada", cap_per_day=5, time_zone="UTC")
    for days_ago, count in ((0, 3), (1, 4)):
        midnight = NOW.replace(hour=0) - timedelta(days=days_ago)
        RepCounter.objects.create(rep=rep, period="day", starts_at=midnight, count=count)
    assert caps_of(rep, NOW) == "day 3 of 5"


def test_a_rep_is_added_with_languages_and_a_time_zone(boss: Client):
    user = make_user("ada")
    wish = {**REP, "user": user.pk, "languages": ["de", "en"]}
    assert boss.post(reverse("admin:distribution_rep_add"), wish).status_code == 302
    rep = Rep.objects.get()
    assert (sorted(rep.languages), rep.time_zone) == (["de", "en"], "Europe/Berlin")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("languages", ["xx"]),
        ("time_zone", "Mars/Base"),
        ("capacity", "-1"),
        ("cap_per_day", "99999999999"),
        ("user", "0"),
        ("status", "asleep"),
        ("name", "\0"),
    ],
)
def test_what_is_wrong_with_a_rep_stands_on_its_field(boss: Client, field: str, value: Any):
    wish = {**REP, "user": make_user("ada").pk, field: value}
    assert field in errors(boss.post(reverse("admin:distribution_rep_add"), wish))


def test_somebody_who_is_not_away_has_no_day_of_return(boss: Client):
    wish = {**REP, "user": make_user("ada").pk, "away_until_0": "2099-01-01", "away_until_1": "09:00"}
    assert "away_until" in errors(boss.post(reverse("admin:distribution_rep_add"), wish))


def test_saving_a_rep_does_not_put_back_the_number_of_open_leads(boss: Client, monkeypatch: Any):
    rep = make_rep("Ada", open_leads=1)
    found = Rep.objects.get
    # A lead comes in between reading and saving.
    from distribution.admin.reps import RepForm

    def counted_meanwhile(form: Any) -> dict[str, Any]:
        Rep.objects.filter(pk=rep.pk).update(open_leads=2)
        values: dict[str, Any] = form.cleaned_data
        return values

    monkeypatch.setattr(RepForm, "clean", counted_meanwhile)
    assert boss.post(change_url(rep), {**REP, "name": "Ada L"}).status_code == 302
    assert (found(pk=rep.pk).name, found(pk=rep.pk).open_leads) == ("Ada L", 2)


@time_machine.travel(NOW, tick=False)
def test_reps_are_set_away_and_back_with_a_history(boss: Client):
    rep, url = make_rep("Ada"), reverse("admin:distribution_rep_changelist")
    wish = {"action": "set_away", "_selected_action": [rep.pk], "confirmed": 1, "reason": "on leave"}
    boss.post(url, {**wish, "until_0": "2026-03-05", "until_1": "09:00"})
    rep.refresh_from_db()
    assert (rep.status, rep.away_reason, rep.away_until) == ("away", "on leave", NOW + timedelta(days=3))
    boss.post(url, {"action": "set_available", "_selected_action": [rep.pk]})
    rep.refresh_from_db()
    assert (rep.status, rep.away_reason, rep.away_until) == ("available", "", None)
    assert list(rep.history.values_list("status", flat=True)) == ["available", "away", "available"]
    assert rep.history.first().history_user.username == "boss"


@time_machine.travel(NOW, tick=False)
def test_away_until_a_moment_that_has_passed_is_refused(boss: Client):
    rep = make_rep("Ada")
    wish = {
        "action": "set_away",
        "_selected_action": [rep.pk],
        "confirmed": 1,
        "until_0": "2026-03-01",
        "until_1": "9:00",
    }
    assert "has passed" in boss.post(reverse("admin:distribution_rep_changelist"), wish).content.decode()
    rep.refresh_from_db()
    assert rep.status == "available"


@pytest.mark.parametrize(("state", "names"), [("available", ["In"]), ("away", ["Out"]), ("inactive", ["Gone"])])
def test_reps_are_filtered_by_their_state(boss: Client, state: str, names: list[str]):
    make_rep("In", status="away", away_until=timezone.now() - timedelta(1))
    make_rep("Out", status="away")
    make_rep("Gone", active=False, status="away")
    found = boss.get(reverse("admin:distribution_rep_changelist"), {"state": state}).context["cl"].result_list
    assert [rep.name for rep in found] == names


def test_a_skill_that_a_live_rule_asks_for_cannot_be_deleted(boss: Client):
    skill, rules = Skill.objects.create(name="Crane"), make_rule_set()
    make_rule(rules, "Cranes", pool=rules.catch_all_pool).required_skills.add(skill)
    publish(rules)
    boss.post(reverse("admin:distribution_skill_delete", args=[skill.pk]), {"post": "yes"})
    assert Skill.objects.exists()


# --- Pools ---


def rows(pool: Pool, *new: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the form of a pool sends: its members as they are, further rows, and changes by name."""
    kept = list(pool.members.filter(retired_at=None).order_by("pool", "tier", "id"))
    form: dict[str, Any] = {"name": pool.name, "method": pool.method, "period": pool.period, "offer_minutes": 15}
    form |= {"members-TOTAL_FORMS": len(kept) + len(new), "members-INITIAL_FORMS": len(kept)}
    for number, member in enumerate(kept):
        row = {"id": member.pk, "pool": pool.pk, "rep": member.rep_id, "weight": member.weight, "tier": member.tier}
        form |= {f"members-{number}-{name}": value for name, value in row.items()}
    for number, row in enumerate(new, start=len(kept)):
        form |= {f"members-{number}-{name}": value for name, value in {"weight": 1, "tier": 1, **row}.items()}
    return form | changes


def test_a_removed_member_is_retired_with_the_credit_and_gets_both_back_on_return(boss: Client):
    pool = make_pool("Sales", "Ada", "Bo")
    ada = PoolMember.objects.get(rep__name="Ada")
    PoolMember.objects.filter(pk=ada.pk).update(credit=7)
    boss.post(change_url(pool), rows(pool, **{"members-0-DELETE": "on"}))
    ada.refresh_from_db()
    assert (ada.retired_at is not None, ada.credit) == (True, 7)
    assert "Ada" not in {member.rep.name for member in pool.members.filter(retired_at=None)}
    assert boss.post(change_url(pool), rows(pool, {"rep": ada.rep_id, "weight": 3})).status_code == 302
    ada.refresh_from_db()
    assert (ada.retired_at, ada.credit, ada.weight) == (None, 7, 3)
    assert pool.members.count() == 2


def test_saving_a_member_does_not_put_back_a_credit_that_was_posted_meanwhile(boss: Client, monkeypatch: Any):
    from distribution.admin.pools import MemberForm

    def posted_meanwhile(form: Any) -> dict[str, Any]:
        PoolMember.objects.update(credit=9, open_leads=4)
        values: dict[str, Any] = form.cleaned_data
        return values

    pool = make_pool("Sales", "Ada", "Bo")
    monkeypatch.setattr(MemberForm, "clean", posted_meanwhile)
    assert boss.post(change_url(pool), rows(pool, **{"members-0-weight": 5})).status_code == 302
    ada = PoolMember.objects.get(rep__name="Ada")
    assert (ada.weight, ada.credit, ada.open_leads) == (5, 9, 4)


def test_a_place_cannot_pass_to_somebody_else(boss: Client):
    pool, other = make_pool("Sales", "Ada"), make_rep("Cy")
    boss.post(change_url(pool), rows(pool, **{"members-0-rep": other.pk}))
    assert PoolMember.objects.get(pool=pool).rep.name == "Ada"


def test_nobody_is_in_a_pool_twice(boss: Client):
    pool = make_pool("Sales", "Ada")
    ada = Rep.objects.get(name="Ada")
    response = boss.post(change_url(pool), rows(pool, {"rep": ada.pk}))
    assert response.status_code == 200
    assert pool.members.count() == 1


@pytest.mark.parametrize(
    ("field", "value"), [("weight", "-1"), ("weight", "99999999999"), ("tier", "-1"), ("max_open", "x"), ("rep", "abc")]
)
def test_what_is_wrong_with_a_member_stands_on_its_field(boss: Client, field: str, value: str):
    pool, cy = make_pool("Sales", "Ada"), make_rep("Cy")
    response = boss.post(change_url(pool), rows(pool, {"rep": cy.pk, field: value}))
    assert field in response.context["inline_admin_formsets"][0].formset.errors[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "lottery"),
        ("offer_minutes", "0"),
        ("relax", "weight"),
        ("relax", "skill after soon"),
        ("relax", "skill, skill"),
        ("relax", "skill after 9, language"),
        ("name", ""),
    ],
)
def test_what_is_wrong_with_a_pool_stands_on_its_field(boss: Client, field: str, value: str):
    pool = make_pool("Sales", "Ada")
    assert field in errors(boss.post(change_url(pool), rows(pool, **{field: value})))


def test_the_order_in_which_demands_are_dropped_is_kept(boss: Client):
    pool = make_pool("Sales", "Ada")
    boss.post(change_url(pool), rows(pool, relax="language, skill after 30"))
    pool.refresh_from_db()
    assert pool.relax == [{"demand": "language", "after": 0}, {"demand": "skill", "after": 30}]


@pytest.mark.parametrize(
    ("method", "weights", "shares"),
    [
        ("weighted", {"A": 3, "B": 1}, {"A": 0.75, "B": 0.25}),
        ("round_robin", {"A": 3, "B": 1}, {"A": 0.5, "B": 0.5}),
        ("weighted", {"A": 3, "B": 0}, {"A": 1.0}),
        ("weighted", {"A": 0, "B": 0}, {"A": 0.5, "B": 0.5}),
        ("claim", {"A": 1, "B": 1}, {}),
    ],
)
def test_the_expected_share_follows_the_method_and_the_weights(method: str, weights: dict[str, int], shares: Any):
    pool = make_pool("Sales", *weights, method=method)
    for name, weight in weights.items():
        PoolMember.objects.filter(rep__name=name).update(weight=weight)
    assert _by_name(pool) == pytest.approx(shares)


def test_who_is_paused_retired_or_not_active_has_no_share():
    pool = make_pool("Sales", "A", "B", "C", "D")
    PoolMember.objects.filter(rep__name="B").update(paused=True)
    PoolMember.objects.filter(rep__name="C").update(retired_at=timezone.now())
    Rep.objects.filter(name="D").update(active=False)
    assert _by_name(pool) == {"A": 1.0}


def test_the_first_tier_has_all_of_the_expected_share():
    pool = make_pool("Sales", "A", "B", method="priority_tiers")
    PoolMember.objects.filter(rep__name="B").update(tier=2)
    assert _by_name(pool) == {"A": 1.0}


def _by_name(pool: Pool) -> dict[str, float]:
    members = list(pool.members.select_related("rep").order_by("id"))
    shares = expected_shares(pool.method, members)
    return {member.rep.name: float(shares[member.pk]) for member in members if member.pk in shares}


def test_the_expected_shares_are_what_routing_gives():
    pool = world("A", "B", "C", method="weighted")
    PoolMember.objects.filter(rep__name="A").update(weight=3)
    from distribution.services import assign_leads

    leads = [make_lead(email=f"{number}@acme.example") for number in range(50)]
    assign_leads([lead.pk for lead in leads])
    got = {member.rep.name: member.open_leads / 50 for member in pool.members.select_related("rep")}
    assert got == pytest.approx(_by_name(pool), abs=0.02)


def test_odd_pools_say_what_is_odd():
    assert "Nobody" in oddities(make_pool("Empty"), [])[0]
    paused = make_pool("Paused", "A")
    PoolMember.objects.update(paused=True)
    assert "Everyone" in oddities(paused, list(paused.members.all()))[0]
    zero = make_pool("Zero", "B", weight=0, method="weighted")
    assert "weights are 0" in oddities(zero, list(zero.members.all()))[0]
    assert oddities(make_pool("Fine", "C"), list(PoolMember.objects.filter(rep__name="C"))) == []


def test_the_form_shows_share_and_credit_in_leads(boss: Client):
    pool = make_pool("Sales", "Ada", "Bo")
    PoolMember.objects.filter(rep__name="Ada").update(credit=2 * UNIT // 3)
    text = boss.get(change_url(pool)).content.decode()
    assert "50.0%" in text
    assert "+0.67" in text


def test_a_pool_that_live_rules_use_is_not_archived(boss: Client):
    pool = world("Ada")
    response = boss.post(
        reverse("admin:distribution_pool_changelist"), {"action": "archive", "_selected_action": [pool.pk]}, follow=True
    )
    assert "live rule set" in response.content.decode()
    pool.refresh_from_db()
    assert pool.archived_at is None
