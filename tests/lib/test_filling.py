"""Large tables are changed a part at a time."""

import pytest
from django.contrib.auth.models import Group
from django.db.models import Value
from django.db.models.functions import Concat

from leadcrm.lib.filling import in_chunks

pytestmark = pytest.mark.django_db


@pytest.fixture
def groups():
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=f"group {number}") for number in range(7))
    return Group.objects.exclude(name="group 3")


def test_every_row_is_changed_once_in_the_order_of_the_keys(groups):
    seen = []
    in_chunks(groups, lambda part: seen.append(list(part.values_list("name", flat=True))), size=3)
    assert [len(part) for part in seen] == [3, 3]
    assert [name for part in seen for name in part] == [f"group {number}" for number in (0, 1, 2, 4, 5, 6)]


def test_rows_that_leave_the_selection_by_the_change_hide_no_others(groups):
    in_chunks(
        groups.filter(name__startswith="group"), lambda part: part.update(name=Concat(Value("done "), "name")), size=2
    )
    assert Group.objects.filter(name__startswith="done").count() == 6


@pytest.mark.django_db(transaction=True)
def test_what_was_changed_before_a_failure_stays(groups):
    def change(part):
        part.update(name=Concat(Value("done "), "name"))
        if part.model.objects.filter(name="done group 5").exists():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_chunks(groups, change, size=2)
    assert Group.objects.filter(name__startswith="done").count() == 4


def test_nothing_is_asked_of_an_empty_table(groups):
    in_chunks(groups.none(), lambda part: pytest.fail("there is nothing to change"))
