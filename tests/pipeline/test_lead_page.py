"""What the page of a lead shows and lets people change: stage, fields, tasks, and who else it may be."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.models import Account, Consent, Lead, LeadSource, Stage, Task
from pipeline.services.leads import close_lead
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    stages()
    Stage.objects.create(pipeline=Stage.objects.get(slug="open").pipeline, slug="offer", name="Offer", position=1)
    with time_machine.travel(NOW, tick=False):
        yield make_lead(
            first_name="Ada",
            last_name="Lovelace",
            phone="+442071838750",
            email="ada@engines.example",
            country="GB",
            time_zone="Europe/London",
            owner=people.owner,
            team=people.team,
            routing_state="assigned",
        )


def send(user, lead, act, **fields):
    return signed_in(user).post(f"/leads/{lead.uid}/{act}/", fields)


def page(user, lead, query=""):
    response = signed_in(user).get(f"/leads/{lead.uid}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def fresh(lead):
    return Lead.objects.select_related("stage").get(pk=lead.pk)


def kinds(lead):
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


# --- Reaching them ------------------------------------------------------------------------------


def test_who_it_is_can_be_called_written_and_copied(people, lead):
    shown = page(people.owner, lead)
    assert 'href="tel:+442071838750"' in shown
    assert 'href="https://wa.me/442071838750"' in shown
    assert 'href="mailto:ada@engines.example"' in shown
    assert 'data-copy="ada@engines.example"' in shown
    assert "It is 10:00 there" in shown


def test_a_lead_without_an_address_says_so(people):
    lead = make_lead(last_name="Nobody", owner=people.owner, routing_state="assigned", time_zone="Mars/Base")
    assert "Neither phone nor e-mail is known" in page(people.owner, lead)


# --- Stages -------------------------------------------------------------------------------------


def test_a_lead_is_moved_by_pressing_a_stage(people, lead):
    assert send(people.owner, lead, "stage", stage="offer", version=0).status_code == 302
    assert fresh(lead).stage.slug == "offer"
    assert kinds(lead) == ["lead.stage_changed"]


def test_a_move_can_be_taken_back_for_a_moment(people, lead):
    client = signed_in(people.owner)
    moved = client.post(f"/leads/{lead.uid}/stage/", {"stage": "offer", "version": 0}, follow=True)
    [address] = [message.extra_tags for message in moved.context["messages"]]
    back = client.post(address, {"next": f"/leads/{lead.uid}/"})
    assert back.headers["Location"] == f"/leads/{lead.uid}/"
    assert fresh(lead).stage.slug == "open"


def test_a_page_that_stood_open_too_long_moves_nothing_and_shows_the_lead_as_it_is(people, lead):
    send(people.manager, lead, "stage", stage="offer", version=0)
    response = send(people.owner, lead, "stage", stage="open", version=0)
    assert response.status_code == 409
    assert "Somebody else changed this lead" in response.content.decode()
    assert response.context["page"].version == 1
    assert fresh(lead).stage.slug == "offer"


@pytest.mark.parametrize("version", ["", "x", "99999999999", "-1", "٣"])
def test_a_version_that_is_none_counts_as_stale(people, lead, version):
    assert send(people.owner, lead, "stage", stage="offer", version=version).status_code == 409


def test_a_lead_is_not_lost_without_a_reason_and_the_form_stays_open(people, lead):
    response = send(people.owner, lead, "stage", stage="lost", version=0)
    assert response.status_code == 422
    assert "Say why the lead was lost." in response.content.decode()
    assert fresh(lead).closed_at is None
    send(people.owner, lead, "stage", stage="lost", version=0, reason="No\0 budget")
    assert (fresh(lead).lost_reason, fresh(lead).closed_at) == ("No budget", NOW)


def test_a_lead_is_not_won_without_a_value_and_the_form_stays_open(people, lead):
    response = send(people.owner, lead, "stage", stage="won", version=0, value=" ", currency="EUR")
    shown = response.content.decode()
    assert response.status_code == 422
    assert 'id="error-won">Say what the lead was won for; 0 if for nothing.</p>' in shown
    assert 'aria-invalid="true" aria-describedby="error-won"' in shown
    assert fresh(lead).closed_at is None
    send(people.owner, lead, "stage", stage="won", version=0, value="0", currency="EUR")
    assert (fresh(lead).value, fresh(lead).closed_at) == (0, NOW)


def test_a_closed_lead_is_opened_again_by_an_open_stage_and_not_closed_twice(people, lead):
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="No")
    assert send(people.owner, lead, "stage", stage="won", version=1).status_code == 422
    send(people.owner, lead, "stage", stage="offer", version=1)
    assert (fresh(lead).closed_at, fresh(lead).stage.slug) == (None, "offer")


@pytest.mark.parametrize("slug", ["nowhere", "", "../x", "\0"])
def test_there_is_no_such_stage(people, lead, slug):
    assert send(people.owner, lead, "stage", stage=slug, version=0).status_code == 404


# --- Editing ------------------------------------------------------------------------------------


def typed(lead, **fields):
    """The edit form as a browser sends it: what was shown, and what was typed over it."""
    from pipeline.forms import EDITABLE

    shown = {name: str(getattr(lead, name) or "") for name in EDITABLE if name != "tags"}
    shown["tags"] = ", ".join(lead.tags)
    return {"version": lead.version, **{f"initial-{name}": value for name, value in shown.items()}, **shown, **fields}


def test_fields_are_changed_in_their_place_and_the_history_says_from_what_to_what(people, lead):
    assert 'name="phone"' in page(people.owner, lead, "?edit")
    changed = typed(lead, phone="020 7183 8751", tags="hot, spring", value="1200", currency="EUR")
    assert send(people.owner, lead, "edit", **changed).status_code == 302
    after = fresh(lead)
    assert (after.phone, after.tags, after.value, after.currency) == ("+442071838751", ["hot", "spring"], 1200, "EUR")
    assert "Phone: +442071838750 → +442071838751" in page(people.owner, lead)


def test_what_cannot_be_read_is_said_at_its_field_and_nothing_is_changed(people, lead):
    response = send(people.owner, lead, "edit", **typed(lead, email="nonsense", city="Paris", employees="many"))
    assert response.status_code == 422
    assert set(response.context["forms"]["edit"].errors) == {"email", "employees"}
    assert 'value="Paris"' in response.content.decode()
    assert (fresh(lead).city, kinds(lead)) == ("", [])


@pytest.mark.parametrize(
    ("known", "of_source", "becomes"), [("USD", "GBP", "USD"), ("", "GBP", "GBP"), ("", "", "EUR")]
)
def test_a_value_without_its_currency_is_in_the_usual_one_wherever_it_is_typed(people, lead, known, of_source, becomes):
    LeadSource.objects.filter(pk=lead.source_id).update(default_currency=of_source)
    Lead.objects.filter(pk=lead.pk).update(currency=known)
    assert send(people.owner, lead, "edit", **typed(fresh(lead), value="12", currency="")).status_code == 302
    edited = fresh(lead)
    assert (edited.value, edited.currency) == (12, becomes)
    Lead.objects.filter(pk=lead.pk).update(currency=known, value=None)
    won = Stage.objects.create(pipeline=lead.stage.pipeline, slug="sold", name="Sold", kind="won", position=9)
    close_lead(fresh(lead), won, actor=people.owner, worth={"value": "12", "currency": ""})
    assert (fresh(lead).value, fresh(lead).currency) == (12, becomes)


def test_the_currency_of_a_value_cannot_be_emptied(people, lead):
    Lead.objects.filter(pk=lead.pk).update(currency="USD", value=12)
    assert send(people.owner, lead, "edit", **typed(fresh(lead), currency="")).status_code == 302
    assert fresh(lead).currency == "USD"


def test_two_edits_at_once_keep_both_changes_and_the_second_is_asked_again(people, lead):
    mine = typed(lead, city="Paris")
    send(people.manager, lead, "edit", **typed(lead, product="Loom"))
    response = send(people.owner, lead, "edit", **mine)
    assert response.status_code == 422
    again = response.context["forms"]["edit"]
    assert "Somebody else changed this lead" in str(again.non_field_errors())
    assert send(people.owner, lead, "edit", **{**mine, "version": again["version"].value()}).status_code == 302
    assert (fresh(lead).city, fresh(lead).product) == ("Paris", "Loom")


def test_an_edit_that_changes_nothing_leaves_no_line(people, lead):
    send(people.owner, lead, "edit", **typed(lead))
    assert (fresh(lead).version, kinds(lead)) == (0, [])


def test_the_fields_come_into_their_place_alone_for_who_asks_by_script(people, lead):
    response = signed_in(people.owner).get(f"/leads/{lead.uid}/edit/", headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert signed_in(people.owner).get(f"/leads/{lead.uid}/edit/").headers["Location"].endswith("?edit#about")


# --- Tasks --------------------------------------------------------------------------------------

TASK = {"text": "Send the offer", "due_at": "2026-03-03T09:00", "remind": "60"}


def test_a_task_is_added_in_the_time_of_the_reader_and_its_end_asks_what_is_next(people, lead):
    client = signed_in(people.owner)
    client.cookies["time_zone"] = "Europe/Berlin"
    client.post(f"/leads/{lead.uid}/tasks/", TASK)
    task = Task.objects.get()
    assert (task.due_at, task.remind_at) == (NOW.replace(day=3, hour=8), NOW.replace(day=3, hour=7))
    response = client.post(f"/tasks/{task.pk}/done/")
    assert response.headers["Location"] == f"/leads/{lead.uid}/?done={task.pk}#next"
    shown = client.get(response.headers["Location"]).content.decode()
    assert "What is next for <bdi>Ada Lovelace</bdi>?" in shown
    client.post(f"/leads/{lead.uid}/tasks/", {"text": "Call again", "remind": "0", "soon": "in-3-days"})
    assert Task.objects.get(ended_at=None).due_at == NOW.replace(day=5, hour=8)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"text": " "}, "text", "Say what is to be done"),
        ({"due_at": ""}, "due_at", "Give a moment"),
        ({"due_at": "soon"}, "due_at", "valid date/time"),
        ({"due_at": "2026-03-02T09:00"}, "due_at", "still to come"),
        ({"who": "999999"}, "who", "not one of the available choices"),
        ({"remind": "7"}, "remind", "not one of the available choices"),
    ],
)
def test_a_task_that_cannot_be_is_said_at_its_field(people, lead, fields, field, words):
    response = send(people.owner, lead, "tasks", **{**TASK, **fields})
    assert response.status_code == 422
    assert words in str(response.context["forms"]["task"].errors[field])
    assert not Task.objects.exists()


def test_only_who_may_work_on_the_lead_is_named_for_a_task(people, lead):
    assert send(people.owner, lead, "tasks", **TASK, who=people.teammate.pk).status_code == 422
    assert send(people.owner, lead, "tasks", **TASK, who=people.stranger.pk).status_code == 422
    assert send(people.owner, lead, "tasks", **TASK, who=people.manager.pk).status_code == 302


def test_a_task_is_changed_and_dropped(people, lead):
    task = Task.objects.create(lead=lead, text="Call", due_at=NOW + timedelta(hours=1))
    client = signed_in(people.owner)
    assert 'value="2026-03-02T11:00"' in client.get(f"/tasks/{task.pk}/").content.decode()
    assert client.post(f"/tasks/{task.pk}/", {**TASK, "due_at": "x"}).status_code == 422
    assert client.post(f"/tasks/{task.pk}/", TASK).status_code == 302
    assert client.post(f"/tasks/{task.pk}/drop/").status_code == 302
    task.refresh_from_db()
    assert (task.text, task.end) == ("Send the offer", "dropped")
    assert "has ended" in client.get(f"/tasks/{task.pk}/").content.decode()
    assert client.post(f"/tasks/{task.pk}/done/", follow=True).status_code == 200
    assert kinds(lead) == ["task.changed", "task.dropped"]


def test_who_is_sent_back_goes_to_a_page_of_ours(people, lead):
    task = Task.objects.create(lead=lead, text="Call", due_at=NOW + timedelta(hours=1))
    response = signed_in(people.owner).post(f"/tasks/{task.pk}/drop/", {"next": "https://evil.example/"})
    assert response.headers["Location"] == f"/leads/{lead.uid}/"


# --- Who else -----------------------------------------------------------------------------------


def test_other_leads_of_the_person_and_the_company_are_shown_as_far_as_the_reader_may_see_them(people, lead):
    mine = {"owner": people.owner, "team": people.team, "routing_state": "assigned"}
    account = Account.objects.create(name="Engines Ltd")
    Lead.objects.filter(pk=lead.pk).update(account=account, company="Engines")
    make_lead(last_name="Again", email=lead.email, **mine)
    make_lead(last_name="Phoned", phone=lead.phone, duplicate_of=lead, **mine)
    make_lead(last_name="Colleague", account=account, **mine)
    make_lead(last_name="Secret", email=lead.email, owner=people.stranger, routing_state="assigned")
    response = signed_in(people.owner).get(f"/leads/{lead.uid}/")
    found = response.context["page"]
    assert {(line.title, line.why) for line in found.person} == {
        ("Again", "same e-mail"),
        ("Phoned", "same phone, came again"),
    }
    assert [line.title for line in found.company] == ["Colleague"]
    assert "Secret" not in response.content.decode()


def test_of_a_company_that_is_no_account_those_that_name_it_are_shown(people, lead):
    mine = {"owner": people.owner, "team": people.team, "routing_state": "assigned"}
    Lead.objects.filter(pk=lead.pk).update(company="Engines")
    make_lead(last_name="Colleague", company="ENGINES", **mine)
    assert [line.title for line in signed_in(people.owner).get(f"/leads/{lead.uid}/").context["page"].company] == [
        "Colleague"
    ]


def test_the_latest_word_about_each_channel_is_shown(people, lead):
    Consent.objects.create(lead=lead, channel="email", granted=True, at=NOW - timedelta(days=2))
    Consent.objects.create(lead=lead, channel="email", granted=False, wording="<b>No</b>", at=NOW - timedelta(days=1))
    Consent.objects.create(lead=lead, channel="phone", granted=True)
    shown = page(people.owner, lead)
    assert "E-mail: no" in shown
    assert "Phone call: yes" in shown
    assert "E-mail: yes" not in shown
    assert "&lt;b&gt;No&lt;/b&gt;" in shown
    assert "Did not agree to:" in shown


@pytest.mark.parametrize(
    ("consents", "words"),
    [
        ({}, {"Phone": "No word about WhatsApp is on record.", "E-mail": ""}),
        (
            {"whatsapp": False, "email": False},
            {"Phone": "Did not agree to WhatsApp.", "E-mail": "Did not agree to E-mail."},
        ),
        ({"whatsapp": True, "email": True}, {"Phone": "", "E-mail": ""}),
    ],
)
def test_who_is_about_to_write_is_told_what_was_not_agreed_to(people, lead, consents, words):
    for channel, granted in consents.items():
        Consent.objects.create(lead=lead, channel=channel, granted=granted)
    ways = signed_in(people.owner).get(f"/leads/{lead.uid}/").context["page"].ways
    assert {way.label: way.word for way in ways} == words


def test_places_and_languages_are_told_by_name(people, lead):
    where = {"country": "DE", "region": "DE-BE", "city": "Berlin", "postal_code": "10115", "language": "de"}
    Lead.objects.filter(pk=lead.pk).update(**where)
    facts = {
        fact.label: fact.value for fact in signed_in(people.owner).get(f"/leads/{lead.uid}/").context["page"].facts
    }
    assert (facts["Place"], facts["Language"]) == ("10115 Berlin, Berlin, Germany", "German")


# --- Who may ------------------------------------------------------------------------------------

ACTS = ("stage", "edit", "tasks")


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_changes_nothing_and_a_visitor_signs_in(people, lead, client, act):
    assert send(people.stranger, lead, act, stage="offer", version=0, **TASK).status_code == 404
    assert client.post(f"/leads/{lead.uid}/{act}/").headers["Location"].startswith("/login/")


def test_a_stranger_finds_no_task_and_no_history(people, lead):
    task = Task.objects.create(lead=lead, text="Call", due_at=NOW)
    client = signed_in(people.stranger)
    for path in (f"/tasks/{task.pk}/", f"/leads/{lead.uid}/history/", f"/leads/{lead.uid}/edit/"):
        assert client.get(path).status_code == 404
    for act in ("done", "drop"):
        assert client.post(f"/tasks/{task.pk}/{act}/").status_code == 404
    task.refresh_from_db()
    assert task.ended_at is None


def test_who_may_only_look_on_sees_no_way_to_change_anything(people, lead, django_user_model):
    from django.contrib.auth.models import Permission

    reader = django_user_model.objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_lead"))
    shown = page(reader, lead, "?edit&done=1")
    assert f'action="/leads/{lead.uid}/' not in shown
    assert 'aria-current="step"' in shown


def test_a_crowded_page_costs_as_many_queries_as_an_empty_one(people, lead):
    client = signed_in(people.owner)
    account = Account.objects.create(name="Engines")
    Lead.objects.filter(pk=lead.pk).update(account=account)
    mine = {"owner": people.owner, "team": people.team, "routing_state": "assigned", "account": account}
    counts = []
    for more in (1, 8):
        for number in range(more):
            make_lead(last_name=f"Other {number}", email=lead.email, **mine)
            Task.objects.create(lead=lead, text="Call", due_at=NOW, assignee=people.teammate)
            Consent.objects.create(lead=lead, channel="email", granted=True)
        client.get(f"/leads/{lead.uid}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/leads/{lead.uid}/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 24
