"""Why a lead went to its reader, in the reader's language: as real decisions leave it, and by every code."""

import pytest

from distribution import services
from distribution.engine.methods import ASSIGN, METHODS
from distribution.engine.targets import TARGETS
from distribution.models import Rep
from notifications.content import content_of
from notifications.defaults import LANGUAGES
from notifications.models import Notification
from notifications.why import _BY_CODE, _BY_METHOD, why_in
from pipeline.models import Account
from tests.distribution.calendars import make_leave
from tests.distribution.setups import make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, world
from tests.notifications.messages import NOW


def routed(**fields):
    lead = make_lead(**fields)
    services.assign_lead(lead.pk, now=NOW)
    lead.refresh_from_db()
    return lead


def owned_account(target="account_owner"):
    """A rule that gives leads to the owner of their account, here Ann."""
    ann = make_rep("Ann")
    rules = make_rule_set()
    make_rule(rules, "Owners", target=target)
    publish(rules)
    return ann, Account.objects.create(name="Novak", owner=ann.user)


def test_languages_have_the_same_reasons_one_for_each_code_and_way_to_choose():
    for language in LANGUAGES.values():
        assert set(language.reasons) == {*_BY_CODE.values(), *_BY_METHOD.values()}
    chosen = {key for key in METHODS if METHODS[key].ending == ASSIGN}
    people = {key for key in TARGETS if key.endswith("owner") or key == "rep"}
    assert chosen | people == set(_BY_METHOD)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "language", "said"),
    [
        ("round_robin", "de", "Sie sind an der Reihe"),
        ("least_loaded", "fr", "Vous avez le plus de disponibilités"),
        ("equal_totals", "es", "Es quien menos leads ha recibido"),
        ("weighted", "pt", "É a sua vez"),
    ],
)
def test_a_turn_in_a_pool_is_told_with_pool_and_rule(method, language, said):
    world("Ann", method=method)
    short, whole = why_in(routed(), language)
    assert short == f"{said} (Sales)"
    assert whole.startswith(said)
    assert "Sales" in whole
    assert "Everything" in whole


@pytest.mark.django_db
def test_the_owner_of_an_account_is_told_so_and_who_stands_in_is_not_called_the_owner():
    ann, account = owned_account()
    lead = routed(account=account)
    assert why_in(lead, "de").whole == "Sie betreuen die Firma (Regel Owners)."
    make_leave(ann, NOW, NOW.replace(day=20), cover=make_rep("Ben"))
    assert why_in(routed(account=account), "de").short == "Sie sind die Vertretung"


@pytest.mark.django_db
def test_a_lead_that_was_given_by_hand_is_not_told_as_a_turn():
    world("Ann")
    lead = routed()
    services.reassign_lead(lead.pk, to=make_rep("Ben"), reason="knows them", now=NOW)
    lead.refresh_from_db()
    assert why_in(lead, "es").short == "Asignado manualmente"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "de"])
def test_what_has_no_code_is_told_by_the_stored_sentence(language):
    rep = make_rep("Sam")
    lead = make_lead(owner=rep.user, routing_state="assigned", routing_sentence="Came with its history.")
    assert why_in(lead, language).short == ""
    row = Notification(kind="assigned", user=rep.user, channel="email", lead=lead, language=language)
    assert "Came with its history." in content_of(row, NOW).text


@pytest.mark.django_db
def test_an_english_email_tells_the_stored_sentence_and_a_german_one_no_english():
    world("Ann")
    lead = routed()
    row = Notification(kind="assigned", user=Rep.objects.get().user, channel="email", lead=lead, language="en")
    assert lead.routing_sentence in content_of(row, NOW).text
    row.language = "de"
    said = content_of(row, NOW)
    assert "Warum Sie: Sie sind an der Reihe (Pool Sales, Regel Everything)." in said.text
    assert "Assigned to" not in said.text + said.html
