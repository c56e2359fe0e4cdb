"""Two teams and the people around them, to try out who sees what."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from distribution.models import Rep
from pipeline.models import Lead, Team
from tests.distribution.world import make_lead


@dataclass(frozen=True)
class People:
    """Berlin has a manager, an owner and a teammate; the stranger works in Paris. All but the manager can own leads."""

    manager: User
    owner: User
    teammate: User
    stranger: User
    team: Team
    other_team: Team


def make_people() -> People:
    manager, owner, teammate, stranger = (
        User.objects.create_user(name, password="secret", first_name=name.title(), last_name="Person")
        for name in ("manager", "owner", "teammate", "stranger")
    )
    Rep.objects.bulk_create(Rep(user=user, name=user.get_full_name()) for user in (owner, teammate, stranger))
    team = Team.objects.create(name="Berlin", manager=manager)
    team.members.add(owner, teammate)
    other_team = Team.objects.create(name="Paris")
    other_team.members.add(stranger)
    return People(manager, owner, teammate, stranger, team, other_team)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def owned(people: People, **fields: Any) -> Lead:
    """A lead that the owner has."""
    return make_lead(**{"owner": people.owner, "team": people.team, "routing_state": "assigned"} | fields)
