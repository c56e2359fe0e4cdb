import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Upper

from leadcrm.lib.prepared import Param, Prepared
from pipeline.models import Event, Lead
from tests.distribution.world import make_lead

pytestmark = pytest.mark.django_db


def test_a_prepared_query_answers_as_the_query_set_does_and_is_built_once():
    built = []

    def build():
        built.append(None)
        return (
            Lead.objects.filter(pk=Param("lead"), stage__kind="open", archived_at=None)
            .annotate(shout=Upper("email"), again=F("email"))
            .order_by("-id")
            .values("id", "uid", "tags", "value", "created_at", "stage__slug", "owner__username", "shout", "again")
        )

    query = Prepared(build)
    leads = [make_lead(email=f"{name}@acme.example", tags=[name], value=5, currency="EUR") for name in "ab"]
    for lead in leads:
        plain = Lead.objects.filter(pk=lead.pk).annotate(shout=Upper("email"), again=F("email"))
        names = ("id", "uid", "tags", "value", "created_at", "stage__slug", "owner__username", "shout", "again")
        assert query.rows(lead=lead.pk) == list(plain.values(*names))
    assert query.first(lead=0) is None
    assert len(built) == 1


def test_a_value_is_data_and_never_sql():
    User.objects.create_user("ann")
    by_name = Prepared(lambda: User.objects.filter(username=Param("name")).values("username"))
    assert by_name.rows(name="' OR '1'='1") == []
    assert by_name.rows(name="ann") == [{"username": "ann"}]


def test_a_missing_value_is_an_error_and_not_everything():
    by_name = Prepared(lambda: User.objects.filter(username=Param("name")).values("username"))
    with pytest.raises(KeyError):
        by_name.rows()


def test_rows_come_as_the_query_set_gives_them(django_assert_num_queries):
    first, second = (Event.objects.create(lead=make_lead(), kind="lead.edited", data={"a": [n]}) for n in (1, 2))
    tuples = Prepared(lambda: Event.objects.filter(pk=Param("event")).values_list("data", "at"))
    assert tuples.rows(event=first.pk) == [({"a": [1]}, first.at)]
    whole = Prepared(lambda: Event.objects.filter(pk=Param("event")).select_related("lead__stage"))
    with django_assert_num_queries(2):
        assert [(row.data, row.lead.stage.slug) for row in whole.rows(event=first.pk)] == [({"a": [1]}, "open")]
        assert whole.rows(event=second.pk) == [second]


def test_several_parts_are_one_query_each_with_its_own_limit(django_assert_num_queries):
    for name in "abcd":
        User.objects.create_user(name)

    def among(*names):
        return User.objects.filter(username__in=names, is_staff=Param("staff")).order_by("-username").values("username")

    query = Prepared(lambda: among("a", "b", "c")[:2], lambda: among("c", "d")[:1])
    with django_assert_num_queries(1):
        assert sorted(row["username"] for row in query.rows(staff=False)) == ["b", "c", "d"]
    assert query.rows(staff=True) == []
