"""A lead in the admin: added and edited on the same road as everywhere, acted on, and told about."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from distribution.models import Assignment, Pool, Rep
from pipeline.models import AttributeDefinition, Consent, Event, Lead, LeadSource
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, make_source, stages, world

pytestmark = pytest.mark.django_db

LIST = "/admin/pipeline/lead/"
ADD = f"{LIST}add/"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


@pytest.fixture
def pool() -> Pool:
    stages()
    return world("Ada", "Bo", method="round_robin")


def page(lead: Lead) -> str:
    return reverse("admin:pipeline_lead_change", args=[lead.pk])


def add(client: Client, source: LeadSource, commit: Any, **fields: Any) -> Any:
    with commit(execute=True):
        return client.post(ADD, {"source": source.pk, "priority": 0, **fields})


def edit(client: Client, lead: Lead, **fields: Any) -> Any:
    lead.refresh_from_db()
    same = {name: getattr(lead, name) or "" for name in ("first_name", "last_name", "email", "phone", "country")}
    form = {**same, "priority": 0, "stage": lead.stage_id, "seen_version": lead.version, **inlines(), **fields}
    return client.post(page(lead), form)


def inlines() -> dict[str, str]:
    prefixes = ("decisions", "assignments", "clocks", "events", "tasks", "consents")
    return {f"{prefix}-{total}_FORMS": "0" for prefix in prefixes for total in ("TOTAL", "INITIAL")}


def act(client: Client, name: str, *leads: Lead, **answers: Any) -> Any:
    selection = {"action": name, "_selected_action": [lead.pk for lead in leads], "confirmed": "1"}
    return client.post(f"{LIST}?archived=all", {**selection, **answers}, follow=True)


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# --- Adding ---


def test_a_lead_entered_by_hand_is_normalised_and_routed(
    boss: Client, pool: Pool, django_capture_on_commit_callbacks: Any
):
    response = add(
        boss,
        make_source(),
        django_capture_on_commit_callbacks,
        last_name=" Meier ",
        email="Jo@ACME.example",
        phone="030 123456",
        country="Deutschland",
        agreed=["email"],
    )
    lead = Lead.objects.get()
    assert response.url == page(lead)
    assert (lead.last_name, lead.email, lead.phone, lead.country) == ("Meier", "jo@acme.example", "+4930123456", "DE")
    assert lead.owner is not None
    assert lead.owner.rep.name in ("Ada", "Bo")
    assert Consent.objects.get(lead=lead).channel == "email"
    assert Event.objects.get(lead=lead, kind=Event.Kind.CREATED).actor.username == "boss"


def test_what_is_wrong_stands_on_its_field_and_nothing_is_stored(
    boss: Client, pool: Pool, django_capture_on_commit_callbacks: Any
):
    source = make_source("picky", required_fields=["email", "attributes.budget"])
    source.attributes.add(AttributeDefinition.objects.create(key="budget", label="Budget", type="number"))
    response = add(
        boss, source, django_capture_on_commit_callbacks, phone="nonsense", country="Atlantis", question_budget="a lot"
    )
    assert response.status_code == 200
    assert {"email", "phone", "country", "question_budget"} <= set(errors(response))
    assert not Lead.objects.exists()


def test_our_own_questions_are_asked_and_kept(boss: Client, pool: Pool, django_capture_on_commit_callbacks: Any):
    source = make_source()
    source.attributes.add(AttributeDefinition.objects.create(key="budget", label="Budget", type="number"))
    add(boss, source, django_capture_on_commit_callbacks, email="jo@acme.example", question_budget="12")
    assert Lead.objects.get().attributes == {"budget": 12}


def test_a_second_lead_with_the_same_external_id_is_refused_on_that_field(
    boss: Client, pool: Pool, django_capture_on_commit_callbacks: Any
):
    source = make_source()
    add(boss, source, django_capture_on_commit_callbacks, last_name="A", external_id="7")
    response = add(boss, source, django_capture_on_commit_callbacks, last_name="B", external_id="7")
    assert "external_id" in errors(response)
    assert Lead.objects.count() == 1


# --- Editing ---


def test_an_edit_is_normalised_and_leaves_a_line_in_the_history(boss: Client, pool: Pool):
    lead = make_lead(email="jo@acme.example", country="DE")
    assert edit(boss, lead, phone="030 123456").status_code == 302
    lead.refresh_from_db()
    assert lead.phone == "+4930123456"
    assert Event.objects.get(lead=lead, kind=Event.Kind.EDITED).data["changes"] == {"phone": ["", "+4930123456"]}


def test_an_edit_of_a_lead_that_changed_meanwhile_is_refused(boss: Client, pool: Pool):
    lead = make_lead(last_name="Before")
    response = edit(boss, lead, last_name="After", seen_version=lead.version + 5)
    assert "Somebody else changed this lead" in response.content.decode()
    lead.refresh_from_db()
    assert lead.last_name == "Before"


def test_an_old_value_that_is_no_good_does_not_stand_in_the_way_of_another_edit(boss: Client, pool: Pool):
    lead = make_lead(phone="call me", last_name="Before")
    assert edit(boss, lead, last_name="After").status_code == 302


def test_a_lead_is_won_with_a_value_and_one_that_was_won_without_is_still_changed(boss: Client, pool: Pool):
    lead, kinds = make_lead(), stages()
    assert "value" in errors(edit(boss, lead, stage=kinds["won"].pk))
    edit(boss, lead, stage=kinds["won"].pk, value="0", currency="EUR")
    lead.refresh_from_db()
    assert (lead.closed_at is not None, lead.value) == (True, Decimal(0))
    old = make_lead(stage=kinds["won"], closed_at=lead.closed_at)
    edit(boss, old, city="Berlin")
    old.refresh_from_db()
    assert old.city == "Berlin"


def test_a_lead_can_be_lost_with_a_reason_and_reopened(boss: Client, pool: Pool):
    lead, kinds = make_lead(), stages()
    assert "lost_reason" in errors(edit(boss, lead, stage=kinds["lost"].pk))
    edit(boss, lead, stage=kinds["lost"].pk, lost_reason="Price")
    lead.refresh_from_db()
    assert lead.closed_at is not None
    edit(boss, lead, stage=kinds["open"].pk)
    lead.refresh_from_db()
    assert lead.closed_at is None


def test_owner_and_routing_cannot_be_typed_in(boss: Client, pool: Pool):
    lead = make_lead()
    edit(boss, lead, owner=User.objects.get(username="boss").pk, routing_state="assigned")
    lead.refresh_from_db()
    assert (lead.owner, lead.routing_state) == (None, "new")


# --- Actions ---


def test_route_now_reports_what_became_of_the_leads(boss: Client, pool: Pool):
    leads = [make_lead(), make_lead()]
    assert "2 leads: 2 assigned." in said(act(boss, "route_now", *leads))
    assert "1 lead: 1 unchanged." in said(act(boss, "route_now", leads[0]))


def test_reassigning_by_the_rules_gives_it_to_somebody_else(boss: Client, pool: Pool):
    lead = make_lead()
    act(boss, "route_now", lead)
    first = Assignment.objects.get(lead=lead).rep
    assert "1 assigned" in said(act(boss, "reassign", lead, reason="on holiday"))
    assert Assignment.objects.get(lead=lead, ended_at=None).rep != first
    assert Assignment.objects.get(lead=lead, rep=first).end == "reassigned"


def test_reassigning_to_a_person_asks_who_and_why_first(boss: Client, pool: Pool):
    lead, receiver = make_lead(), make_rep("Cy")
    asked = act(boss, "reassign_to", lead)
    assert "This field is required" in asked.content.decode()
    assert not Assignment.objects.exists()
    assert "1 given to Cy" in said(act(boss, "reassign_to", lead, to=receiver.pk, reason="knows them"))
    held = Assignment.objects.get(lead=lead)
    assert (held.rep, held.reason, held.actor.username) == (receiver, "knows them", "boss")


def test_an_action_asks_before_it_does_anything(boss: Client, pool: Pool):
    lead = make_lead()
    page_of_step = boss.post(LIST, {"action": "route_now", "_selected_action": [lead.pk], "index": 0})
    assert "Route now" in page_of_step.content.decode()
    assert not Assignment.objects.exists()


def test_a_lead_returned_as_invalid_leaves_routing_and_frees_the_place(boss: Client, pool: Pool):
    lead = make_lead()
    act(boss, "route_now", lead)
    assert "1 kept out of routing" in said(act(boss, "return_invalid", lead, reason="a test"))
    lead.refresh_from_db()
    assert (lead.routing_state, lead.owner) == ("excluded", None)
    assert list(Rep.objects.filter(name__in=["Ada", "Bo"]).values_list("open_leads", flat=True)) == [0, 0]


def test_a_lead_that_somebody_has_is_not_archived_and_says_why(boss: Client, pool: Pool):
    owned, free = make_lead(last_name="Owned"), make_lead(last_name="Free")
    act(boss, "route_now", owned)
    text = said(act(boss, "archive", owned, free))
    assert "1 archived" in text
    assert "Owned: Only a lead that is closed or kept out of routing can be archived." in text
    assert Lead.objects.exclude(archived_at=None).get() == free


def test_archived_leads_are_out_of_sight_until_asked_for(boss: Client, pool: Pool):
    lead = make_lead(last_name="Hidden")
    act(boss, "archive", lead)
    assert "Hidden" not in boss.get(LIST).content.decode()
    assert "Hidden" in boss.get(f"{LIST}?archived=yes").content.decode()
    assert "1 brought back" in said(act(boss, "restore", lead))


def test_an_action_from_the_leads_own_page_returns_there(boss: Client, pool: Pool):
    lead = make_lead()
    asked = boss.get(reverse("admin:pipeline_lead_reassign_to", args=[lead.pk]))
    assert "New owner" in asked.content.decode()
    response = boss.post(LIST, {"action": "route_now", "_selected_action": [lead.pk], "confirmed": 1, "from_page": 1})
    assert response.url == page(lead)


def test_the_page_links_to_the_decision_and_the_decision_back(boss: Client, pool: Pool):
    lead = make_lead(last_name="Meier")
    act(boss, "route_now", lead)
    decision = lead.decisions.get()
    link = reverse("admin:distribution_decision_change", args=[decision.pk])
    assert link in boss.get(page(lead)).content.decode()
    text = boss.get(link).content.decode()
    assert page(lead) in text
    assert "Who was considered" in text


def test_somebody_who_may_only_look_can_neither_edit_nor_act(boss: Client, pool: Pool, client: Client):
    from django.contrib.auth.models import Permission

    lead = make_lead()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_lead"))
    client.force_login(viewer)
    assert client.get(page(lead)).status_code == 200
    assert edit(client, lead, last_name="Changed").status_code == 403
    act(client, "route_now", lead)
    assert client.get(reverse("admin:pipeline_lead_route_now", args=[lead.pk])).status_code == 403
    assert not Assignment.objects.exists()
