"""SLA policies in the admin: ladders drawn, oddities told, faults on their field, rules that name them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from distribution.hours import load_timetable
from distribution.ladders import draw_policy, duration_words, policy_warnings
from distribution.models import EscalationStep, SLAPolicy, WorkingHours, WorkShift
from distribution.rulechecks import check_rule_set
from distribution.rulediff import changes_between
from distribution.rulesets import clone_rule_set
from distribution.rulewords import then_words
from tests.distribution.setups import make_rep, make_rule, make_rule_set, publish

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADD = "/admin/distribution/slapolicy/add/"
Step = tuple[str, int | None, int | None, str]


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def make_policy(*steps: Step, **fields: Any) -> SLAPolicy:
    """A policy with steps: (clock, minutes, percent, action)."""
    policy = SLAPolicy.objects.create(**{"name": "Fast", "is_default": True, **fields})
    for clock, minutes, percent, action in steps:
        EscalationStep.objects.create(
            policy=policy, clock=clock, after_minutes=minutes, after_percent=percent, action=action
        )
    return policy


def warnings(policy: SLAPolicy) -> list[str]:
    return policy_warnings(policy, NOW, load_timetable())


def form(*steps: dict[str, str], **fields: Any) -> dict[str, Any]:
    data = {"name": "Fast", "time": "clock", "accept_minutes": "15", "max_hops": "3", **fields}
    data |= {"steps-TOTAL_FORMS": len(steps), "steps-INITIAL_FORMS": 0}
    for number, step in enumerate(steps):
        row = {"clock": "accept", "action": "remind", **step}
        data |= {f"steps-{number}-{name}": value for name, value in row.items()}
    return data


# --- The drawing ---


def test_a_line_has_its_steps_and_the_promise_in_the_order_of_time():
    policy = make_policy(
        ("accept", 30, None, "reassign"), ("accept", None, 80, "remind"), accept_minutes=20, contact_minutes=60
    )
    accept, contact = draw_policy(policy)
    assert [(mark.when, mark.what, mark.is_promise) for mark in accept.marks] == [
        ("16 min", "Remind the owner", False),
        ("20 min", "The promise is broken", True),
        ("30 min", "Reassign to the next who can take it", False),
    ]
    assert [mark.x for mark in accept.marks] == [53.13, 65.67, 97]
    assert (contact.title, len(contact.marks)) == ("Contact within", 1)


def test_marks_that_would_touch_stand_below_one_another():
    steps: list[Step] = [("accept", minutes, None, "remind") for minutes in (9, 10, 10, 60)]
    line = draw_policy(make_policy(*steps, accept_minutes=10))[0]
    assert [mark.lane for mark in line.marks] == [0, 1, 2, 3, 0]
    assert line.lanes == 4


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "at once"), (0.6, "36 s"), (45, "45 min"), (60, "1 h"), (90, "1 h 30 min")]
)
def test_a_length_of_time_in_words(minutes: float, words: str):
    assert duration_words(timedelta(minutes=minutes)) == words


# --- What is odd ---


def test_a_policy_that_is_as_it_should_be():
    steps: list[Step] = [("accept", None, 80, "remind"), ("accept", 15, None, "reassign")]
    assert warnings(make_policy(*steps, accept_minutes=15, time="clock")) == []


@pytest.mark.parametrize(
    ("steps", "fields", "words"),
    [
        ([], {}, "It promises nothing"),
        (
            [],
            {"accept_minutes": 15},
            "“Accept within” has no steps: when the promise is broken, the owner and the manager",
        ),
        ([("idle", 5, None, "remind")], {"accept_minutes": 15}, "“Idle after” has steps but no minutes"),
        (
            [("accept", 20, None, "manager"), ("accept", 10, None, "remind")],
            {"accept_minutes": 15},
            "“10 min: Remind the owner” comes before “20 min: Tell the manager”, but is listed after it",
        ),
        (
            [("accept", 10, None, "reassign"), ("accept", None, 100, "manager")],
            {"accept_minutes": 15},
            "“100 %: Tell the manager” of “Accept within” is never taken",
        ),
        (
            [("contact", 10, None, "offer_team"), ("contact", 12, None, "remind")],
            {"contact_minutes": 15},
            "“12 min: Remind the owner” of “Contact within” is never taken",
        ),
        ([("accept", 1, None, "remind")], {"accept_minutes": 60, "contact_minutes": 30}, "Accepting may take longer"),
        (
            [("accept", 45, None, "remind")],
            {"accept_minutes": 15, "contact_minutes": 30},
            "comes after the contact was promised (30 min)",
        ),
        ([("accept", 1, None, "remind")], {"accept_minutes": 5, "is_default": False}, "No policy is the default"),
    ],
)
def test_what_is_odd_about_a_policy_is_told(steps: list[Step], fields: dict[str, Any], words: str):
    assert any(words in sentence for sentence in warnings(make_policy(*steps, **{"time": "clock", **fields})))


def test_idleness_needs_no_steps_of_its_own():
    assert warnings(make_policy(idle_minutes=30, time="clock")) == []


def test_steps_of_the_lead_itself_go_on_after_a_reassignment():
    steps: list[Step] = [("lead", 10, None, "reassign"), ("lead", 20, None, "manager")]
    assert warnings(make_policy(*steps, lead_minutes=15, time="clock")) == []


def office() -> WorkingHours:
    hours = WorkingHours.objects.create(name="Office", time_zone="UTC", is_default=True)
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(9), end=time(18))
    return hours


def test_a_policy_by_the_clock_that_escalates_while_nobody_works():
    policy = make_policy(("accept", 5, None, "remind"), accept_minutes=5, time="clock")
    make_rep("Ada")
    assert warnings(policy) == []
    office()
    assert "nobody works from Friday 18:00 to Monday 09:00 UTC" in warnings(policy)[0]
    make_rep("Bo", hours=WorkingHours.objects.create(name="Night and day", always=True))
    assert warnings(policy) == []


def test_a_policy_in_working_time_without_working_hours():
    policy = make_policy(("accept", 5, None, "remind"), accept_minutes=5)
    make_rep("Ada")
    assert "Nobody has working hours" in warnings(policy)[0]
    office()
    assert warnings(policy) == []


@pytest.mark.parametrize("minutes", ["0", "-1"])
def test_too_few_minutes_are_told_once(boss: Client, minutes: str):
    response = boss.post(ADD, form(accept_minutes=minutes))
    assert response.context["adminform"].form.errors["accept_minutes"] == ["At least 1 minute."]


# --- The page ---


@time_machine.travel(NOW, tick=False)
def test_the_page_draws_the_ladder_and_names_the_rules(boss: Client):
    policy, rules = make_policy(("accept", 10, None, "remind"), accept_minutes=15), make_rule_set()
    make_rule(rules, "Big ones", pool=rules.catch_all_pool, sla_policy=policy)
    publish(rules)
    text = boss.get(reverse("admin:distribution_slapolicy_change", args=[policy.pk])).content.decode()
    assert "10 min: Remind the owner" in text
    assert "15 min: The promise is broken" in text
    assert "Big ones" in text


def test_a_policy_is_added_with_its_ladder(boss: Client):
    wish = form({"after_percent": "80"}, {"after_minutes": "20", "action": "reassign"})
    assert boss.post(ADD, wish).status_code == 302
    assert list(EscalationStep.objects.values_list("after_minutes", "after_percent", "action")) == [
        (None, 80, "remind"),
        (20, None, "reassign"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("accept_minutes", "0"), ("contact_minutes", "-1"), ("lead_minutes", "99999999"), ("idle_minutes", "x")),
        *(("max_hops", "-1"), ("min_priority", "99999999"), ("time", "moon"), ("name", "")),
    ],
)
def test_what_is_wrong_with_a_policy_stands_on_its_field(boss: Client, field: str, value: str):
    assert field in boss.post(ADD, form(**{field: value})).context["adminform"].form.errors


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({}, "after_minutes"),
        ({"after_minutes": "5", "after_percent": "80"}, "after_percent"),
        ({"after_percent": "5000"}, "after_percent"),
        ({"after_minutes": "99999999"}, "after_minutes"),
        ({"after_minutes": "5", "action": "explode"}, "action"),
        ({"after_minutes": "5", "clock": "cuckoo"}, "clock"),
    ],
)
def test_what_is_wrong_with_a_step_stands_on_its_field(boss: Client, step: dict[str, str], field: str):
    response = boss.post(ADD, form(step))
    assert field in response.context["inline_admin_formsets"][0].formset.errors[0]
    assert not SLAPolicy.objects.exists()


def archive(client: Client, policy: SLAPolicy) -> None:
    client.post(
        reverse("admin:distribution_slapolicy_changelist"), {"action": "archive", "_selected_action": [policy.pk]}
    )


def test_a_policy_in_use_is_not_archived_and_none_is_deleted(boss: Client):
    policy, rules = make_policy(accept_minutes=15, is_default=False), make_rule_set()
    make_rule(rules, "Big ones", pool=rules.catch_all_pool, sla_policy=policy)
    publish(rules)
    archive(boss, policy)
    assert not SLAPolicy.objects.exclude(archived_at=None).exists()
    publish(make_rule_set("Without"))
    archive(boss, policy)
    assert SLAPolicy.objects.exclude(archived_at=None).exists()
    assert boss.get(reverse("admin:distribution_slapolicy_delete", args=[policy.pk])).status_code == 403


# --- Rules ---


def test_a_rule_says_its_policy_in_words_and_a_change_of_it_is_a_difference():
    rules = publish(make_rule_set())
    draft = clone_rule_set(rules, actor=None)
    rule = make_rule(draft, "Big ones", pool=draft.catch_all_pool, sla_policy=make_policy(accept_minutes=15))
    assert then_words(rule).endswith("under SLA policy Fast")
    assert any("under SLA policy Fast" in change for change in changes_between(rules, draft))


def test_a_rule_that_names_an_archived_policy_cannot_go_live():
    rules = make_rule_set()
    make_rule(rules, "Big ones", pool=rules.catch_all_pool, sla_policy=make_policy(accept_minutes=15, archived_at=NOW))
    problems = [(problem.field, problem.severity) for problem in check_rule_set(rules)]
    assert ("sla_policy", "error") in problems
