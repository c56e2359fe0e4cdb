"""Who sees a lead, and who may change it."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.http import Http404

from leadcrm.lib import access
from pipeline.models import Lead, Pipeline
from pipeline.reach import reach_of
from pipeline.selectors import access_lead, visible_leads, work_lead, workable_leads
from tests.distribution.world import make_lead, make_source
from tests.pipeline.people import make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return make_lead(owner=people.owner, routing_state="assigned", team=people.team)


def sees(user, lead):
    assert set(reach_of(user).leads()) == set(visible_leads(user))
    return visible_leads(user).filter(pk=lead.pk).exists(), workable_leads(user).filter(pk=lead.pk).exists()


def in_group(permission, target):
    user = User.objects.create_user("watcher")
    group = Group.objects.create(name="Watchers")
    user.groups.add(group)
    access.grant(group, permission, target)
    return user


def test_owner_and_manager_see_and_work_a_lead_and_others_do_not(people, lead):
    for user in (people.owner, people.manager):
        assert sees(user, lead) == (True, True)
        assert access_lead(user, lead.uid) == work_lead(user, str(lead.uid)) == lead
    for user in (people.teammate, people.stranger):
        assert sees(user, lead) == (False, False)
        for look in (access_lead, work_lead):
            with pytest.raises(Http404):
                look(user, lead.uid)


@pytest.mark.parametrize("state", ["new", "unassigned", "held", "claimable", "excluded", "error"])
def test_a_lead_that_nobody_has_yet_is_seen_and_worked_by_its_team(people, state):
    lead = make_lead(routing_state=state, team=people.team)
    for user in (people.owner, people.teammate, people.manager):
        assert sees(user, lead) == (True, True)
    assert sees(people.stranger, lead) == (False, False)


def test_an_owner_sees_the_lead_when_it_belongs_to_another_team(people):
    lead = make_lead(owner=people.owner, routing_state="assigned", team=people.other_team)
    assert sees(people.owner, lead) == (True, True)
    assert sees(people.teammate, lead) == (False, False)


def test_a_lead_without_owner_and_team_is_seen_by_no_rep(people):
    lead = make_lead()
    assert not any(sees(user, lead)[0] for user in (people.owner, people.teammate, people.manager))


def test_a_watcher_of_a_team_reads_and_does_not_work(people, lead):
    watcher = in_group("view_team_leads", people.team)
    assert sees(watcher, lead) == (True, False)
    with pytest.raises(Http404):
        work_lead(watcher, lead.uid)


def test_who_is_trusted_with_a_team_works_its_leads(people, lead):
    assert sees(in_group("work_team_leads", people.team), lead) == (True, True)


def test_who_is_trusted_with_a_pipeline_works_its_leads(people, lead):
    pipeline = lead.stage.pipeline
    assert sees(in_group("work_pipeline", pipeline), lead) == (True, True)


def test_who_watches_a_source_sees_its_leads_only(people, lead):
    watcher = in_group("view_source_leads", make_source("fair"))
    fair = make_lead(source=make_source("fair"))
    assert sees(watcher, lead) == (False, False)
    assert sees(watcher, fair) == (True, False)


def test_the_model_permissions_open_all(lead):
    user = User.objects.create_user("office")
    user.user_permissions.add(Permission.objects.get(codename="view_lead", content_type__app_label="pipeline"))
    assert sees(User.objects.get(pk=user.pk), lead) == (True, False)
    user.user_permissions.add(Permission.objects.get(codename="change_lead", content_type__app_label="pipeline"))
    assert sees(User.objects.get(pk=user.pk), lead) == (True, True)
    assert sees(User.objects.create_superuser("root"), lead) == (True, True)


def test_nobody_and_people_who_left_see_nothing(people, lead):
    people.owner.is_active = False
    root = User.objects.create_superuser("root", is_active=False)
    for user in (AnonymousUser(), people.owner, root):
        assert sees(user, lead) == (False, False)


def test_a_lead_is_listed_once_however_many_ways_lead_to_it(people, lead):
    people.team.members.add(people.manager)
    assert list(visible_leads(people.manager)) == [lead]
    assert list(visible_leads(people.owner)) == [lead]


@pytest.mark.parametrize("uid", ["", "nonsense", "7", "\x00", "00000000-0000-4000-8000-000000000000"])
def test_what_is_no_lead_is_not_found(people, uid):
    with pytest.raises(Http404):
        access_lead(people.owner, uid)


def test_looking_for_leads_takes_one_query(people, lead, django_assert_num_queries):
    user = User.objects.get(pk=people.manager.pk)
    user.has_perm("pipeline.view_lead")  # remembered by the user
    access.objects_for(user, "view_team_leads", type(people.team)).exists()
    assert len(visible_leads(user)) == 1  # fills the caches
    with django_assert_num_queries(1):
        assert len(visible_leads(user)) == 1


def test_what_boards_need_to_know_of_a_user_takes_one_query(people, lead, django_assert_num_queries):
    user = User.objects.get(pk=people.owner.pk)
    user.has_perm("pipeline.view_lead")  # remembered by the user
    with django_assert_num_queries(2):
        assert len(reach_of(user).leads()) == 1


# --- Boards ------------------------------------------------------------------------------------


def opens(user):
    """The pipelines that a user may open, and those to which the user may add leads."""
    reach = reach_of(User.objects.get(pk=user.pk))
    kept = Pipeline.objects.filter(archived_at=None)
    return [{one.slug for one in kept if asked(one.pk)} for asked in (reach.opens, reach.adds_to)]


@pytest.fixture
def pipelines(lead):
    Pipeline.objects.create(name="Support", slug="support")
    Pipeline.objects.create(name="Old", slug="old", archived_at=lead.created_at)
    return {"sales", "support"}


def test_boards_are_open_to_who_can_have_leads_and_to_nobody_else(people, pipelines, lead):
    for user in (people.owner, people.teammate, people.manager):
        assert opens(user) == [pipelines, pipelines]
    outsider = User.objects.create_user("outsider")
    assert opens(outsider) == [set(), set()]
    Lead.objects.update(owner=outsider)
    assert opens(outsider) == [pipelines, pipelines]
    people.owner.is_active = False
    for user in (AnonymousUser(), people.owner):
        reach = reach_of(user)
        assert not reach.opens(lead.stage.pipeline_id)
        assert not reach.adds_to(lead.stage.pipeline_id)
        assert not reach.leads().exists()


@pytest.mark.parametrize(
    ("permission", "target", "looks", "adds"),
    [
        ("view_team_leads", "team", {"sales", "support"}, set()),
        ("view_source_leads", "source", {"sales", "support"}, set()),
        ("work_team_leads", "team", {"sales", "support"}, {"sales", "support"}),
        ("work_pipeline", "pipeline", {"sales"}, {"sales"}),
    ],
)
def test_trust_opens_boards(people, pipelines, lead, permission, target, looks, adds):
    targets = {"team": people.team, "source": lead.source, "pipeline": lead.stage.pipeline}
    assert opens(in_group(permission, targets[target])) == [looks, adds]


def test_model_permissions_open_boards(pipelines):
    user = User.objects.create_user("office")
    for codename, expected in (("view_lead", [pipelines, set()]), ("add_lead", [pipelines, pipelines])):
        permission = Permission.objects.get(codename=codename, content_type__app_label="pipeline")
        user.user_permissions.add(permission)
        assert opens(user) == expected
