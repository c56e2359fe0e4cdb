"""Many rows in one statement, on the database of the tests."""

import pytest
from django.db import connection
from django.utils import timezone

from leadcrm.lib.bulk import insert_many, insertion, update, update_each, write
from leadcrm.lib.jsontext import Ready
from pipeline.models import Account, Event
from tests.distribution.world import make_lead

pytestmark = pytest.mark.django_db


def account(name, **more):
    return Account.objects.create(name=name, **more)


def test_each_row_gets_values_of_its_own():
    a, b = account("A"), account("B")
    rows = [{"id": a.pk, "city": "Rom"}, {"id": b.pk, "city": "Łódź 'quoted'"}]
    assert update_each(Account, rows, match=("id",)) == {a.pk, b.pk}
    assert dict(Account.objects.values_list("name", "city")) == {"A": "Rom", "B": "Łódź 'quoted'"}


def test_a_row_that_is_not_as_it_was_read_is_left_alone():
    a, b = account("A", city="Rom"), account("B", city="Ulm")
    rows = [{"id": a.pk, "city": "Rom", "region": "IT-62"}, {"id": b.pk, "city": "Rom", "region": "IT-62"}]
    assert update_each(Account, rows, match=("id", "city")) == {a.pk}
    assert Account.objects.get(pk=b.pk).region == ""


def test_numbers_are_added_and_none_keeps_what_was_there():
    a = account("A", employees=5, city="Rom", revenue=1)
    b = account("B", employees=5, city="Ulm", revenue=1)
    rows = [{"id": a.pk, "employees": 2, "city": None}, {"id": b.pk, "employees": -1, "city": "Bern"}]
    update_each(Account, rows, match=("id",), add=("employees",), keep=("city",))
    assert list(Account.objects.order_by("name").values_list("employees", "city")) == [(7, "Rom"), (4, "Bern")]


def test_no_rows_are_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert update_each(Account, [], match=("id",)) == set()
        assert insert_many(Event, []) == []
        assert write(insertion(Event, []), update(Account, [], match=("id",))) == [[], []]


def test_inserted_rows_come_back_as_they_were():
    lead, now = make_lead(), timezone.now()
    data = {"text": 'tab\t, backslash \\, "quotes", \\N and ü', "none": None, "list": [1, 2.5, True]}
    row = {"lead_id": lead.pk, "kind": "lead.edited", "at": now, "data": data}
    first, second = insert_many(Event, [row, row | {"kind": "lead.closed", "data": Ready(b'{"ready":[1]}')}])
    edited, closed = Event.objects.get(pk=first), Event.objects.get(pk=second)
    assert (edited.kind, edited.data, edited.at, edited.lead_id, edited.actor_id) == (
        "lead.edited", data, now, lead.pk, None,
    )  # fmt: skip
    assert (closed.kind, closed.data) == ("lead.closed", {"ready": [1]})


def test_changes_of_several_tables_are_made_at_once(django_assert_num_queries):
    a, lead = account("A"), make_lead()
    changes = (
        insertion(Event, [{"lead_id": lead.pk, "kind": "lead.edited", "at": timezone.now(), "data": {}}]),
        insertion(Event, []),
        update(Account, [{"id": a.pk, "city": "Rom"}], match=("id",)),
    )
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
        [event], nothing, changed = write(*changes)
    assert (Event.objects.get(kind="lead.edited").pk, nothing, changed) == (event, [], [a.pk])
    assert Account.objects.get().city == "Rom"


def test_a_condition_may_use_numbers_that_are_no_columns():
    a, b = account("A", employees=5), account("B", employees=5)
    rows = [{"id": a.pk, "city": "Rom", "most": 5}, {"id": b.pk, "city": "Rom", "most": 4}]
    assert update_each(Account, rows, match=("id",), given=("most",), where="t.employees <= v.most") == {a.pk}


def test_what_all_rows_share_is_written_to_each():
    lead, now = make_lead(), timezone.now()
    same = {"lead_id": lead.pk, "at": now, "actor_id": None, "kind": "lead.edited"}
    rows = [{"lead_id": lead.pk, **same, "data": {"is": True}}, {"lead_id": lead.pk, **same, "data": {"is": 1}}]
    made = Event.objects.in_bulk(insert_many(Event, rows))
    assert [repr(event.data) for event in made.values()] == ["{'is': True}", "{'is': 1}"]
    assert {(event.kind, event.at, event.lead_id, event.actor_id) for event in made.values()} == {
        ("lead.edited", now, lead.pk, None)
    }


def test_a_text_of_one_line_is_written_as_it_is():
    lead = make_lead()
    texts = [r'{"a": "\t, \n, \"quotes\", 100 %s"}', "ünd so weiter", ""]
    insert_many(
        Event, [{"lead_id": lead.pk, "at": timezone.now(), "data": {}, "kind": text.encode()} for text in texts]
    )
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == texts


def test_rows_are_found_by_values_that_they_share():
    a, b = account("A", city="Rom"), account("B", city="Rom")
    rows = [{"id": pk, "city": "Rom", "region": "IT-62"} for pk in (a.pk, b.pk)]
    assert update_each(Account, rows, match=("id", "city")) == {a.pk, b.pk}
    assert set(Account.objects.values_list("region", flat=True)) == {"IT-62"}
