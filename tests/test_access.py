"""Who may open which address: every address of the project for every kind of person.

An address that is not in the table fails the test: whoever adds one says here whom it is for.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from leadcrm.lib import access
from pipeline.models import Account, Lead, SavedView, Task
from tests.distribution.calendars import make_leave
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people

pytestmark = pytest.mark.django_db

# Whom an address is for; to all others who have signed in it does not exist.
VISITORS: Final = "visitors"  # the address proves itself: a key, a signature, a token, or there is nothing to hide
ANYBODY: Final = "anybody who has signed in"  # shows and changes only what is theirs
READERS: Final = "whoever may read the lead"
WORKERS: Final = "whoever may work the lead"
OWNERS: Final = "the owner, and who looks after the owner"
MANAGERS: Final = "who looks after people"
COLLEAGUES: Final = "whoever has leads to look at"
ADDERS: Final = "whoever may have leads"

WHO: Final = {
    ANYBODY: {"outsider", "stranger", "teammate", "watcher", "owner", "manager", "admin"},
    COLLEAGUES: {"stranger", "teammate", "watcher", "owner", "manager", "admin"},
    ADDERS: {"stranger", "teammate", "owner", "manager", "admin"},
    READERS: {"watcher", "owner", "manager", "admin"},
    WORKERS: {"owner", "manager", "admin"},
    OWNERS: {"owner", "manager", "admin"},
    MANAGERS: {"manager", "admin"},
}
LEAD, BOARD = "leads/<uuid:uid>/", "board/<slug:slug>/"
REP, MY = "availability/<int:pk>/", "my/"

TABLE: Final = {
    **dict.fromkeys(("", "login/", "logout/", "appearance/", "healthz", "readyz", "admin/login/"), VISITORS),
    **dict.fromkeys((f"api/{end}" for end in ("", "v1/schema/", "v1/docs/")), VISITORS),
    **dict.fromkeys((f"api/v1/leads/{end}" for end in ("", "bulk/", "<uuid:uid>/")), VISITORS),
    **dict.fromkeys(("act/<str:token>/", "leave/<str:token>/", f"{MY}notifications/verify/<str:token>/"), VISITORS),
    **dict.fromkeys((f"hooks/twilio/{end}" for end in ("message/", "status/", "voice/", "voice/status/")), VISITORS),
    **dict.fromkeys(
        (
            f"hooks/twilio/call/<uuid:uid>/{end}/"
            for end in (
                *("whisper/<int:rep>", "taken/<int:rep>", "next", "recorded", "connect", "dial", "done", "status"),
            )
        ),
        VISITORS,
    ),
    **dict.fromkeys(("search/", "board/", "offers/", "offers/next/"), ANYBODY),
    BOARD: COLLEAGUES,
    f"{BOARD}add/": ADDERS,
    **dict.fromkeys(
        (
            f"{BOARD}{end}/"
            for end in ("stage/<slug:stage>", "changes", "bulk", "undo", "table", "export", "filters", "views")
        ),
        COLLEAGUES,
    ),
    **dict.fromkeys(
        (f"{MY}{end}" for end in ("", "changes/", "channels/", "fairness/", "availability/", "bell/latest/")), ANYBODY
    ),
    **dict.fromkeys((f"{MY}inbox/", f"{MY}inbox/read/", f"{MY}notifications/"), ANYBODY),
    **dict.fromkeys(
        (f"{MY}notifications/{end}/" for end in ("browser", "browser/forget", "webhook/secret", "<slug:channel>")),
        ANYBODY,
    ),
    **dict.fromkeys((f"{MY}notifications/<slug:channel>/{end}/" for end in ("forget", "lift")), ANYBODY),
    **dict.fromkeys((LEAD, *(f"{LEAD}{end}/" for end in ("history", "plan", "decision"))), READERS),
    f"{LEAD}accept/": READERS,
    f"{LEAD}claim/": READERS,
    **dict.fromkeys((f"{BOARD}move/<uuid:uid>/", f"{BOARD}undo/<uuid:uid>/"), WORKERS),
    **dict.fromkeys(
        (
            f"{LEAD}{end}/"
            for end in ("edit", "stage", "tasks", "contact", "note", "snooze", "wake", "call", "pass-on/ways")
        ),
        WORKERS,
    ),
    **dict.fromkeys((f"{LEAD}return/", f"{LEAD}give-back/"), WORKERS),
    **dict.fromkeys(("tasks/<int:pk>/", "tasks/<int:pk>/done/", "tasks/<int:pk>/drop/"), WORKERS),
    "accounts/<uuid:uid>/": READERS,
    **dict.fromkeys(
        (REP, *(f"{REP}{end}/" for end in ("status", "calendar", "fairness", "leave", "calendar/reading"))), OWNERS
    ),
    f"{REP}leave/<int:leave_pk>/": OWNERS,
    f"{REP}leave/<int:leave_pk>/cancel/": OWNERS,
    **dict.fromkeys((f"{LEAD}pass-on/", "reassign/", "team/availability/", f"{REP}hand-over/"), MANAGERS),
    "team/<int:pk>/give/": MANAGERS,
    f"{MY}bell/": VISITORS,
    # Only while there is something of that number or name.
    f"{LEAD}decision/<int:number>/": VISITORS,
    f"{MY}notifications/<slug:channel>/code/": VISITORS,
    f"{MY}notifications/<slug:channel>/test/": VISITORS,
    f"{MY}inbox/<int:pk>/read/": VISITORS,
    f"{MY}inbox/<int:pk>/open/": VISITORS,
    f"{BOARD}views/<int:pk>/forget/": VISITORS,
}


def addresses(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every address outside the admin, as it is written in the lists."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address
        elif address != "admin/":
            yield from addresses(pattern, address)


@pytest.fixture
def people() -> dict[str, User]:
    people = make_people()
    watcher = User.objects.create_user("watcher")
    watchers = Group.objects.create(name="Watchers")
    watchers.user_set.add(watcher)
    access.grant(watchers, "view_team_leads", people.team)
    found = {role: getattr(people, role) for role in ("stranger", "teammate", "owner", "manager")}
    outsider = User.objects.create_user("outsider")
    return found | {"outsider": outsider, "watcher": watcher, "admin": User.objects.create_superuser("root")}


@pytest.fixture
def things(people) -> dict[str, Any]:
    """What stands in the addresses: a lead of the owner with an account, a task, and leave of the owner."""
    owner = people["owner"]
    lead = make_lead(owner=owner, team=owner.lead_teams.get(), routing_state="assigned")
    account = Account.objects.create(name="Acme", owner=owner)
    type(lead).objects.filter(pk=lead.pk).update(account=account)
    now = timezone.now()
    return {
        "lead": lead,
        "account": account,
        "rep": owner.rep,
        "task": Task.objects.create(lead=lead, text="Call", due_at=now),
        "leave": make_leave(owner.rep, now + timedelta(days=9), now + timedelta(days=10)),
    }


def path_of(address: str, things: dict[str, Any]) -> str:
    lead, pipeline = things["lead"], things["lead"].stage.pipeline
    pk = things["task"].pk if address.startswith("tasks/") else things["rep"].pk
    uid = things["account"].uid if address.startswith("accounts/") else lead.uid
    values = {
        "<uuid:uid>": uid,
        "<slug:slug>": pipeline.slug,
        "<slug:stage>": lead.stage.slug,
        "<int:leave_pk>": things["leave"].pk,
        "<int:pk>": pk,
        "<int:number>": 1,
        "<slug:channel>": "email",
    }
    for name, value in values.items():
        address = address.replace(name, str(value))
    return f"/{address}"


def answers(client: Client, path: str, lead: Lead) -> list[int]:
    """The status of looking and of sending a form that names the lead and its stage; neither leaves a trace."""
    found = []
    for method, fields in ((client.get, {}), (client.post, {"lead": lead.uid, "stage": lead.stage.slug})):
        with transaction.atomic():
            found.append(method(path, fields).status_code)
            transaction.set_rollback(True)
    return found


def test_every_address_says_whom_it_is_for():
    assert set(addresses()) == set(TABLE)


def test_a_visitor_is_sent_to_sign_in(things):
    client = Client()
    for address, whom in TABLE.items():
        if whom != VISITORS:
            path = path_of(address, things)
            for answer in (client.get(path), client.post(path)):
                assert (path, answer.status_code, answer.headers.get("Location", "")[:7]) == (path, 302, "/login/")


@pytest.mark.parametrize("role", sorted(WHO[ANYBODY]))
def test_what_is_not_for_somebody_does_not_exist_for_them(role, people, things):
    client = Client(raise_request_exception=False)
    client.force_login(people[role])
    wrong = []
    for address, whom in TABLE.items():
        if whom == VISITORS:
            continue
        path = path_of(address, things)
        found = answers(client, path, things["lead"])
        known = [status for status in found if status != 405]
        hidden = bool(known) and set(known) == {404}
        if hidden == (role in WHO[whom]) or not known or max(known) >= 500 or 403 in known:
            wrong.append(f"{path}: {found}")
    assert not wrong, "\n".join(wrong)


def test_views_of_others_cannot_be_forgotten(people, things):
    pipeline = things["lead"].stage.pipeline
    view = SavedView.objects.create(user=people["owner"], pipeline=pipeline, name="Mine", query="")
    for role, expected in (("stranger", 404), ("admin", 404), ("owner", 302)):
        client = Client()
        client.force_login(people[role])
        assert client.post(f"/board/{pipeline.slug}/views/{view.pk}/forget/").status_code == expected
