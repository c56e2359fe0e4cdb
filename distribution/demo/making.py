"""Make the demo company, once, and let new leads come in."""

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from distribution.demo.company import SOURCES, Company, build_company
from distribution.demo.history import DAYS, write_history
from distribution.demo.promising import build_promises
from distribution.demo.routing import build_routing
from distribution.demo.schedules import build_hours, build_leave, send_some_away
from distribution.demo.wishes import Wishes
from distribution.models import ConfigStamp, Decision, Rep
from leadcrm.lib.beat import ensure_schedules
from leadcrm.lib.demo import make_parts
from pipeline.models import Account, Lead, LeadSource, Pipeline, SourceKey, Stage, Team
from pipeline.services.keys import issue_key
from pipeline.services.leads import create_lead

LOGINS: Final = ("admin", "manager", "rep")
NEW_LEADS: Final = 15
EASY_PASSWORD: Final = "demo"  # noqa: S105 - only where nobody but the person at this machine can sign in
_API_SOURCE: Final = "website"


class NotEmpty(Exception):
    """The database holds something else; nothing was changed."""


@dataclass(slots=True)
class Demo:
    """What was made. ``passwords`` and ``api_key`` are told once and kept nowhere."""

    counts: dict[str, int] = field(default_factory=dict)
    history: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    passwords: dict[str, str] = field(default_factory=dict)
    api_key: str = ""
    seconds: float = 0.0


def is_demo() -> bool:
    """Whether the demo company is here."""
    return {slug for slug, *_ in SOURCES} <= set(LeadSource.objects.values_list("slug", flat=True)) and (
        Team.objects.filter(name="DACH", manager__username="manager").exists()
    )


def make_demo(seed: int, *, new_leads: int = NEW_LEADS, days: int = DAYS) -> Demo:
    """Write the company with its history, and let the first new leads come in.

    Args:
        seed: the same seed on the same day makes the same company.
        new_leads: how many come in live at the end.
        days: how long its history is.

    Raises:
        NotEmpty: there are people, accounts or leads already.
    """
    require_empty()
    started, rng = time.perf_counter(), random.Random(seed)  # noqa: S311 - a demo, not a secret
    until = timezone.now()
    demo = Demo()
    with transaction.atomic():
        since = until - timedelta(days=days + 1)
        company = build_company(rng, since)
        rules = build_routing(company, since)
        build_leave(rng, company, until, days)
        wishes = Wishes(rng, company)
        demo.history = write_history(rng, company, wishes, until, days)
        # After the history, which had neither: nothing of it was held, and nothing has clocks.
        build_hours(company, until)
        build_promises(company, rules)
        send_some_away(company, until)
        make_parts()
        demo.passwords = _give_passwords()
        _, demo.api_key = issue_key(company.sources[_API_SOURCE], label="demo", actor=company.admin)
    demo.arrived = stream(new_leads, wishes, company.sources)
    demo.counts = count_rows()
    demo.seconds = time.perf_counter() - started
    return demo


def stream(
    count: int,
    wishes: Wishes,
    sources: dict[str, LeadSource],
    told: Callable[[Lead], None] = lambda lead: None,
    every: float = 0.0,
) -> Counter[str]:
    """Let new leads come in through the live intake, one after the other; they are routed as all others are.

    Args:
        told: is called with each lead after it was routed.
        every: seconds between two leads.

    Returns:
        How many leads are in which routing state.
    """
    states: Counter[str] = Counter()
    for number in range(count):
        if number and every:
            time.sleep(every)
        wish = wishes.next()
        lead = create_lead(
            source=sources[wish.source], fields=wish.fields, attributes=wish.attributes, consents=wish.consents
        )
        lead.refresh_from_db()
        states[lead.routing_state] += 1
        told(lead)
    return states


def stream_more(count: int, told: Callable[[Lead], None], every: float = 0.0) -> Counter[str]:
    """Let new leads come in to the demo company that is here already."""
    admin = User.objects.get(username="admin")
    company = Company(admin, accounts=list(Account.objects.exclude(domain="").order_by("pk")))
    sources = {source.slug: source for source in LeadSource.objects.all()}
    rng = random.Random(Lead.objects.count())  # noqa: S311 - a demo; where the last stream ended, another one begins
    return stream(count, Wishes(rng, company), sources, told, every)


def require_empty() -> None:
    """Raises NotEmpty when somebody works here, or did."""
    for model in (Lead, Rep, Account, Team, LeadSource, Pipeline):
        if model.objects.exists():
            words = (
                "The demo company is here already" if is_demo() else f"The database holds {model._meta.verbose_name}s"
            )
            raise NotEmpty(f"{words}; nothing was added.")
    taken = User.objects.filter(username__in=LOGINS).values_list("username", flat=True).first()
    if taken:
        raise NotEmpty(f"There is a user called {taken} already; nothing was added.")


def empty_demo() -> None:
    """Empty the whole database, if all there is in it came with the demo.

    Raises:
        NotEmpty: it holds a user or source of somebody else.
    """
    ours = {slug for slug, *_ in SOURCES}
    foreign = (
        LeadSource.objects.exclude(slug__in=ours).exists()
        or User.objects.exclude(email__endswith="@ostrelle.example").exists()
    )
    if foreign or (Lead.objects.exists() and not is_demo()):
        raise NotEmpty("The database holds users or sources that did not come with the demo; nothing was removed.")
    stamps = ConfigStamp.objects.in_bulk()
    call_command("flush", interactive=False, verbosity=0)
    # The numbers grow on: a process that goes on must not take what it read of the old rows for the new ones.
    ConfigStamp.objects.bulk_create(ConfigStamp(kind=kind, version=row.version + 1) for kind, row in stamps.items())
    ensure_schedules()


def count_rows() -> dict[str, int]:
    return {
        "teams": Team.objects.count(),
        "reps": Rep.objects.count(),
        "accounts": Account.objects.count(),
        "sources": LeadSource.objects.count(),
        "stages": Stage.objects.count(),
        "leads": Lead.objects.count(),
        "decisions": Decision.objects.count(),
        "API keys": SourceKey.objects.count(),
    }


def _give_passwords() -> dict[str, str]:
    """An easy password where nobody else can reach the site; random ones in production."""
    passwords = {name: secrets.token_urlsafe(9) if settings.PRODUCTION else EASY_PASSWORD for name in LOGINS}
    hashes = {password: make_password(password) for password in set(passwords.values())}
    for name, password in passwords.items():
        User.objects.filter(username=name).update(password=hashes[password])
    return passwords
