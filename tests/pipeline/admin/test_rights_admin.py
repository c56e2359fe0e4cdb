"""Rights on one team, source or pipeline, given in the admin, and what they open."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from pipeline.models import Team
from pipeline.selectors import visible_leads
from tests.distribution.setups import make_rep, make_user
from tests.distribution.world import make_lead, make_source, stages

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def rights_url(obj: Any) -> str:
    return reverse(f"admin:pipeline_{type(obj).__name__.lower()}_permissions", args=[obj.pk])


def test_a_group_that_is_given_a_source_sees_its_leads_and_no_others(boss: Client):
    source, group, user = make_source("partner"), Group.objects.create(name="Partner care"), make_user("ada")
    user.groups.add(group)
    lead = make_lead(source=source)
    make_lead(source=make_source("other"))
    assert not visible_leads(user).exists()
    manage = reverse("admin:pipeline_leadsource_permissions_manage_group", args=[source.pk, group.pk])
    boss.post(manage, {"permissions": ["view_source_leads"]})
    assert list(visible_leads(User.objects.get(pk=user.pk))) == [lead]


def test_the_pages_of_rights_open_and_answer_rubbish(boss: Client):
    for obj in (Team.objects.create(name="Berlin"), make_source(), stages()["open"].pipeline):
        assert boss.get(rights_url(obj)).status_code == 200
        for who in ("user", "group"):
            for name in ("nobody", "\0", "x" * 1000):
                response = boss.post(rights_url(obj), {who: name, f"submit_manage_{who}": "1"})
                assert response.status_code == 200
                assert response.context[f"{who}_form"].errors


def test_the_history_of_a_rep_can_be_read_but_not_put_back(boss: Client):
    rep = make_rep("Ada")
    rep.name = "Ada L"
    rep.save()
    assert "Ada L" in boss.get(reverse("admin:distribution_rep_history", args=[rep.pk])).content.decode()
    first = rep.history.earliest()
    old = reverse("admin:distribution_rep_simple_history", args=[rep.pk, first.pk])
    assert boss.get(old).status_code == 200
    boss.post(old, {"name": "Ada", "status": "available", "time_zone": "UTC"})
    rep.refresh_from_db()
    assert rep.name == "Ada L"
