from contextlib import contextmanager
from datetime import time, timedelta

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from distribution.models import Assignment, Decision, PoolMember
from distribution.rulesets import clone_rule_set
from distribution.snapshots import preview_lead
from pipeline.models import Account, AttributeDefinition, Lead
from pipeline.services.leads import create_lead
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, make_user, publish
from tests.distribution.world import make_lead, make_source, stages

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:distribution_test_lead") if apps.ready else ""


@pytest.fixture
def staff(client):
    user = make_user("ops", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_ruleset", "view_lead"]))
    client.force_login(user)
    return user


@pytest.fixture
def rules():
    """Large leads to a pool of two, the rest to a catch-all."""
    stages()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    senior = make_pool("DACH senior", "Ann", "Bob", method="weighted")
    make_rule(draft, "Large", ("country", "any_of", ["DE", "AT"]), ("employees", "gte", 200), pool=senior)
    return publish(draft)


def try_lead(client, rule_set, *, at="", **fields):
    source = make_source()
    lead = fields.pop("lead", None)
    url = f"{PAGE}?lead={lead.uid}" if lead else PAGE
    response = client.post(url, {"rule_set": rule_set.pk, "source": source.pk, "at": at, **fields})
    assert response.status_code == 200
    return response


def sentence(response):
    assert response.context["form"].errors == {}
    return response.context["result"].sentence


def shown(client, lead):
    """What the form shows of a lead, to be sent back."""
    form = client.get(f"{PAGE}?lead={lead.uid}").context["form"]
    values = {name: form[name].value() for name in form.fields if name not in ("rule_set", "source", "at")}
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def everything():
    """Every row of every table, as far as tests of a lead could touch it."""
    names = ("pipeline", "distribution", "notifications", "admin")
    models = [model for name in names for model in apps.get_app_config(name).get_models()]
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}


@contextmanager
def writes_refused():
    with CaptureQueriesContext(connection) as queries:
        yield
    writes = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    written = [sql for sql in writes if "session" not in sql and "last_seen_at" not in sql]
    assert written == []


def test_the_page_says_who_would_get_a_lead_and_why(staff, client, rules):
    response = try_lead(client, rules, country="Germany", employees="250")
    assert sentence(response).startswith("Assigned to Ann: rule “Large”, pool “DACH senior”, weighted round robin")
    for shown in ("DACH senior", "Employees", "250", "Credit before", response.context["result"].digest):
        assert shown in response.text


def test_a_lead_that_no_rule_places_goes_to_the_catch_all(staff, client, rules):
    assert "Assigned to Eve: no rule placed it, catch-all" in sentence(try_lead(client, rules, country="FR"))


def test_a_draft_is_tried_before_it_is_live(staff, client, rules):
    draft = clone_rule_set(rules, actor=None)
    draft.rules.get().conditions.filter(field="employees").delete()
    fields = {"country": "DE", "employees": "10"}
    assert "Eve" in sentence(try_lead(client, rules, **fields))
    assert "rule “Large”" in sentence(try_lead(client, draft, **fields))


def test_a_hundred_tests_write_nothing(staff, client, rules):
    picked = make_lead(country="DE", employees=300, email="someone@firm.example")
    before = everything()
    with writes_refused():
        for number in range(5):
            try_lead(client, rules, country="DE", employees=str(200 + number), email="new@firm.example")
            try_lead(client, rules, lead=picked, country="DE", employees="300", product="Turbines")
        for number in range(90):
            preview_lead(Lead(source=picked.source, stage=picked.stage, country="DE", employees=200 + number))
    assert everything() == before


@time_machine.travel("2026-03-02 09:00", tick=False)
def test_the_first_real_lead_does_what_the_test_said(staff, client, rules, django_capture_on_commit_callbacks):
    fields = {
        "country": "DE",
        "employees": "250",
        "email": "jo@firm.example",
        "phone": "+49 30 123456",
        "value": "1000",
    }
    said = try_lead(client, rules, **fields, currency="EUR").context["result"]
    with django_capture_on_commit_callbacks(execute=True):
        lead = create_lead(source=make_source(), fields={**fields, "currency": "EUR"})
    real = Decision.objects.get(lead=lead)
    assert (real.sentence, real.digest) == (said.sentence, said.digest)
    assert Assignment.objects.get(lead=lead).rep.name == said.explanation.winner


@time_machine.travel("2026-03-02 09:00", tick=False)
def test_a_stored_lead_tried_unchanged_goes_where_routing_sends_it(
    staff, client, rules, django_capture_on_commit_callbacks
):
    AttributeDefinition.objects.create(key="trial", label="Trial", type="boolean")
    fields = {"country": "DE", "employees": 250, "tags": ["a", "b"], "message": "Hello\nthere", "score": 0}
    lead = make_lead(**fields, attributes={"trial": True}, company="Firm")
    said = try_lead(client, rules, lead=lead, **shown(client, lead)).context["result"]
    from distribution.services import assign_lead

    assign_lead(lead.pk)
    assert Decision.objects.get(lead=lead).digest == said.digest


def test_a_stored_lead_is_tried_with_changes(staff, client, rules):
    lead = make_lead(country="FR", employees=250)
    assert "Eve" in sentence(try_lead(client, rules, lead=lead, **shown(client, lead)))
    changed = {**shown(client, lead), "country": "Austria"}
    assert "rule “Large”" in sentence(try_lead(client, rules, lead=lead, **changed))
    assert Lead.objects.get().country == "FR"


def test_a_changed_company_is_matched_to_its_account(staff, client):
    stages()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(draft, "Owner", target="account_owner")
    owner = make_rep("Olga")
    Account.objects.create(name="Acme", name_key="acme", domain="acme.example", owner=owner.user)
    lead = make_lead(email="jo@other.example")
    assert "Eve" in sentence(try_lead(client, draft, lead=lead, email="jo@other.example"))
    assert "Olga" in sentence(try_lead(client, draft, lead=lead, email="jo@acme.example"))


def test_own_questions_count(staff, client):
    stages()
    AttributeDefinition.objects.create(key="budget", label="Budget year", type="number")
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(draft, "Soon", ("attr.budget", "lte", 2026), pool=make_pool("Fast", "Fay"))
    assert "Fay" in sentence(try_lead(client, draft, question_budget="2026"))
    assert "Eve" in sentence(try_lead(client, draft, question_budget="2027"))


def test_rules_with_hours_are_tried_at_another_time(staff, client):
    stages()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(draft, "Night", pool=make_pool("Night", "Nox"), from_time=time(22), to_time=time(6))
    assert "Nox" in sentence(try_lead(client, draft, at="2026-03-02T23:00"))
    assert "Eve" in sentence(try_lead(client, draft, at="2026-03-02T12:00"))


def test_a_condition_that_cannot_work_is_shown_and_the_others_still_run(staff, client):
    stages()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    make_rule(draft, "Odd", ("colour", "is", "red"), pool=draft.catch_all_pool)
    make_rule(draft, "Rest", pool=make_pool("Rest", "Ray"))
    response = try_lead(client, draft)
    assert "Ray" in sentence(response)
    assert "There is no field" in response.text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("rule_set", "", "Choose the rules"),
        ("rule_set", "999999", "not one of"),
        ("source", "rubbish", "not one of"),
        ("country", "Narnia", "is not a country"),
        ("employees", "many", "number"),
        ("employees", "-1", "greater than or equal"),
        ("email", "nobody", "e-mail"),
        ("phone", "12", "country code"),
        ("score", "101", "from 0 to 100"),
        ("value", "1e30", "digits"),
        ("currency", "XYZ", "not one of"),
        ("language", "tlh", "not one of"),
        ("message", "x" * 20_001, "20000"),
        ("company", "nul\0", "Null"),
        ("at", "noon", "valid date"),
        ("question_budget", "soon", "number"),
    ],
)
def test_rubbish_is_refused_on_its_field(staff, client, rules, field, value, says):
    AttributeDefinition.objects.create(key="budget", label="Budget year", type="number")
    form = client.post(PAGE, {"rule_set": rules.pk, "source": make_source().pk, field: value}).context["form"]
    assert list(form.errors) == [field]
    assert says in " ".join(form.errors[field])


def test_the_page_starts_with_the_rules_and_the_lead_of_its_address(staff, client, rules):
    draft, lead = clone_rule_set(rules, actor=None), make_lead(company="Firm & Sons", employees=7)
    assert client.get(PAGE).context["form"]["rule_set"].value() == rules.pk
    form = client.get(f"{PAGE}?rule_set={draft.pk}&lead={lead.uid}").context["form"]
    assert (form["rule_set"].value(), form["company"].value(), form["employees"].value()) == (
        draft.pk,
        "Firm & Sons",
        7,
    )


def test_leads_are_found_by_what_is_typed(staff, client, rules):
    make_lead(company="Firm & Sons"), make_lead(email="jo@firm.example"), make_lead(company="Other")
    page = client.get(PAGE, {"find": "firm"})
    assert len(page.context["found"]) == 2
    assert "Firm &amp; Sons" in page.text
    assert client.get(PAGE, {"find": "\0%_'"}).context["found"] == []


def test_the_page_of_a_lead_leads_to_it(staff, client, rules):
    lead = make_lead(company="Firm")
    page = client.get(reverse("admin:pipeline_lead_change", args=[lead.pk]))
    link = reverse("admin:pipeline_lead_test_rules", args=[lead.pk])
    assert link in page.text
    assert client.get(link).url == f"{PAGE}?lead={lead.uid}"


@pytest.mark.parametrize("query", ["lead=rubbish", "lead=00000000-0000-4000-8000-000000000000"])
def test_an_unknown_lead_is_not_found(staff, client, rules, query):
    assert client.get(f"{PAGE}?{query}").status_code == 404


@pytest.mark.parametrize("query", ["rule_set=rubbish", "rule_set=99999999999999999999", "rule_set=12345"])
def test_an_unknown_rule_set_is_not_an_error(staff, client, rules, query):
    assert client.get(f"{PAGE}?{query}").status_code == 200


def test_nobody_tests_with_a_lead_that_is_not_theirs(client, rules):
    lead = make_lead(company="Secret")
    user = make_user("partly", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_ruleset"))
    client.force_login(user)
    assert client.get(f"{PAGE}?lead={lead.uid}").status_code == 404
    assert client.get(PAGE, {"find": "secret"}).context["found"] == []


def test_the_page_is_for_those_who_may_see_rules(client, rules):
    client.force_login(make_user("stranger", is_staff=True))
    assert client.get(PAGE).status_code == 403
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_credits_before_and_after_are_those_of_the_ledger(staff, client, rules):
    PoolMember.objects.filter(rep__name="Bob").update(credit=400_000_000)
    PoolMember.objects.filter(rep__name="Ann").update(credit=-400_000_000)
    result = try_lead(client, rules, country="DE", employees="250").context["result"]
    first, second = result.explanation.attempts[0].candidates
    assert (first.name, first.before, first.after) == ("Bob", "+0.40", "-0.10")
    assert (second.name, second.before, second.after) == ("Ann", "-0.40", "+0.10")


def test_the_first_rule_that_matches_and_can_deliver_wins_and_the_others_are_listed(staff, client):
    stages()
    draft = make_rule_set(pool=make_pool("Everyone", "Eve"))
    ended = timezone.now() - timedelta(days=1)
    make_rule(draft, "Off", pool=make_pool("Off", "Oz"), active=False)
    make_rule(draft, "Ended", pool=make_pool("Ended", "Ed"), valid_until=ended)
    make_rule(draft, "Empty", pool=make_pool("Nobody"))
    make_rule(draft, "First", pool=make_pool("One", "Una"))
    make_rule(draft, "Second", pool=make_pool("Two", "Dos"))
    response = try_lead(client, draft)
    assert "Assigned to Una: rule “Empty”, pool “Nobody”: the pool has no members; so rule “First”" in sentence(
        response
    )
    rules = {
        rule.name: (rule.label, rule.reason, rule.followed) for rule in response.context["result"].explanation.rules
    }
    assert rules == {
        "Off": ("Not in force", "switched off", ""),
        "Ended": ("Not in force", f"ended {ended:%Y-%m-%d %H:%M} UTC", ""),
        "Empty": ("Matched", "", "Empty pool"),
        "First": ("Matched", "", "Assigned"),
    }
