"""What people do on the board: move, undo, move many and add."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from pipeline.models import Event, ExchangeRate, Lead, LeadSource, LostReason, Pipeline, Stage
from pipeline.services.leads import edit_lead
from tests.distribution.world import make_source, stages
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return owned(people, last_name="Lovelace")


@pytest.fixture
def client(people):
    return signed_in(people.owner)


def move(client, lead, stage, *, part=True, **more):
    data = {"stage": stage, "version": lead.version, **more}
    return client.post(f"/board/sales/move/{lead.uid}/?who=team", data, headers=PART if part else {})


def stage_of(lead):
    return Lead.objects.get(pk=lead.pk).stage.slug


def shown(response):
    return [(card.title, card.stage, card.version) for card in response.context["changes"].cards]


# --- Moving ------------------------------------------------------------------------------------


def test_a_moved_card_comes_back_fresh_with_the_heads_of_all_columns(client, lead, talks):
    response = move(client, lead, "talks")
    assert response.status_code == 200
    assert shown(response) == [("Lovelace", "talks", 1)]
    assert {head.slug: head.sums.count for head in response.context["changes"].heads}["talks"] == 1
    assert response.context["notice"]["undo"].startswith(f"/board/sales/undo/{lead.uid}/")


def test_without_scripts_a_move_leads_back_with_a_way_to_undo_it(client, lead, talks):
    assert "Move" in client.get(f"/board/sales/move/{lead.uid}/").content.decode()
    response = move(client, lead, "talks", part=False, next="/board/sales/?who=team")
    assert response.headers["Location"] == "/board/sales/?who=team"
    page = client.get("/board/sales/?who=team").content.decode()
    assert "Lovelace is in “Talks” now." in page
    undo = page.split('class="undo" method="post" action="')[1].split('"')[0].replace("&amp;", "&")
    client.post(undo)
    assert stage_of(lead) == "open"


def test_a_stale_move_is_refused_with_the_card_as_it_is(client, people, lead, talks):
    edit_lead(Lead.objects.get(pk=lead.pk), {"city": "Berlin"}, actor=people.teammate)
    response = move(client, lead, "talks")
    assert response.status_code == 409
    assert shown(response) == [("Lovelace", "open", 1)]
    assert "Somebody else changed this lead" in response.content.decode()
    assert stage_of(lead) == "open"


def test_a_full_stage_refuses_a_card(client, people, lead, talks):
    Stage.objects.filter(pk=talks.pk).update(wip_limit=1)
    owned(people, stage=talks)
    response = move(client, lead, "talks")
    assert (response.status_code, stage_of(lead)) == (409, "open")
    assert "has room for 1 lead" in response.content.decode()


def test_winning_asks_for_the_value_and_losing_for_a_reason(client, people):
    lead = owned(people, last_name="Lovelace", value=Decimal(5), currency="EUR")
    asked = client.get(f"/board/sales/move/{lead.uid}/?stage=won", headers=PART).content.decode()
    assert 'value="5' in asked
    assert '<option value="won" data-kind="won" selected>' in asked
    move(client, lead, "won", value="1200", currency="EUR")
    assert Lead.objects.get(pk=lead.pk).value == Decimal(1200)
    other = owned(people)
    for refused in (move(client, other, "won"), move(client, other, "won", value=" ", currency="EUR")):
        assert (refused.status_code, stage_of(other)) == (422, "open")
        assert refused.context["form"].errors == {"value": ["Say what the lead was won for; 0 if for nothing."]}
    refused = move(client, other, "lost")
    assert refused.status_code == 422
    assert "Say why the lead was lost." in refused.content.decode()
    move(client, other, "lost", lost_reason="Price")
    assert Lead.objects.get(pk=other.pk).lost_reason == "Price"


@pytest.mark.parametrize(
    ("query", "stage", "chosen"),
    [("", "open", "talks"), ("?stage=", "open", "talks"), ("?stage=won", "open", "won"), ("", "talks", "talks")],
)
def test_a_move_suggests_the_next_stage_or_the_one_asked_for(client, people, talks, query, stage, chosen):
    lead = owned(people, stage=Stage.objects.get_or_create(slug=stage, pipeline=talks.pipeline)[0])
    page = client.get(f"/board/sales/move/{lead.uid}/{query}", headers=PART).content.decode()
    assert re.findall(r'<option value="(\w+)"[^>]* selected', page)[0] == chosen


def test_a_value_that_is_no_number_is_said_at_its_field(client, lead):
    response = move(client, lead, "won", value="plenty", currency="EUR")
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"value"}
    assert stage_of(lead) == "open"


def test_reasons_are_chosen_from_the_installations_list(client, lead):
    LostReason.objects.create(name="Too expensive")
    asked = client.get(f"/board/sales/move/{lead.uid}/?stage=lost", headers=PART).content.decode()
    assert '<option value="Too expensive">' in asked
    assert move(client, lead, "lost", lost_reason="Whatever").status_code == 422
    assert move(client, lead, "lost", lost_reason="Too expensive").status_code == 200


@pytest.mark.parametrize(
    "data", [{}, {"stage": "nowhere", "version": "0"}, {"stage": "talks"}, {"stage": "talks", "version": "x"}]
)
def test_a_move_that_makes_no_sense_is_asked_for_again(client, lead, talks, data):
    response = client.post(f"/board/sales/move/{lead.uid}/", data, headers=PART)
    assert (response.status_code, stage_of(lead)) == (422, "open")


def test_a_card_is_undone_within_the_time_and_refused_after_another_change(client, people, lead, talks):
    address = move(client, lead, "talks").context["notice"]["undo"]
    assert shown(client.post(address, headers=PART)) == [("Lovelace", "open", 2)]
    lead.refresh_from_db()
    address = move(client, lead, "talks").context["notice"]["undo"]
    edit_lead(Lead.objects.get(pk=lead.pk), {"city": "Berlin"}, actor=people.teammate)
    assert client.post(address, headers=PART).status_code == 409
    assert stage_of(lead) == "talks"


@pytest.mark.parametrize("query", ["", "?version=x", "?version=999999999999"])
def test_undoing_without_a_version_changes_nothing(client, lead, talks, query):
    move(client, lead, "talks")
    assert client.post(f"/board/sales/undo/{lead.uid}/{query}", headers=PART).status_code == 409
    assert stage_of(lead) == "talks"


def test_cards_sorted_by_hand_stay_where_they_are_put(client, people, talks):
    Pipeline.objects.update(sorted_by_hand=True)
    now = timezone.now()
    a, b, c = (owned(people, last_name=name, board_at=now - timedelta(hours=n)) for n, name in enumerate("abc"))
    d = owned(people, last_name="d", stage=talks)

    def order():
        columns = client.get("/board/").context["board"].columns
        return {column.head.slug: "".join(card.title for card in column.cards) for column in columns}

    move(client, c, "open", above=str(a.uid))
    assert order()["open"] == "acb"
    move(client, b, "open", above="")
    assert order()["open"] == "bac"
    move(client, d, "open", above=str(b.uid))
    assert order() == {"open": "bdac", "talks": "", "won": "", "lost": ""}


# --- Adding ------------------------------------------------------------------------------------


def test_a_lead_entered_by_hand_goes_through_the_intake(client, people):
    stages()
    sent = {"last_name": "Lovelace", "email": "ADA@Engines.example", "value": "1500", "currency": "EUR"}
    response = client.post("/board/sales/add/", sent, headers=PART)
    lead = Lead.objects.get()
    assert (lead.email, lead.value, lead.source.kind) == ("ada@engines.example", Decimal(1500), LeadSource.Kind.MANUAL)
    assert lead.events.get(kind=Event.Kind.CREATED).actor == people.owner
    assert "Lovelace was added" in response.content.decode()


def test_what_is_wrong_with_a_lead_entered_by_hand_is_said_at_its_field(client):
    stages()
    response = client.post("/board/sales/add/", {"last_name": "L", "email": "nonsense"}, headers=PART)
    assert response.status_code == 422
    assert "email" in response.context["form"].errors
    assert not Lead.objects.exists()


def test_a_lead_is_entered_under_the_source_of_its_board(client):
    sales = stages()["open"].pipeline
    support = Pipeline.objects.create(name="Support", slug="support")
    kind = LeadSource.Kind.MANUAL
    make_source("service-desk", kind=kind, pipeline=support, required_fields=["city"])
    sent = {"last_name": "L", "company": "C", "city": "Bonn"}
    for expected in ("by-hand", "sales-desk"):
        assert client.post("/board/sales/add/", sent, headers=PART).status_code == 200
        assert Lead.objects.latest("pk").source.slug == expected
        make_source("sales-desk", kind=kind, pipeline=sales)


def manual(slug, **more):
    return make_source(slug, kind=LeadSource.Kind.MANUAL, **more)


@pytest.mark.parametrize(
    "sources",
    [{"by-hand": {}}, {"desk": {}}, {"desk": {"pipeline": "sales"}}, {"by-hand": {}, "desk": {"pipeline": "sales"}}],
    ids=["the one that is made", "another for all boards", "the board's own", "two"],
)
def test_a_source_that_was_switched_off_takes_no_more_leads_and_none_is_made_in_its_place(client, sources):
    sales = stages()["open"].pipeline
    for slug, more in sources.items():
        manual(slug, active=False, **({"pipeline": sales} if more else {}))
    before = LeadSource.objects.count()
    sent = {"last_name": "L", "company": "C"}
    for answer, status in (
        (client.get("/board/sales/add/", headers=PART), 200),
        (client.post("/board/sales/add/", sent, headers=PART), 422),
        (client.post("/board/sales/add/", sent), 422),
    ):
        page = answer.content.decode()
        assert answer.status_code == status
        assert "No source for leads that are entered by hand is switched on" in page
        assert "Ask an administrator: Switch" in page
        assert 'name="last_name"' not in page
    assert (LeadSource.objects.count(), Lead.objects.count()) == (before, 0)


def test_a_source_that_is_on_takes_leads_while_another_is_off(client):
    stages()
    manual("by-hand", active=False)
    manual("desk")
    assert client.post("/board/sales/add/", {"last_name": "L"}, headers=PART).status_code == 200
    assert Lead.objects.get().source.slug == "desk"


def test_a_short_name_that_another_kind_of_source_has_is_told_and_not_used(client):
    stages()
    make_source("by-hand", kind=LeadSource.Kind.PARTNER)
    refused = client.post("/board/sales/add/", {"last_name": "L"}, headers=PART)
    assert (refused.status_code, Lead.objects.count()) == (422, 0)
    assert "add an active source of the kind “Entered by hand”" in refused.content.decode()


@pytest.mark.parametrize("part", [True, False], ids=["part", "page"])
def test_a_board_without_an_open_stage_says_what_is_missing_and_who_can_add_it(client, people, part):
    owned(people, stage=stages()["won"])
    Stage.objects.filter(kind=Stage.Kind.OPEN).delete()
    headers = PART if part else {}
    for answer in (client.get("/board/sales/add/", headers=headers), client.post("/board/sales/add/", headers=headers)):
        assert "“Sales” has no open stage, so a new lead has nowhere to start." in answer.content.decode()
        assert "Ask an administrator: Add an open stage to the pipeline." in answer.content.decode()
    assert answer.status_code == 422
    assert not LeadSource.objects.filter(kind=LeadSource.Kind.MANUAL).exists()


def test_who_can_mend_a_board_finds_the_page_for_it(admin_client):
    sales = stages()["won"].pipeline
    Stage.objects.filter(kind=Stage.Kind.OPEN).delete()
    page = admin_client.get("/board/sales/add/").content.decode()
    assert f'href="/admin/pipeline/pipeline/{sales.pk}/change/"' in page
    assert "Ask an administrator" not in page


def test_what_a_source_asks_for_is_marked_and_asked_for_in_words(client):
    sales = stages()["open"].pipeline
    make_source("desk", kind=LeadSource.Kind.MANUAL, pipeline=sales, required_fields=["company", "city"])
    form = client.get("/board/sales/add/", headers=PART).context["form"]
    assert {name for name, field in form.fields.items() if field.required} == {"company", "city"}
    refused = client.post("/board/sales/add/", {"last_name": "L"}, headers=PART).context["form"]
    assert refused.errors == {"company": ["Give the Company."], "city": ["Give the City."]}
    assert form["currency"].value() == "EUR"


def test_what_a_lead_is_worth_and_in_what_stand_in_one_row_of_two(client):
    make_source("desk", kind=LeadSource.Kind.MANUAL, pipeline=stages()["open"].pipeline)
    names = list(client.get("/board/sales/add/", headers=PART).context["form"].fields)
    assert names.index("currency") == names.index("value") + 1
    assert names.index("value") % 2 == 0


def test_the_usual_currencies_come_first_and_the_leads_own_is_chosen(client, people):
    ExchangeRate.objects.create(currency="GBP", rate=Decimal("1.1"))
    lead = owned(people, last_name="Lovelace", currency="SEK")
    forms = [
        client.get(path, headers=PART).context["form"]
        for path in (f"/board/sales/move/{lead.uid}/", "/board/sales/add/")
    ]
    usual, others = zip(*(dict(form.fields["currency"].choices).values() for form in forms), strict=True)
    assert [[code for code, _ in codes] for codes in usual] == [["SEK", "EUR", "GBP"], ["EUR", "GBP"]]
    assert all(("USD", "USD") in codes for codes in others)
    assert [form["currency"].value() for form in forms] == ["SEK", "EUR"]


QUESTIONS = {
    "timeline": ("choice", "select", "now", "now"),
    "warehouse_m2": ("number", "number", "0", 0),
    "start": ("date", "date", "2026-05-04", "2026-05-04"),
    "tenant": ("boolean", "select", "no", False),
    "system": ("text", "text", "SAP", "SAP"),
}


@pytest.fixture
def desk():
    """A source that must answer a question of each type, and may answer one more."""
    pipeline = stages()["open"].pipeline
    required = [f"attributes.{key}" for key in QUESTIONS]
    desk = make_source("desk", kind=LeadSource.Kind.MANUAL, pipeline=pipeline, required_fields=required)
    for key, (kind, *_) in QUESTIONS.items():
        choices = ["now", "later"] if kind == "choice" else []
        about = {"label": f"About {key}", "type": kind, "help_text": f"Such as {key}."}
        desk.attributes.create(key=key, choices=choices, **about)
    desk.attributes.create(key="hobby", label="Hobby")
    return desk


def test_the_questions_that_a_source_must_answer_are_asked_each_in_its_way(client, desk):
    form = client.get("/board/sales/add/", headers=PART).context["form"]
    asked = {name: form[name].field for name in form.fields if name.startswith("attributes.")}
    widgets = {name.removeprefix("attributes."): field.widget.input_type for name, field in asked.items()}
    assert widgets == {key: widget for key, (_, widget, *_) in QUESTIONS.items()}
    assert all(field.required and field.help_text for field in asked.values())
    assert dict(form["attributes.timeline"].field.choices) == {"": "", "now": "now", "later": "later"}


def test_what_is_answered_is_kept_as_what_it_is(client, desk):
    sent = {"last_name": "L"} | {f"attributes.{key}": typed for key, (_, _, typed, _) in QUESTIONS.items()}
    assert client.post("/board/sales/add/", sent, headers=PART).status_code == 200
    assert Lead.objects.get().attributes == {key: kept for key, (*_, kept) in QUESTIONS.items()}


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        *((key, "", "Answer this, too.") for key in QUESTIONS),
        ("warehouse_m2", "many", "Enter a number."),
        ("warehouse_m2", "1e16", "Send a number of at most 15 digits before the point."),
        ("start", "4 May", "Enter a valid date."),
        ("timeline", "soon", "Select a valid choice. soon is not one of the available choices."),
    ],
)
def test_an_answer_that_is_missing_or_wrong_is_told_at_its_question(client, desk, key, typed, said):
    sent = {"last_name": "L"} | {f"attributes.{key}": typed for key, (_, _, typed, _) in QUESTIONS.items()}
    refused = client.post("/board/sales/add/", sent | {f"attributes.{key}": typed}, headers=PART)
    assert refused.status_code == 422
    assert refused.context["form"].errors == {f"attributes.{key}": [said]}
    assert not Lead.objects.exists()


def test_a_question_that_the_source_may_not_answer_is_named_in_words(client, desk):
    desk.attributes.set(desk.attributes.filter(key="hobby"))
    refused = client.post("/board/sales/add/", {"last_name": "L"}, headers=PART)
    assert "attributes.tenant: This source must send this field." in refused.context["form"].non_field_errors()


def test_an_empty_lead_is_no_lead(client):
    stages()
    assert client.post("/board/sales/add/", {"last_name": " "}, headers=PART).status_code == 422
    assert not Lead.objects.exists()


# --- Who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["move", "undo"])
def test_a_stranger_is_told_that_there_is_no_such_lead(people, lead, talks, path):
    address = f"/board/sales/{path}/{lead.uid}/"
    data = {"stage": "talks", "version": lead.version}
    for who in ("stranger",):
        assert signed_in(getattr(people, who)).post(address, data, headers=PART).status_code == 404
    assert stage_of(lead) == "open"


def test_who_only_reads_leads_moves_none(people, lead, talks):
    people.stranger.user_permissions.add(Permission.objects.get(codename="view_lead"))
    assert move(signed_in(people.stranger), lead, "talks").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["", "stage/open/", "changes/", "add/", "table/", "export/", "filters/", "bulk/", "views/"],
)
def test_visitors_sign_in_first(path):
    from django.test import Client

    stages()
    for method in ("get", "post"):
        response = getattr(Client(), method)(f"/board/sales/{path}")
        assert response.headers["Location"].startswith("/login/")
