"""Many rows in one statement, on the database of the tests."""

import pytest
from django.utils import timezone

from leadcrm.lib.bulk import insert_many, update_each
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
        insert_many([])


def test_inserted_rows_come_back_as_they_were():
    lead, now = make_lead(), timezone.now()
    data = {"text": 'tab\t, backslash \\, "quotes", \\N and ü', "none": None, "list": [1, 2.5, True]}
    insert_many([Event(lead=lead, kind="lead.edited", at=now, data=data), Event(lead=lead, kind="lead.closed")])
    edited = Event.objects.get(kind="lead.edited")
    assert (edited.data, edited.at, edited.lead_id, edited.actor_id) == (data, now, lead.pk, None)
    assert Event.objects.get(kind="lead.closed").pk != edited.pk
