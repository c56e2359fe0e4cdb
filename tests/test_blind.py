"""Leads of blind pools: who it is stands in no answer to anybody who may take it, until somebody has it.

Every address of the project is asked, and every kind of message read, as in ``tests/test_access.py``. The same without
the pool being blind finds the names, so that this would notice one that slips through.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution.blind import hidden_from
from distribution.models import Assignment, Offer, Pool, Rep
from distribution.offers import build_offers
from distribution.selectors import rep_of
from distribution.services import assign_lead, claim_lead, release_lead, sweep_offers
from leadcrm.lib import access
from notifications import links
from notifications.content import content_of
from notifications.defaults import LANGUAGES
from notifications.kinds import KINDS
from notifications.models import ActionLink, Call, Notification
from notifications.services import acting, deliver, fan_out, inbound
from pipeline.models import Account, Event, Lead, Pipeline, SavedView, Task, Team
from pipeline.reach import reach_of
from pipeline.selectors import visible_leads, workable_leads
from pipeline.services.tasks import remind_due
from tests.addresses import TABLE, VISITORS, path_of
from tests.distribution.calendars import make_leave
from tests.distribution.world import make_lead, make_source, world
from tests.notifications.twilio_calls import call, use_twilio
from tests.pipeline.people import make_people, signed_in
from tests.support.heard import heard_up_to

pytestmark = pytest.mark.django_db

WHO_IT_IS: Final = {
    "first_name": "Zyxmaria",
    "last_name": "Qwertnovak",
    "email": "zyx.maria@vexatious.example",
    "phone": "+4930777888999",
    "company": "Vexatious Ltd",
    "job_title": "Head of Vexatious",
    "website": "https://vexatious.example/",
    "city": "Vexatioushausen",
    "message": "Zyxmaria here, call me.",
}
SECRETS: Final = ("zyxmaria", "zyx.maria", "qwertnovak", "777888999", "vexatious")
WANTED: Final = {"product": "Pumps", "country": "DE", "value": 5000, "currency": "EUR", "score": 82}
# How somebody would look for it, without writing down what must not come back.
LOOKING: Final = ("Zyxma", "Vexat", "0777 888 9")
CHANNELS: Final = ("in_app", "email", "sms")
TOLD: Final = [kind.key for kind in KINDS.values() if kind.channels]


def told(text: str) -> set[str]:
    return {secret for secret in SECRETS if secret in text.lower()}


@pytest.fixture
def people() -> SimpleNamespace:
    people = make_people()
    watcher = User.objects.create_user("watcher")
    watchers = Group.objects.create(name="Watchers")
    watchers.user_set.add(watcher)
    access.grant(watchers, "view_team_leads", people.team)
    roles = {role: getattr(people, role) for role in ("manager", "owner", "teammate", "stranger")}
    return SimpleNamespace(**roles, watcher=watcher, admin=User.objects.create_superuser("root"), team=people.team)


def offered(people: SimpleNamespace, *, method: str = "claim", blind: bool = True) -> Lead:
    """A lead that the two reps of Berlin may take."""
    world(rep(people.owner), rep(people.teammate), method=method, team=people.team, blind=blind)
    lead = make_lead(**WHO_IT_IS, **WANTED, team=people.team)
    assign_lead(lead.pk)
    lead.refresh_from_db()
    assert lead.routing_state == Lead.RoutingState.CLAIMABLE
    return lead


def rep(user: User) -> Rep:
    found = rep_of(user)
    assert found
    return found


def with_much_about_it(lead: Lead, people: SimpleNamespace) -> dict[str, Any]:
    """What stands in the addresses: as ``tests.test_access``, with an account, a task and leave."""
    account, now = Account.objects.create(name="Vexatious Ltd", domain="vexatious.example"), timezone.now()
    Lead.objects.filter(pk=lead.pk).update(account=account)
    return {
        "lead": lead,
        "account": account,
        "rep": people.owner.rep,
        "task": Task.objects.create(lead=lead, text="Call", due_at=now, assignee=people.teammate),
        "leave": make_leave(people.owner.rep, now + timedelta(days=9), now + timedelta(days=10)),
    }


def asked(things: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every address for people, to look and to send; boards in all their views; what is looked for."""
    lead = things["lead"]
    for address, whom in TABLE.items():
        if whom != VISITORS:
            path = path_of(address, things)
            yield "get", path, {"who": "team", "since": "0"}
            if address not in ("leads/<uuid:uid>/claim/", "offers/next/"):  # after these, the lead is theirs
                yield "post", path, {"lead": f"{lead.uid}:{lead.version}", "stage": lead.stage.slug}
    for text in LOOKING:
        yield "get", "/search/", {"q": text}
        yield "get", f"/board/{lead.stage.pipeline.slug}/table/", {"who": "team", "q": text}
    yield "post", f"/board/{lead.stage.pipeline.slug}/changes/?who=team", {"since": heard_up_to(0)}


def answer(client: Client, method: str, path: str, fields: dict[str, Any]) -> str:
    """What comes back, as a page and as a part of one; nothing leaves a trace."""
    texts = []
    for headers in ({}, {"HX-Request": "true"})[: 2 if method == "get" else 1]:
        with transaction.atomic():
            response = getattr(client, method)(path, fields, headers=headers, follow=True)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            texts += [body.decode(), str(response.headers), str(response.redirect_chain)]
            transaction.set_rollback(True)
    return "\n".join(texts)


def sees(user: User, lead: Lead) -> bool:
    asked = (visible_leads(user), reach_of(user).leads(), workable_leads(user))
    found = {leads.filter(pk=lead.pk).exists() for leads in asked}
    assert len(found) == 1
    return found.pop()


def leaks(user: User, things: dict[str, Any]) -> list[str]:
    client = signed_in(user)
    return [" ".join(map(str, one)) for one in asked(things) if told(answer(client, *one))]


# --- Pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "method"), [("teammate", "claim"), ("watcher", "pull")])
def test_no_answer_says_who_a_hidden_lead_is(people, role, method):
    things = with_much_about_it(offered(people, method=method), people)
    assert leaks(getattr(people, role), things) == []


def test_the_same_answers_say_it_where_the_pool_is_not_blind(people):
    """The control: board, table, CSV, changes, search, pages of lead and account, and the offers are all looked at."""
    things = with_much_about_it(offered(people, blind=False), people)
    found = "\n".join(leaks(people.teammate, things))
    lead_page = f"get /leads/{things['lead'].uid}/"
    for place in (lead_page, "/table/", "/export/", "/changes/", "/search/", "/accounts/", "/offers/", "/my/"):
        assert place in found


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_who_looks_after_the_team_and_admins_see_who_it_is(people, role):
    lead, user = offered(people), getattr(people, role)
    client = signed_in(user)
    for path in (f"/leads/{lead.uid}/", "/board/?who=team", "/search/?q=Zyxma", "/board/sales/table/?who=team"):
        assert "Qwertnovak" in client.get(path).content.decode()
    assert workable_leads(user).filter(pk=lead.pk).exists()


def test_an_offer_shows_what_helps_to_decide(people):
    offered(people)
    page = signed_in(people.teammate).get("/offers/").content.decode()
    for shown in ("Pumps, DE", "5,000 EUR", ">82<", "Sales", "just now", "Who it is shows once you take it."):
        assert shown in page


def as_anybody(user: User, lead: Lead) -> None:
    """As they are."""


def as_manager(user: User, lead: Lead) -> None:
    Team.objects.update(manager=user)


def as_reader_of_all(user: User, lead: Lead) -> None:
    user.user_permissions.add(Permission.objects.get(codename="view_lead"))


def as_former_owner(user: User, lead: Lead) -> None:
    over = {"started_at": timezone.now(), "ended_at": timezone.now(), "end": Assignment.End.CLOSED}
    Assignment.objects.create(lead=lead, rep=rep(user), trigger=Assignment.Trigger.MANUAL, **over)


@pytest.mark.parametrize(
    ("become", "hidden"), [(as_anybody, True), (as_manager, False), (as_reader_of_all, False), (as_former_owner, False)]
)
def test_the_lane_hides_a_lead_from_whom_everything_else_hides_it(people, become, hidden):
    lead, other = offered(people), make_lead(team=people.team, routing_state="claimable")
    Offer.objects.create(lead=other, rep=people.teammate.rep)
    become(people.teammate, lead)
    user = User.objects.get(pk=people.teammate.pk)
    shown = {offer.uid: offer.hidden for offer in build_offers(user, timezone.now())}
    assert shown == {lead.uid: hidden, other.uid: False}
    assert hidden_from(user, [lead.pk, other.pk]) == ({lead.pk} if hidden else set())


@pytest.mark.parametrize("role", ["manager", "owner", "teammate", "stranger", "watcher", "admin"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["by urgency", "by hand"])
def test_the_first_page_of_a_board_asks_no_more_where_leads_are_hidden(people, role, by_hand):
    lead, user = offered(people), getattr(people, role)
    make_lead(owner=user, team=people.team, routing_state="assigned") if rep_of(user) else None
    Pipeline.objects.update(sorted_by_hand=by_hand)
    SavedView.objects.create(user=user, pipeline=lead.stage.pipeline, name="Late", query="overdue=1")
    client = signed_in(user)
    client.get("/board/")  # fills the caches
    for address in ("/board/", "/board/?who=mine", "/board/sales/?who=team"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 12, address


def test_a_lead_of_which_nothing_is_known_is_called_a_lead(people):
    lead = offered(people)
    Lead.objects.filter(pk=lead.pk).update(product="", country="")
    assert "<bdi>Lead</bdi>" in signed_in(people.teammate).get("/offers/").content.decode()


def test_who_takes_it_sees_who_it_is_and_who_was_too_late_does_not(people):
    lead = offered(people)
    assert signed_in(people.owner).get(f"/leads/{lead.uid}/").status_code == 404
    claim_lead(lead.pk, rep=rep(people.owner))
    for user in (people.owner, people.watcher):
        assert "Qwertnovak" in signed_in(user).get(f"/leads/{lead.uid}/").content.decode()
    late = signed_in(people.teammate)
    lost = answer(late, "post", f"/leads/{lead.uid}/claim/", {})
    assert told(lost) == set()
    assert "was faster: Pumps, DE is taken." in lost
    assert leaks(people.teammate, with_much_about_it(lead, people)) == []


def test_who_asks_for_the_next_lead_sees_who_it_is(people):
    offered(people, method="pull")
    assert "Qwertnovak" in answer(signed_in(people.owner), "post", "/offers/next/", {})


def test_nobody_takes_a_look_between_two_offers(people):
    lead = offered(people)
    sweep_offers(now=timezone.now() + timedelta(hours=1))
    lead.refresh_from_db()
    assert (lead.routing_state, Offer.objects.filter(ended_at=None).count()) == ("unassigned", 0)
    assert not sees(people.teammate, lead)


def test_nobody_takes_a_look_while_it_waits_for_somebody_to_be_there(people):
    Rep.objects.update(status=Rep.Status.AWAY)
    pool = world(rep(people.owner), rep(people.teammate), method="claim", team=people.team, blind=True)
    lead = make_lead(**WHO_IT_IS)
    assign_lead(lead.pk)
    lead.refresh_from_db()
    assert (lead.routing_state, lead.team, lead.holds.get().pool) == ("held", people.team, pool)
    assert not sees(people.teammate, lead)


def test_hiding_begins_and_ends_when_an_admin_says_so(people):
    lead, user = offered(people, blind=False), people.teammate
    for blind in (True, False):
        Pool.objects.update(blind=blind)
        assert sees(user, lead) is not blind


def test_what_every_page_asks_and_what_boards_ask_is_the_same(people):
    offered(people)
    for name in ("manager", "owner", "teammate", "stranger", "watcher", "admin"):
        user = getattr(people, name)
        assert set(reach_of(user).leads()) == set(visible_leads(user))


def test_history_leads_to_no_hidden_lead_of_the_same_person(people):
    """The offer tells its number, so that a way from somebody's history would tell who it is."""
    hidden = offered(people)
    known = make_lead(last_name="Known", team=people.team, routing_state="unassigned")
    data = {"lead_uid": str(hidden.uid), "sentence": "The same person came in again, by web."}
    Event.objects.create(lead=known, kind=Event.Kind.MATCHED, data=data)
    for user, leads_on in ((people.teammate, False), (people.watcher, False), (people.manager, True)):
        for path in (f"/leads/{known.uid}/", f"/leads/{known.uid}/history/"):
            page = signed_in(user).get(path).content.decode()
            assert "The same person came in again" in page
            assert (str(hidden.uid) in page) is leads_on


# --- Tasks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("blind", [True, False])
def test_a_task_of_a_hidden_lead_can_be_given_only_to_who_may_know_who_it_is(people, blind):
    """And the other way round, where the team may know it, to all of the team."""
    lead, client = offered(people, blind=blind), signed_in(people.manager)
    offered_to = client.get(f"/leads/{lead.uid}/").context["forms"]["task"].fields["who"].queryset
    assert (people.teammate in offered_to) is not blind
    asked = {"text": "Call", "soon": "tomorrow", "who": people.teammate.pk}
    assert client.post(f"/leads/{lead.uid}/tasks/", asked).status_code == (422 if blind else 302)
    assert Task.objects.exists() is not blind


@pytest.mark.parametrize("blind", [True, False])
def test_a_task_from_before_a_lead_was_hidden_tells_nothing_on_its_way(people, blind):
    """The reminder goes out, to the bell and the inbox too; My day, the task and its changes do not show it."""
    lead, client = offered(people, blind=blind), signed_in(people.teammate)
    due = timezone.now() - timedelta(minutes=1)
    task = Task.objects.create(
        lead=lead, text="Call Zyxmaria", due_at=due, remind_at=due, assignee=people.teammate, created_by=people.manager
    )
    assert remind_due() == 1
    fan_out()
    deliver("in_app")
    assert Notification.objects.filter(user=people.teammate, kind="task_due", state="delivered").count() == 1
    paths = ("/my/", "/my/changes/?since=0", "/my/inbox/", "/my/bell/latest/", f"/tasks/{task.pk}/")
    seen = [path for path in paths if told(client.get(path).content.decode())]
    assert seen == ([] if blind else list(paths))


# --- Messages ------------------------------------------------------------------------------------


def said(user: User, lead: Lead, kind: str, channel: str, language: str) -> str:
    data = {"sentence": "Offered to 2 people.", "user": user.pk, "text": "Zyxmaria called."}
    event = Event.objects.create(lead=lead, kind=Event.Kind.OFFERED, data=data)
    row = Notification(kind=kind, user=user, channel=channel, lead=lead, event=event, language=language)
    content = content_of(row)
    return "\n".join((content.subject, content.text, content.html))


@pytest.mark.parametrize("kind", TOLD)
def test_no_message_says_who_a_hidden_lead_is(people, kind):
    assert told(said(people.teammate, offered(people), kind, "email", "en")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_offer_says_what_helps_to_decide_and_not_who_it_is(people, language):
    lead = offered(people)
    for channel in CHANNELS:
        text = said(people.teammate, lead, "offered", channel, language)
        assert told(text) == set()
        assert "Pumps, DE" in text
        assert "82" in text
    assert re.search(r"\b5\D?000\D?EUR\b", said(people.teammate, lead, "offered", "email", language))


def test_the_same_messages_say_it_where_the_pool_is_not_blind(people):
    lead = offered(people, blind=False)
    assert told(said(people.teammate, lead, "offered", "email", "en")) == set(SECRETS)


def test_who_was_too_late_is_not_told_who_it_was(people):
    lead = offered(people)
    claim_lead(lead.pk, rep=rep(people.owner))
    lead.refresh_from_db()
    assert told(said(people.teammate, lead, "claimed_by_other", "in_app", "en")) == set()
    assert told(said(people.owner, lead, "assigned", "email", "en")) == set(SECRETS)


def test_who_had_it_may_still_be_told_of_it_by_name(people):
    lead = offered(people)
    claim_lead(lead.pk, rep=rep(people.owner))
    release_lead(lead.pk, actor=people.owner, reason="no time")
    lead.refresh_from_db()
    assert "Zyxmaria Qwertnovak" in said(people.owner, lead, "reassigned_away", "in_app", "en")
    assert told(said(people.teammate, lead, "offered", "email", "en")) == set()


# --- Links, replies and calls --------------------------------------------------------------------


def test_a_link_to_accept_says_who_it_is_once_it_was_pressed(people):
    lead = offered(people)
    row, late = (
        ActionLink.objects.create(action="accept", user=user, lead=lead, expires_at=timezone.now() + timedelta(hours=1))
        for user in (people.owner, people.teammate)
    )
    client, path = Client(), f"/act/{links.token_of(row)}/"
    before = client.get(path).content.decode()
    assert told(before) == set()
    assert "Accept Pumps, DE" in before
    assert "5,000 EUR" in before
    assert {"zyxmaria", "777888999"} <= told(client.post(path).content.decode())
    for answered in (client.get(f"/act/{links.token_of(late)}/"), client.post(f"/act/{links.token_of(late)}/")):
        assert told(answered.content.decode()) == set()


def test_a_link_that_was_used_or_comes_late_does_not_say_who_it_is(people):
    lead, now = offered(people), timezone.now()
    row = ActionLink.objects.create(action="accept", user=people.teammate, lead=lead, expires_at=now, used_at=now)
    page = Client().get(f"/act/{links.token_of(row)}/").content.decode()
    assert "Pumps, DE is not yours." in page
    assert told(page) == set()


def test_an_answer_to_a_reply_does_not_say_who_it_is(people):
    lead, now, late = offered(people), timezone.now(), rep(people.teammate)
    assert acting.standing(lead, late) == "Pumps, DE is not yours."
    assert acting.decline(lead, late, "", now)[1] == "Pumps, DE is not yours."
    claim_lead(lead.pk, rep=rep(people.owner))
    assert acting.accept(lead, late, now)[1] == "Too late: Owner Person has Pumps, DE now."
    Lead.objects.filter(pk=lead.pk).update(closed_at=now)
    assert acting.standing(lead, late) == "Pumps, DE is closed."


def test_an_answer_about_several_leads_names_none_that_is_hidden(people):
    first = offered(people)
    second = make_lead(**{**WHO_IT_IS, "email": "", "phone": ""}, product="Valves", source=make_source("fair"))
    assign_lead(second.pk)
    now, head = timezone.now(), None
    for number, lead in enumerate((first, second)):
        head = Notification.objects.create(
            user=people.teammate, lead=lead, kind="offered", key=str(number), channel="sms", state="sent", sent_at=now,
            bundled_into=head, next_at=now,
        )  # fmt: skip
    answered = inbound._answer(inbound.asked_of(rep(people.teammate), "sms", now), rep(people.teammate), "accept", now)
    assert "Pumps, DE" in answered
    assert "Valves" in answered
    assert told(answered) == set()


def test_a_phone_that_rings_does_not_say_who_a_hidden_lead_is(people, settings):
    use_twilio(settings)
    lead = offered(people)
    ringing = Call.objects.create(lead=lead, direction=Call.Direction.IN, provider_id="CA1", status="ringing")
    path = f"/hooks/twilio/call/{ringing.uid}/whisper/{rep(people.teammate).pk}/"
    heard = call(path, CallSid="CA1").content.decode()
    assert "A call from Pumps, DE." in heard
    assert told(heard) == set()
