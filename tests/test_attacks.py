"""What somebody could send who means harm: things of others in forms and addresses, ways out of the site, rubbish.

Each attack comes from somebody who may send that form for things of their own. Nothing may change by it, and nothing of
others may be told.
"""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution.models import Decision, Leave, Rep, Territory
from notifications.models import Notification
from pipeline.models import Event, Lead, Pipeline, SavedView, Stage, Task
from pipeline.services.keys import issue_key
from tests.addresses import MACHINES, OWN, TABLE, VISITORS, WORKERS, make_roles, make_things, path_of
from tests.distribution.calendars import make_leave
from tests.distribution.world import make_lead, make_source
from tests.pipeline.people import signed_in
from tests.support.heard import heard_up_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("refused_in_silence")]

FOREIGN: Final = "Zyxforeign"


@pytest.fixture
def people() -> dict[str, User]:
    return make_roles()


@pytest.fixture
def world(people) -> SimpleNamespace:
    """Berlin's lead of the owner with all that belongs to it (``mine``), and Paris's lead of the stranger with the same
    (``theirs``), whose names are foreign to everybody in Berlin."""
    mine, stranger = make_things(people["owner"]), people["stranger"]
    User.objects.filter(pk=stranger.pk).update(last_name=FOREIGN)
    Rep.objects.filter(user=stranger).update(name=FOREIGN)
    paris = stranger.lead_teams.get()
    type(paris).objects.update_or_create(pk=paris.pk, defaults={"name": f"{FOREIGN} team"})
    source = make_source("foreign", requests_per_minute=1000)
    type(source).objects.filter(pk=source.pk).update(name=f"{FOREIGN} source")
    lead = make_lead(
        last_name=FOREIGN, owner=stranger, team=paris, source=source, routing_state="assigned", external_id="x-1"
    )
    now = timezone.now()
    service = Pipeline.objects.create(slug="service", name="Service")
    return SimpleNamespace(
        mine=SimpleNamespace(**mine),
        lead=lead,
        rep=Rep.objects.get(user=stranger),
        team=paris,
        source=source,
        stage=Stage.objects.create(pipeline=service, slug="triage", name="Triage"),
        task=Task.objects.create(lead=lead, text=f"{FOREIGN} task", due_at=now, assignee=stranger),
        leave=make_leave(stranger.rep, now + timedelta(days=5), now + timedelta(days=6)),
        view=SavedView.objects.create(user=stranger, pipeline=lead.stage.pipeline, name=f"{FOREIGN} view", query="q=1"),
        territory=Territory.objects.create(name=f"{FOREIGN} land"),
        event=Event.objects.create(lead=lead, kind=Event.Kind.NOTED, data={"text": f"{FOREIGN} note"}),
    )


KEPT: Final = (Lead, Task, Rep, Leave, SavedView, Notification, Event)


def state() -> dict[str, Any]:
    """All that an attack could change; not when somebody was there."""
    Rep.objects.update(last_seen_at=None)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in KEPT}


def told(client: Client, path: str, fields: dict[str, Any] | None = None) -> str:
    """What comes back, wherever it leads; of a board what happened since the beginning."""
    if "/changes/?who" in path:
        fields = {"since": heard_up_to(0)}
    answer = client.get(path, follow=True) if fields is None else client.post(path, fields, follow=True)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()


# --- Things of others in forms -------------------------------------------------------------------

# Who sends it, where to, what, and what it is answered with.
ATTACKS: Final = {
    "to a stage of another pipeline": (
        "owner", "/board/sales/move/{m.lead.uid}/", {"stage": "triage", "version": 0}, 422,
    ),
    "to such a stage on the lead's page": (
        "owner", "/leads/{m.lead.uid}/stage/", {"stage": "triage", "version": 0}, 404,
    ),
    "many to such a stage": (
        "owner", "/board/sales/bulk/", {"stage": "triage", "lead": "{m.lead.uid}:0"}, 422,
    ),
    "through a board of another pipeline": (
        "owner", "/board/service/bulk/", {"stage": "triage", "lead": "{m.lead.uid}:0"}, 302,
    ),
    "a lead of others among many": (
        "owner", "/board/sales/bulk/", {"stage": "won", "lead": "{t.lead.uid}:0"}, 302,
    ),
    "a lead of others on the own board": (
        "owner", "/board/sales/move/{t.lead.uid}/", {"stage": "won", "version": 0}, 404,
    ),
    "an undo for others": ("owner", "/board/sales/undo/{t.lead.uid}/?version=0", {}, 404),
    "to a person of another team": (
        "manager", "/leads/{m.lead.uid}/pass-on/", {"to": "{t.rep.pk}", "reason": "x"}, 422,
    ),
    "many to such a person": (
        "manager", "/reassign/", {"to": "{t.rep.pk}", "reason": "x", "lead": "{m.lead.uid}:0"}, 422,
    ),
    "a lead of others among those to reassign": (
        "manager", "/reassign/", {"to": "{m.rep.pk}", "reason": "x", "lead": "{t.lead.uid}:0"}, 302,
    ),
    "a lead of others dropped on one's people": (
        "manager", "/team/{m.rep.pk}/give/", {"lead": "{t.lead.uid}", "version": 0}, 404,
    ),
    "one's lead dropped on others' people": (
        "manager", "/team/{t.rep.pk}/give/", {"lead": "{m.lead.uid}", "version": 0}, 404,
    ),
    "a lead that one of two teams has, by the other's manager": (
        "boss", "/team/{t.rep.pk}/give/", {"lead": "{m.lead.uid}", "version": 0}, 404,
    ),
    "all leads to such a person": (
        "manager", "/availability/{m.rep.pk}/hand-over/", {"to": "{t.rep.pk}", "reason": "x", "sure": "1"}, 422,
    ),
    "all leads of such a person": (
        "manager", "/availability/{t.rep.pk}/hand-over/", {"to": "{m.rep.pk}", "reason": "x", "sure": "1"}, 404,
    ),
    "leave that a stranger covers": (
        "owner", "/availability/{m.rep.pk}/leave/", {"first_day": "2030-01-01", "cover": "{t.rep.pk}"}, 422,
    ),
    "leave of others under the own number": (
        "owner", "/availability/{m.rep.pk}/leave/{t.leave.pk}/cancel/", {}, 404,
    ),
    "a change of such leave": (
        "owner", "/availability/{m.rep.pk}/leave/{t.leave.pk}/", {"first_day": "2030-01-01"}, 404,
    ),
    "a task for somebody of another team": (
        "owner", "/leads/{m.lead.uid}/tasks/", {"text": "x", "soon": "3", "who": "{t.rep.user_id}"}, 422,
    ),
    "a task handed to such a person": (
        "owner", "/tasks/{m.task.pk}/", {"text": "x", "due_at": "2030-01-01T10:00", "who": "{t.rep.user_id}"}, 422,
    ),
    "a task of others": ("owner", "/tasks/{t.task.pk}/done/", {}, 404),
    "a view of others": ("owner", "/board/sales/views/{t.view.pk}/forget/", {}, 404),
}  # fmt: skip


def filled(text: Any, world: SimpleNamespace) -> Any:
    return text.format(m=world.mine, t=world) if isinstance(text, str) else text


def test_what_belongs_to_others_is_not_reached_through_what_is_ones_own(people, world):
    before, wrong = state(), []
    for attack, (role, address, fields, expected) in ATTACKS.items():
        client, path = signed_in(people[role]), filled(address, world)
        sent = {name: filled(value, world) for name, value in fields.items()}
        with transaction.atomic():
            status, page = client.post(path, sent).status_code, told(client, path, sent)
            after = state()
            transaction.set_rollback(True)
        if status != expected or after != before or (role != "boss" and FOREIGN in page):
            wrong.append(f"{attack}: {status}, changed: {after != before}, told: {FOREIGN in page}")
    assert not wrong, "\n".join(wrong)


def test_what_a_form_does_not_ask_for_is_not_taken_from_it(people, world):
    client = signed_in(people["owner"])
    more = {
        "owner": people["stranger"].pk, "team": world.team.pk, "stage": "won", "source": world.source.pk, "score": 99,
        "routing_state": "assigned", "account": 1, "closed_at": "2020-01-01", "uid": str(uuid4()),
    }  # fmt: skip
    client.post("/board/sales/add/", {"last_name": "New", "company": "Newcomers", **more})
    added = Lead.objects.get(last_name="New")
    assert (added.stage.slug, added.score, added.closed_at, added.source == world.source) == ("open", None, None, False)
    assert people["stranger"] != added.owner
    version = world.mine.lead.version
    client.post(f"/leads/{world.mine.lead.uid}/edit/", {"last_name": "Edited", "version": version, **more})
    edited = Lead.objects.get(pk=world.mine.lead.pk)
    assert (edited.last_name, edited.owner, edited.stage.slug, edited.score) == (
        "Edited", people["owner"], "open", None,
    )  # fmt: skip


def test_a_view_of_the_same_name_is_kept_beside_that_of_somebody_else(people, world):
    signed_in(people["owner"]).post("/board/sales/views/", {"name": world.view.name, "query": "q=mine"})
    world.view.refresh_from_db()
    assert world.view.query == "q=1"
    assert SavedView.objects.filter(name=world.view.name).count() == 2


# --- Things of others in addresses ---------------------------------------------------------------

LOOKS: Final = (
    "/board/sales/?who=team&owner={t.rep.user_id}&team={t.team.pk}&source={t.source.pk}&territory={t.territory.pk}",
    "/board/sales/table/?who=team&owner={t.rep.user_id}",
    "/board/sales/table/?who=team&team={t.team.pk}&sort=owner",
    "/board/sales/filters/?owner={t.rep.user_id}",
    "/board/sales/stage/open/?who=team",
    "/board/sales/changes/?who=team",
    "/board/sales/export/?who=team&source={t.source.pk}",
    "/my/?done={t.task.pk}",
    "/my/changes/",
    "/my/fairness/?pool=1",
    "/my/inbox/",
    "/search/?q=Zyxforeign",
    "/accounts/{m.account.uid}/",
    "/leads/{m.lead.uid}/",
    "/leads/{m.lead.uid}/history/",
    "/team/availability/",
    "/offers/",
)  # fmt: skip


@pytest.mark.parametrize("role", ["owner", "manager", "watcher", "outsider"])
def test_no_page_tells_anything_of_what_others_have(role, people, world):
    """Leads of one person, company and address in both teams: each sees theirs alone."""
    shared = {"email": "ada@engines.example", "phone": "+442071838750", "account": world.mine.account}
    Lead.objects.filter(pk__in=(world.mine.lead.pk, world.lead.pk)).update(**shared)
    client = signed_in(people[role])
    for look in LOOKS:
        path = filled(look, world)
        page = told(client, path).replace("q=Zyxforeign", "").replace('"Zyxforeign"', "").replace("Zyxforeign</b", "")
        if "search" in path:
            page = page[page.index("</header>") :].replace("“Zyxforeign”", "")
        assert (path, FOREIGN in page, str(world.lead.uid) in page) == (path, False, False)


def test_the_same_pages_tell_it_to_whom_it_concerns(people, world):
    """The control: what is looked for above would be found."""
    client = signed_in(people["boss"])
    places = [look for look in LOOKS if "/board/" in look or "/team/" in look]
    found = [look for look in places if FOREIGN in told(client, filled(look, world))]
    assert found == places


def test_the_export_of_what_was_ticked_holds_nothing_of_others(people, world):
    ticked = [f"{lead.uid}:0" for lead in (world.mine.lead, world.lead)]
    text = told(signed_in(people["owner"]), "/board/sales/export/", {"lead": ticked})
    assert "Lovelace" in text
    assert FOREIGN not in text


def test_a_decision_about_another_lead_is_not_shown_with_ones_own(people, world):
    other = Decision.objects.create(lead=world.lead, reason="turn", sentence=f"{FOREIGN} had the turn.")
    client = signed_in(people["owner"])
    assert client.get(f"/leads/{world.mine.lead.uid}/decision/{other.pk}/").status_code == 404


@pytest.mark.parametrize("role", ["stranger", "outsider"])
def test_what_is_not_theirs_and_what_never_was_look_the_same(role, people, world):
    client, mine = signed_in(people[role]), vars(world.mine)
    nothing = {**mine, "lead": Lead(uid=uuid4(), stage=world.mine.lead.stage), "account": SimpleNamespace(uid=uuid4())}
    for name in ("task", "rep", "leave", "view", "message"):
        nothing[name] = SimpleNamespace(pk=10**9)
    for address, whom in TABLE.items():
        if whom in (WORKERS, OWN) or address.startswith(("leads/<uuid:uid>/", "availability/", "accounts/")):
            seen = [_page(client, path_of(address, things)) for things in (mine, nothing)]
            assert seen[0] == seen[1], address


def _page(client: Client, path: str) -> tuple[int, str]:
    answer = client.get(path)
    text = answer.content.decode().replace(path, "")
    return answer.status_code, re.sub(r'(csrfmiddlewaretoken" value|name="now" content)="\w+"', "", text)


# --- Ways out, rubbish, and reading that writes ---------------------------------------------------

NOT_OURS: Final = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "https:evil.example",
)


def people_paths(things: SimpleNamespace) -> list[str]:
    """Every address that people go to, with an owner's things in it."""
    return [path_of(address, vars(things)) for address in TABLE if address not in MACHINES]


def test_no_form_leads_away_from_here(people, world):
    client = signed_in(people["admin"])
    fields = {
        "lead": f"{world.mine.lead.uid}:0", "stage": "won", "text": "x", "reason": "x", "soon": "3", "wish": "forget",
        "name": "x", "version": 0, "channel": "call", "direction": "out", "status": "available", "theme": "dark",
        "first_day": "2030-01-01", "last_name": "x", "company": "x", "email": "a@b.example", "value": "5",
    }  # fmt: skip
    for number, path in enumerate(people_paths(world.mine)):
        evil = NOT_OURS[number % len(NOT_OURS)]
        with transaction.atomic():
            answer = client.post(f"{path}?next={evil}", {**fields, "next": evil}, headers={"Referer": evil})
            transaction.set_rollback(True)
        ways = [answer.headers.get(name, "/") for name in ("Location", "HX-Redirect", "HX-Location")]
        assert all(way.startswith("/") and not way.startswith(("//", "/\\")) for way in ways), (path, ways)
        client.force_login(people["admin"])


@pytest.mark.parametrize("rubbish", ["\x00\u202e²-", "9" * 30])
def test_rubbish_in_addresses_and_forms_breaks_nothing(rubbish, people, world):
    client = Client(raise_request_exception=False)
    client.force_login(people["admin"])
    names = (
        *(
            "who",
            "since",
            "after",
            "before",
            "page",
            "sort",
            "show",
            "stage",
            "version",
            "q",
            "owner",
            "team",
            "source",
        ),
        *(
            "territory",
            "score",
            "age",
            "pool",
            "days",
            "done",
            "edit",
            "unread",
            "next",
            "lead",
            "text",
            "reason",
            "to",
        ),
        *(
            "soon",
            "due_at",
            "until",
            "at",
            "status",
            "wish",
            "url",
            "name",
            "query",
            "above",
            "value",
            "currency",
            "sure",
        ),
        *("first_day", "cover", "address", "code", "newest", "remind", "direction", "channel", "theme", "username"),
    )
    broken = []
    for path in people_paths(world.mine):
        for method in (client.get, client.post):
            with transaction.atomic():
                answer = method(path, dict.fromkeys(names, rubbish))
                transaction.set_rollback(True)
            if answer.status_code >= 500:
                broken.append(f"{path}: {answer.status_code}")
        client.force_login(people["admin"])
    assert broken == []


# What reading a page may write: that somebody was there.
TRACES: Final = re.compile(r'(UPDATE "distribution_rep" SET "last_seen_at")|"django_session"|SAVEPOINT')


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_looking_at_a_page_changes_nothing(role, people, world):
    """So that no link, picture or page that is fetched ahead does anything."""
    client = signed_in(people[role])
    for path in people_paths(world.mine):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path)
        written = [one["sql"] for one in queries if re.match("INSERT|UPDATE|DELETE", one["sql"])]
        assert (path, [sql for sql in written if not TRACES.search(sql)]) == (path, [])


# --- Partners ------------------------------------------------------------------------------------


@pytest.fixture
def partner() -> Client:
    """A partner with the key of the source that owns no lead yet."""
    return Client(headers={"Authorization": f"Bearer {issue_key(make_source('partner'))[1]}"})


def test_a_key_reads_and_writes_nothing_of_another_source(partner, world):
    before = state()
    for uid in (world.lead.uid, uuid4()):
        assert partner.get(f"/api/v1/leads/{uid}/").status_code == 404
        for method in (partner.patch, partner.put, partner.delete):
            assert method(f"/api/v1/leads/{uid}/").status_code in (404, 405)
    assert FOREIGN not in partner.get("/api/v1/leads/", {"external_id": "x-1"}).content.decode()
    assert state() == before
    made = partner.post("/api/v1/leads/", {"external_id": "x-1", "last_name": "Mine"}, content_type="application/json")
    assert made.status_code == 201
    assert FOREIGN not in made.content.decode()
    world.lead.refresh_from_db()
    assert world.lead.last_name == FOREIGN


def test_a_key_opens_no_page_of_people(partner, world):
    for address, whom in TABLE.items():
        if whom != VISITORS:
            path = path_of(address, vars(world.mine))
            assert (path, partner.get(path).status_code) == (path, 302)
