"""Moving leads across a board: limits, values, reasons, undoing, and places by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from distribution.models import Assignment
from pipeline.errors import ReasonMissing, StageFull, StaleLead, TooLate, ValueMissing, WrongStage
from pipeline.intake import InvalidLead
from pipeline.models import Event, Lead, Stage
from pipeline.services.leads import edit_lead
from pipeline.services.moving import move_on, place_below, place_lead, undo_move
from pipeline.timeline import build_timeline
from tests.distribution.world import make_lead, stages, win
from tests.pipeline.people import make_people, owned

pytestmark = pytest.mark.django_db


WORTH = {"value": "5", "currency": "EUR"}


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return owned(people, last_name="Lovelace")


def columns(lead):
    """All that a move may change, as the database has it."""
    names = ("stage_id", "stage_since", "board_at", "closed_at", "lost_reason", "value", "currency", "value_base")
    return Lead.objects.values(*names, "owner_id").get(pk=lead.pk)


# --- Moves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["talks", "won", "lost"])
def test_a_move_starts_the_time_in_the_stage_anew(people, lead, talks, kind):
    later = timezone.now() + timedelta(days=3)
    with time_machine.travel(later, tick=False):
        move_on(lead, {**stages(), "talks": talks}[kind], actor=people.owner, lost_reason="Price", worth=WORTH)
    assert columns(lead)["stage_since"] == later


def test_a_won_lead_takes_the_value_that_was_agreed(people, lead):
    move_on(lead, stages()["won"], actor=people.owner, worth={"value": "1,250.50", "currency": "EUR"})
    row = columns(lead)
    assert (row["value"], row["currency"], row["value_base"]) == (Decimal("1250.50"), "EUR", Decimal("1250.50"))
    assert lead.events.get(kind=Event.Kind.CLOSED).data["value"] == "1,250.50 EUR"


def test_a_won_lead_keeps_its_value_when_none_is_given(people):
    lead = owned(people, value=Decimal(100), currency="EUR", value_base=Decimal(100))
    move_on(lead, stages()["won"], actor=people.owner, worth={"value": " ", "currency": ""})
    assert columns(lead)["value"] == Decimal(100)


@pytest.mark.parametrize("worth", [None, {}, {"value": " ", "currency": "EUR"}])
def test_a_lead_that_nobody_knows_the_value_of_is_not_won(people, lead, worth):
    before = columns(lead)
    with pytest.raises(ValueMissing):
        move_on(lead, stages()["won"], actor=people.owner, worth=worth)
    assert columns(lead) == before


def test_nothing_is_a_value_too(people, lead):
    move_on(lead, stages()["won"], actor=people.owner, worth={"value": "0"})
    assert (columns(lead)["value"], columns(lead)["value_base"]) == (0, 0)


def test_a_value_that_is_no_number_changes_nothing(people, lead):
    before = columns(lead)
    with pytest.raises(InvalidLead) as refused:
        move_on(lead, stages()["won"], actor=people.owner, worth={"value": "plenty"})
    assert [error.field for error in refused.value.errors] == ["value"]
    assert columns(lead) == before
    assert not lead.events.filter(kind=Event.Kind.CLOSED).exists()


def test_lost_without_a_reason_is_refused(people, lead):
    with pytest.raises(ReasonMissing):
        move_on(lead, stages()["lost"], actor=people.owner)


def test_a_closed_lead_is_opened_before_it_is_closed_in_another_way(people, lead):
    win(lead, actor=people.owner)
    with pytest.raises(WrongStage):
        move_on(lead, stages()["lost"], actor=people.owner, lost_reason="Price")
    move_on(lead, stages()["open"], actor=people.owner)
    assert columns(lead)["closed_at"] is None


def test_a_move_of_what_somebody_else_changed_is_refused(people, lead, talks):
    seen = lead.version
    edit_lead(Lead.objects.get(pk=lead.pk), {"city": "Berlin"}, actor=people.teammate)
    before = columns(lead)
    for stage in (talks, *stages().values()):
        if stage.slug != "open":
            with pytest.raises(StaleLead):
                move_on(lead, stage, actor=people.owner, version=seen, lost_reason="Price", worth=WORTH)
    assert columns(lead) == before


# --- Limits ------------------------------------------------------------------------------------


def test_a_stage_takes_no_more_leads_of_one_owner_than_it_allows(people, lead, talks):
    talks.wip_limit = 1
    talks.save()
    move_on(owned(people), talks, actor=people.owner)
    with pytest.raises(StageFull, match='"Talks" has room for 1 lead of one owner'):
        move_on(lead, talks, actor=people.owner)
    assert columns(lead)["stage_id"] == stages()["open"].pk
    others = owned(people, owner=people.teammate)
    move_on(others, talks, actor=people.manager)
    move_on(make_lead(team=people.team, routing_state="unassigned"), talks, actor=people.manager)
    assert Lead.objects.filter(stage=talks).count() == 3


def test_reopening_into_a_full_stage_is_refused(people, lead, talks):
    talks.wip_limit = 1
    talks.save()
    owned(people, stage=talks)
    win(lead, actor=people.owner)
    with pytest.raises(StageFull):
        move_on(lead, talks, actor=people.owner)
    assert columns(lead)["closed_at"]


def test_closed_and_archived_leads_take_no_room(people, lead, talks):
    talks.wip_limit = 1
    talks.save()
    owned(people, stage=talks, archived_at=timezone.now())
    move_on(lead, talks, actor=people.owner)
    assert columns(lead)["stage_id"] == talks.pk


# --- Undoing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["talks", "won", "lost"])
def test_a_move_is_undone_as_if_it_had_not_been(people, talks, kind):
    lead = owned(people, value=Decimal(7), currency="USD", value_base=Decimal(6))
    before = columns(lead)
    move_on(
        lead,
        {**stages(), "talks": talks}[kind],
        actor=people.owner,
        lost_reason="Price",
        worth={"value": "9", "currency": "EUR"},
    )
    undo_move(lead, actor=people.owner, version=lead.version)
    assert columns(lead) == before
    assert Assignment.objects.filter(lead=lead, ended_at=None).count() == 1
    assert lead.events.order_by("-pk").first().data["undone"] is True


@pytest.mark.parametrize("kind", ["talks", "won"])
def test_undoing_takes_no_place_that_somebody_else_has_by_now(people, lead, talks, kind):
    Stage.objects.filter(slug="open").update(wip_limit=1)
    stage = {**stages(), "talks": talks}[kind]
    move_on(lead, stage, actor=people.owner, worth=WORTH)
    owned(people)
    with pytest.raises(StageFull):
        undo_move(lead, actor=people.owner, version=lead.version)
    assert columns(lead)["stage_id"] == stage.pk


def test_opening_a_lead_again_is_undone_as_well(people, lead):
    move_on(lead, stages()["lost"], actor=people.owner, lost_reason="Price")
    before = columns(lead)
    move_on(lead, stages()["open"], actor=people.owner)
    undo_move(lead, actor=people.owner, version=lead.version)
    assert columns(lead) == before
    assert not Assignment.objects.filter(lead=lead, ended_at=None).exists()


def test_after_ten_seconds_and_a_moment_for_the_way_it_is_too_late(people, lead, talks):
    move_on(lead, talks, actor=people.owner)
    for seconds, late in ((16, True), (14, False)):
        now = timezone.now() + timedelta(seconds=seconds)
        if late:
            with pytest.raises(TooLate):
                undo_move(lead, actor=people.owner, version=lead.version, now=now)
        else:
            undo_move(lead, actor=people.owner, version=lead.version, now=now)


def test_only_who_moved_a_lead_undoes_it_and_only_once(people, lead, talks):
    move_on(lead, talks, actor=people.owner)
    with pytest.raises(TooLate):
        undo_move(lead, actor=people.manager, version=lead.version)
    undo_move(lead, actor=people.owner, version=lead.version)
    with pytest.raises(TooLate):
        undo_move(lead, actor=people.owner, version=lead.version)


def test_what_somebody_changed_after_the_move_is_not_overwritten_by_undoing(people, lead, talks):
    move_on(lead, talks, actor=people.owner)
    seen = lead.version
    edit_lead(lead, {"city": "Berlin"}, actor=people.teammate)
    with pytest.raises(StaleLead):
        undo_move(lead, actor=people.owner, version=seen)
    assert columns(lead)["stage_id"] == talks.pk


# --- By hand -----------------------------------------------------------------------------------


def by_hand():
    return list(Lead.objects.order_by("-board_at", "-pk").values_list("last_name", flat=True))


def test_a_card_stays_where_it_was_put(people):
    stage, now = stages()["open"], timezone.now()
    a, b, c = (owned(people, last_name=name, board_at=now - timedelta(hours=n)) for n, name in enumerate("abc"))
    for above, expected in ((a, ["a", "c", "b"]), (b, ["a", "b", "c"]), (None, ["c", "a", "b"])):
        place_lead(c, place_below(stage, above, c), actor=people.owner, version=c.version)
        assert by_hand() == expected


def test_room_is_made_where_two_cards_share_one_place(people):
    stage, now = stages()["open"], timezone.now()
    a, b = (owned(people, last_name=name, board_at=now) for name in "ab")
    c = owned(people, last_name="c", board_at=now - timedelta(hours=1))
    upper = b if by_hand().index("b") == 0 else a
    for _ in range(30):
        place_lead(c, place_below(stage, upper, c), actor=people.owner, version=c.version)
        upper.refresh_from_db()
        assert by_hand().index("c") == by_hand().index(upper.last_name) + 1


def test_sorting_by_hand_is_for_boards_only_and_no_part_of_the_history(people, lead):
    place_lead(lead, timezone.now(), actor=people.owner, version=lead.version)
    event = lead.events.get(kind=Event.Kind.SORTED)
    assert event.actor == people.owner
    assert event.fanned_out_at
    for show in ("", "changes", "routing"):
        assert build_timeline(lead, people.owner, timezone.now(), show).lines == []
    version = lead.version
    lead.refresh_from_db()
    assert lead.version == version


def test_putting_a_card_that_was_changed_is_refused(people, lead):
    with pytest.raises(StaleLead):
        place_lead(lead, timezone.now(), actor=people.owner, version=lead.version + 1)
