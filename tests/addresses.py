"""Every address of the project, whom it is for, and a world in which each of them stands for something.

An address that is not in the table fails ``tests/test_access.py``: whoever adds one says here whom it is for.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib.auth.models import Group, User
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from distribution.models import Rep
from leadcrm.lib import access
from notifications import links
from notifications.leaving import url_of
from notifications.models import ActionLink, ContactAddress, Notification
from notifications.services import verifying
from pipeline.models import Account, Lead, SavedView, Task
from tests.distribution.calendars import make_leave
from tests.distribution.setups import make_pool
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people

# Whom an address is for; to all others who have signed in it does not exist.
VISITORS: Final = "visitors"  # the address proves itself: a key, a signature, a token, or there is nothing to hide
OWN: Final = "whoever has something of that number or name"
ANYBODY: Final = "anybody who has signed in"  # shows and changes only what is theirs
READERS: Final = "whoever may read the lead"
WORKERS: Final = "whoever may work the lead"
DECIDERS: Final = "the owner of the lead, and who looks after its team"
MANAGERS: Final = "who looks after the team of the lead"
OWNERS: Final = "the person, and who looks after that person"
MINDERS: Final = "who looks after the person"
LEADERS: Final = "who looks after anybody"
COLLEAGUES: Final = "whoever has leads to look at"
ADDERS: Final = "whoever may have leads"

# An outsider belongs to nothing. Stranger and boss are of another team, as a rep and as its manager. Owner, teammate
# and manager are of the lead's team; watcher and worker were trusted with its leads, and the minder with a pool.
WHO: Final = {
    ANYBODY: {
        *("outsider", "stranger", "boss", "teammate", "watcher", "worker", "minder", "owner", "manager", "admin"),
    },
    COLLEAGUES: {"stranger", "boss", "teammate", "watcher", "worker", "owner", "manager", "admin"},
    ADDERS: {"stranger", "boss", "teammate", "worker", "owner", "manager", "admin"},
    READERS: {"watcher", "worker", "owner", "manager", "admin"},
    WORKERS: {"worker", "owner", "manager", "admin"},
    DECIDERS: {"owner", "manager", "admin"},
    MANAGERS: {"manager", "admin"},
    OWNERS: {"minder", "owner", "manager", "admin"},
    MINDERS: {"minder", "manager", "admin"},
    LEADERS: {"minder", "boss", "manager", "admin"},
}
ROLES: Final = sorted(WHO[ANYBODY])
LEAD, BOARD = "leads/<uuid:uid>/", "board/<slug:slug>/"
REP, MY = "availability/<int:pk>/", "my/"

# Machines send here: a key, a signature or the token in the address stands for who it is.
MACHINES: Final = (
    *(f"api/{end}" for end in ("", "v1/schema/", "v1/docs/")),
    *(f"api/v1/leads/{end}" for end in ("", "bulk/", "<uuid:uid>/")),
    *(f"hooks/twilio/{end}" for end in ("message/", "status/", "voice/", "voice/status/")),
    *(
        f"hooks/twilio/call/<uuid:uid>/{end}/"
        for end in (*("whisper/<int:rep>", "taken/<int:rep>", "next", "recorded", "connect", "dial", "done", "status"),)
    ),
    "leave/<str:token>/",
)

TABLE: Final = {
    **dict.fromkeys(("", "login/", "logout/", "appearance/", "healthz", "readyz", "admin/login/"), VISITORS),
    **dict.fromkeys(MACHINES, VISITORS),
    **dict.fromkeys(("act/<str:token>/", f"{MY}notifications/verify/<str:token>/", f"{MY}bell/"), VISITORS),
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
    **dict.fromkeys((f"{LEAD}return/", f"{LEAD}give-back/"), DECIDERS),
    **dict.fromkeys(("tasks/<int:pk>/", "tasks/<int:pk>/done/", "tasks/<int:pk>/drop/"), WORKERS),
    "accounts/<uuid:uid>/": READERS,
    **dict.fromkeys(
        (REP, *(f"{REP}{end}/" for end in ("status", "calendar", "fairness", "leave", "calendar/reading"))), OWNERS
    ),
    f"{REP}leave/<int:leave_pk>/": OWNERS,
    f"{REP}leave/<int:leave_pk>/cancel/": OWNERS,
    **dict.fromkeys((f"{REP}{end}/" for end in ("hand-over", "hand-over/leave", "pause")), MINDERS),
    **dict.fromkeys((f"{LEAD}pass-on/", "team/<int:pk>/give/"), MANAGERS),
    **dict.fromkeys(("reassign/", "team/availability/"), LEADERS),
    f"{LEAD}decision/<int:number>/": OWN,
    **dict.fromkeys((f"{MY}notifications/<slug:channel>/{end}/" for end in ("code", "test")), OWN),
    **dict.fromkeys((f"{MY}inbox/<int:pk>/{end}/" for end in ("read", "open")), OWN),
    f"{BOARD}views/<int:pk>/forget/": OWN,
}


def addresses(resolver: URLResolver | None = None, before: str = "", *, but: str = "admin/") -> Iterator[str]:
    """Every address outside the admin, as it is written in the lists; of a part of them, all with ``but`` empty."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address
        elif address != but:
            yield from addresses(pattern, address, but=but)


def make_roles() -> dict[str, User]:
    """Somebody of each kind, with the teams and groups that make them what they are."""
    people = make_people()
    outsider, watcher, worker, minder, boss = (
        User.objects.create_user(name, first_name=name.title(), last_name="Person")
        for name in ("outsider", "watcher", "worker", "minder", "boss")
    )
    people.other_team.manager = boss
    people.other_team.save()
    pool = make_pool("Berlin", people.owner.rep, team=people.team)
    trust(watcher, "view_team_leads", people.team)
    trust(worker, "work_team_leads", people.team)
    trust(minder, "look_after_pool", pool)
    found = {role: getattr(people, role) for role in ("stranger", "teammate", "owner", "manager")}
    others = {"outsider": outsider, "watcher": watcher, "worker": worker, "minder": minder, "boss": boss}
    return found | others | {"admin": User.objects.create_superuser("root")}


def trust(user: User, permission: str, target: Any) -> None:
    """Let a user do something with a team or a pool, through a group of their own."""
    group = Group.objects.create(name=f"{permission} {target}")
    group.user_set.add(user)
    access.grant(group, permission, target)


def make_things(owner: User, lead: Lead | None = None) -> dict[str, Any]:
    """What stands in the addresses: a lead of the owner with an account and a task, and what else is the owner's."""
    theirs = {"owner": owner, "team": owner.lead_teams.get(), "routing_state": "assigned"}
    lead = lead or make_lead(first_name="Ada", last_name="Lovelace", **theirs)
    account = Account.objects.create(name="Acme", owner=owner)
    Lead.objects.filter(pk=lead.pk).update(account=account)
    now = timezone.now()
    row = {"user": owner, "lead": lead, "kind": "assigned", "channel": "in_app", "state": "delivered"}
    address = ContactAddress.objects.create(user=owner, channel="email", address="own@sales.example")
    hour = now + timedelta(hours=1)
    return {
        "lead": lead,
        "account": account,
        "rep": Rep.objects.get(user=owner),
        "task": Task.objects.create(lead=lead, text="Call", due_at=now),
        "leave": make_leave(owner.rep, now + timedelta(days=9), now + timedelta(days=10)),
        "view": SavedView.objects.create(user=owner, pipeline=lead.stage.pipeline, name="Mine alone", query=""),
        "message": Notification.objects.create(**row, subject="New lead", text="Ada", key="told:1"),
        "act": links.token_of(ActionLink.objects.create(action="accept", user=owner, lead=lead, expires_at=hour)),
        "verify": verifying.token_of(address),
        "leaving": urlsplit(url_of("ada@engines.example", "en")).path.split("/")[2],
    }


def path_of(address: str, things: dict[str, Any]) -> str:
    """An address with the things in it: a path."""
    lead, pipeline = things["lead"], things["lead"].stage.pipeline
    numbered = {"tasks/": "task", "my/inbox/": "message", f"{BOARD}views/": "view"}
    of = next((name for start, name in numbered.items() if address.startswith(start)), "rep")
    uid = things["account"].uid if address.startswith("accounts/") else lead.uid
    token = {"act/": "act", "leave/": "leaving"}.get(address.partition("<")[0], "verify")
    values = {
        "<uuid:uid>": uid,
        "<slug:slug>": pipeline.slug,
        "<slug:stage>": lead.stage.slug,
        "<int:leave_pk>": things["leave"].pk,
        "<int:pk>": things[of].pk if of in things else 0,
        "<int:number>": things.get("decision", 1),
        "<int:rep>": things["rep"].pk,
        "<slug:channel>": "email",
        "<str:token>": things.get(token, "none"),
    }
    for name, value in values.items():
        address = address.replace(name, str(value))
    return f"/{address}"
