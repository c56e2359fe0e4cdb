"""How a lead comes to be and moves on."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from distribution.models import Assignment
from pipeline.errors import ReasonMissing, StaleLead, WrongStage
from pipeline.intake import InvalidLead
from pipeline.models import Event, Lead, Pipeline, Stage
from pipeline.services.leads import close_lead, create_lead, edit_lead, move_lead, reopen_lead
from tests.distribution.setups import make_rep
from tests.distribution.world import make_source, stages, win

pytestmark = pytest.mark.django_db


@pytest.fixture
def kinds():
    found = stages()
    found["talks"] = Stage.objects.create(pipeline=found["open"].pipeline, name="Talks", slug="talks", position=5)
    return found


@pytest.fixture
def lead(kinds):
    return create_lead(source=make_source(), fields={"email": "ada@acme.example"})


def kinds_of_events(lead):
    return list(lead.events.order_by("id").values_list("kind", flat=True))


def test_a_lead_starts_in_the_first_open_stage_of_its_sources_pipeline(kinds, lead):
    assert lead.stage == kinds["open"]
    other = Pipeline.objects.create(name="Partners", slug="partners")
    Stage.objects.create(pipeline=other, name="Won", slug="won", kind="won", position=0)
    second = Stage.objects.create(pipeline=other, name="Second", slug="second", position=2)
    first = Stage.objects.create(pipeline=other, name="First", slug="first", position=1)
    source = make_source("fair", pipeline=other)
    assert create_lead(source=source, fields={"email": "bob@acme.example"}).stage == first
    assert create_lead(source=source, fields={"email": "bob@acme.example"}, stage=second).stage == second


def test_nothing_is_stored_of_a_lead_that_is_refused(kinds):
    with pytest.raises(InvalidLead) as refusal:
        create_lead(source=make_source(), fields={"email": "nonsense", "score": 200})
    assert {error.field for error in refusal.value.errors} == {"email", "score"}
    assert not Lead.objects.exists()


def test_a_second_lead_with_the_same_external_id_is_not_stored(kinds):
    create_lead(source=make_source(), fields={}, external_id="A-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        create_lead(source=make_source(), fields={}, external_id="A-1")
    assert Lead.objects.count() == Event.objects.count() == 1


def test_a_lead_that_came_with_an_owner_is_held_and_not_routed(kinds, django_capture_on_commit_callbacks):
    rep = make_rep("Ann")
    with django_capture_on_commit_callbacks(execute=True):
        lead = create_lead(source=make_source(), fields={"email": "ada@acme.example"}, owner=rep.user)
    lead.refresh_from_db()
    assert (lead.owner, lead.routing_state, lead.next_attempt_at) == (rep.user, "assigned", None)
    assert Assignment.objects.get(lead=lead).rep == rep


def test_a_lead_moves_between_open_stages_and_says_so(lead, kinds):
    move_lead(lead, kinds["talks"], actor=None)
    move_lead(lead, kinds["talks"], actor=None)
    lead.refresh_from_db()
    assert (lead.stage, lead.version) == (kinds["talks"], 1)
    assert kinds_of_events(lead) == [Event.Kind.CREATED, Event.Kind.MOVED]
    assert lead.events.last().data.items() >= {"from": "open", "to": "talks"}.items()


def test_a_move_based_on_an_old_look_is_refused(lead, kinds):
    colleague = Lead.objects.get(pk=lead.pk)
    edit_lead(colleague, {"first_name": "Ada"}, actor=None)
    with pytest.raises(StaleLead):
        move_lead(lead, kinds["talks"], actor=None)
    lead.refresh_from_db()
    assert (lead.stage, lead.first_name) == (kinds["open"], "Ada")
    with pytest.raises(StaleLead):
        move_lead(lead, kinds["talks"], actor=None, version=0)
    assert Event.Kind.MOVED not in kinds_of_events(lead)


def test_a_lead_is_moved_only_to_open_stages_of_its_pipeline(lead, kinds):
    elsewhere = Stage.objects.create(pipeline=Pipeline.objects.create(name="B", slug="b"), name="New", slug="new")
    for stage in (kinds["won"], kinds["lost"], elsewhere):
        with pytest.raises(WrongStage):
            move_lead(lead, stage, actor=None)


def test_a_closed_lead_frees_its_owners_place_and_a_reopened_one_takes_it_again(kinds):
    rep = make_rep("Ann")
    lead = create_lead(source=make_source(), fields={"email": "ada@acme.example"}, owner=rep.user)
    win(lead, actor=rep.user)
    rep.refresh_from_db()
    lead.refresh_from_db()
    assert (rep.open_leads, lead.closed_at is not None, lead.owner) == (0, True, rep.user)
    assert Assignment.objects.get(lead=lead).end == "closed"
    reopen_lead(lead, kinds["talks"], actor=rep.user)
    rep.refresh_from_db()
    lead.refresh_from_db()
    assert (rep.open_leads, lead.closed_at, lead.stage) == (1, None, kinds["talks"])
    assert Assignment.objects.filter(lead=lead, ended_at=None).count() == 1
    assert kinds_of_events(lead)[-2:] == [Event.Kind.CLOSED, Event.Kind.REOPENED]


def test_a_lead_is_not_lost_without_a_reason(lead, kinds):
    for reason in ("", "  "):
        with pytest.raises(ReasonMissing):
            close_lead(lead, kinds["lost"], actor=None, lost_reason=reason)
    close_lead(lead, kinds["lost"], actor=None, lost_reason="Too expensive")
    lead.refresh_from_db()
    assert lead.lost_reason == "Too expensive"
    reopen_lead(lead, kinds["open"], actor=None)
    assert Lead.objects.get().lost_reason == ""


def test_a_closed_lead_is_neither_closed_again_nor_moved(lead, kinds):
    win(lead)
    with pytest.raises(WrongStage):
        close_lead(lead, kinds["lost"], actor=None, lost_reason="x")
    with pytest.raises(WrongStage):
        move_lead(lead, kinds["talks"], actor=None)
    with pytest.raises(WrongStage):
        reopen_lead(lead, kinds["won"], actor=None)
    assert kinds_of_events(lead) == [Event.Kind.CREATED, Event.Kind.CLOSED]


def test_an_unassigned_lead_that_is_reopened_is_routed_again(lead, kinds, django_capture_on_commit_callbacks):
    win(lead)
    Lead.objects.update(next_attempt_at=None)
    lead.refresh_from_db()
    with django_capture_on_commit_callbacks() as callbacks:
        reopen_lead(lead, kinds["open"], actor=None)
    assert callbacks
    assert Lead.objects.get().next_attempt_at is not None


def test_an_edit_says_what_changed_and_changes_nothing_when_nothing_did(lead, settings):
    settings.BASE_CURRENCY = "EUR"
    changes = edit_lead(lead, {"email": "ADA@acme.example", "company": "Acme", "value": "5 EUR"}, actor=None)
    assert changes == {"company": ["", "Acme"], "value": [None, "5.00"], "currency": ["", "EUR"]}
    lead.refresh_from_db()
    assert (lead.company, lead.value_base, lead.version) == ("Acme", lead.value, 1)
    assert lead.events.last().data == {"changes": changes, "currency": "EUR"}
    assert edit_lead(lead, {"company": " Acme "}, actor=None) == {}
    assert edit_lead(lead, {"company": "", "value": ""}, actor=None) == {
        "company": ["Acme", ""],
        "value": ["5.00", None],
    }
    assert Lead.objects.get().value_base is None


def test_a_wrong_edit_names_the_field_and_changes_nothing(lead):
    with pytest.raises(InvalidLead) as refusal:
        edit_lead(lead, {"email": "nonsense", "company": "Acme"}, actor=None)
    assert [error.field for error in refusal.value.errors] == ["email"]
    assert Lead.objects.get().company == ""


def test_history_may_be_brought_along(kinds):
    moment = timezone.now().replace(year=2020, month=1, day=1)
    lead = create_lead(source=make_source(), fields={}, external_id="old", created_at=moment)
    assert Lead.objects.get(pk=lead.pk).created_at == moment
