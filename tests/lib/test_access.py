import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from leadcrm.lib import access
from pipeline.models import Team

pytestmark = pytest.mark.django_db

SEE = "view_team_leads"


@pytest.fixture
def team():
    return Team.objects.create(name="Field sales")


@pytest.fixture
def other_team():
    return Team.objects.create(name="Inside sales")


@pytest.fixture
def group(team):
    group = Group.objects.create(name="Field sales readers")
    access.grant(group, SEE, team)
    return group


@pytest.fixture
def member(group):
    user = User.objects.create_user("member")
    user.groups.add(group)
    return user


@pytest.fixture
def stranger(group):
    return User.objects.create_user("stranger")


def test_a_member_of_the_group_may_and_a_stranger_may_not(member, stranger, team):
    assert access.has(member, SEE, team)
    assert not access.has(stranger, SEE, team)


def test_the_permission_is_for_that_object_and_that_action_only(member, team, other_team):
    assert list(access.objects_for(member, SEE, Team)) == [team]
    assert not access.has(member, "work_team_leads", team)


def test_a_revoked_permission_is_gone_and_revoking_again_is_harmless(member, group, team):
    access.revoke(group, SEE, team)
    access.revoke(group, SEE, team)
    assert not access.objects_for(member, SEE, Team).exists()


def test_granting_twice_is_the_same_as_once(member, group, team):
    access.grant(group, SEE, team)
    access.revoke(group, SEE, team)
    assert not access.has(member, SEE, team)


def test_a_permission_for_the_whole_model_covers_every_object(stranger, team, other_team):
    stranger.user_permissions.add(Permission.objects.get(codename=SEE))
    assert set(access.objects_for(stranger, SEE, Team)) == {team, other_team}


def test_a_superuser_may_everything(team, other_team):
    root = User.objects.create_superuser("root")
    assert set(access.objects_for(root, SEE, Team)) == {team, other_team}


@pytest.mark.parametrize("superuser", [False, True])
def test_who_is_not_active_may_nothing(member, team, superuser):
    member.is_active, member.is_superuser = False, superuser
    member.save()
    assert not access.has(member, SEE, team)
    assert not access.objects_for(member, SEE, Team).exists()


def test_a_visitor_may_nothing(team):
    assert not access.has(AnonymousUser(), SEE, team)
