"""A batch decides as one by one would, also about people who are asked for in several ways."""

import pytest
from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.utils import timezone

from distribution import compiling, services
from distribution.models import Decision, Rep
from distribution.services import batch
from pipeline.models import Account
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_leads, owners, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga():
    """Owns an account, and a rule names her as well."""
    olga = make_rep("Olga")
    Account.objects.create(name="Novak", domain="novak.example", owner=olga.user, country="DE")
    rules = make_rule_set(pool=make_pool("Rest", "Zoe"))
    make_rule(rules, "Owners", ("country", "is", "DE"), target="account_owner")
    make_rule(rules, "Olga", ("country", "is", "FR"), target="rep", rep=olga)
    publish(rules)
    return olga


def decisions(give_out) -> list[tuple[str, str]]:
    """What became of all leads, by name of the winner and digest; nothing of it stays."""
    compiling.forget()
    with transaction.atomic():
        give_out()
        found = list(Decision.objects.order_by("lead_id").values_list("winner__name", "digest"))
        transaction.set_rollback(True)
    return found


def test_who_is_owner_first_and_named_by_a_rule_then_is_known_as_the_same(olga):
    leads = [make_lead(email=f"p{number}@novak.example", country="DE").pk for number in range(3)]
    leads += [make_lead(email=f"p{number}@elsewhere.example", country="FR").pk for number in range(3)]
    now = timezone.now()
    alone = decisions(lambda: [services.assign_lead(pk, now=now, trigger="batch") for pk in leads])
    assert len(alone) == 6
    assert decisions(lambda: services.assign_leads(leads, now=now)) == alone


def test_leads_that_stay_with_their_person_leave_less_room_for_others(olga):
    Rep.objects.filter(pk=olga.pk).update(capacity=4)
    people = [f"p{number}@people.example" for number in range(3)]
    for email in people:
        services.assign_lead(make_lead(email=email, country="FR").pk)
    leads = [make_lead(email=email, country="FR").pk for email in people]
    leads.append(make_lead(email="stranger@people.example", country="FR").pk)
    services.assign_leads(leads)
    assert Decision.objects.get(lead=leads[-1]).winner.name == "Zoe"
    olga.refresh_from_db()
    assert olga.open_leads == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("count", "connections"), [(4, 0), (5, 1)])
def test_only_a_batch_of_several_chunks_takes_one_connection_more(monkeypatch, count, connections):
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)
    monkeypatch.setattr(batch, "CHUNK", 4)
    world("Ann", "Ben")
    leads, opened = make_leads(count), []

    def note(**_):
        opened.append(None)

    connection_created.connect(note)
    try:
        services.assign_leads([lead.pk for lead in leads])
    finally:
        connection_created.disconnect(note)
    more = connections if connection.vendor == "postgresql" else 0  # SQLite lets one write at a time
    assert (len(opened), len(owners())) == (more, count)
