"""The search over leads and accounts, and the page of an account."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from leadcrm.lib.pages import PageRequest, page_or_part
from leadcrm.lib.text import clean
from pipeline.display import badge_of, person, place_of
from pipeline.models import Account, Lead
from pipeline.search import LONGEST, search_accounts, search_leads
from pipeline.selectors import access_account, status_of, visible_leads

# On the page, and in the list below the box while somebody types.
_MOST: Final = 30
_MOST_AT_ONCE: Final = 6
_MOST_OF_ACCOUNT: Final = 100


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A line that stands for a lead in a list."""

    uid: UUID
    title: str
    about: list[str]
    owner: str
    badge: str
    tone: str


@login_required
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """Leads and accounts that fit ``?q=``; for htmx the first few of them."""
    text = clean(request.GET.get("q", ""))[:LONGEST]
    most = _MOST_AT_ONCE if request.htmx else _MOST
    context = {
        "section": "search",
        "text": text,
        "leads": _lines(search_leads(request.user, text, most)),
        "accounts": search_accounts(request.user, text, most),
    }
    return page_or_part(request, "search/search.html", "search/_found.html", context)


@login_required
@require_safe
def account(request: PageRequest, uid: UUID) -> HttpResponse:
    """A company we know, and those of its leads that the user may read, newest first."""
    found = access_account(request.user, uid)
    context = {"account": found, "facts": _facts(found), "leads": _lines(_leads_of(found, request.user))}
    return render(request, "search/account.html", context)


def _leads_of(account: Account, user: User) -> list[Lead]:
    leads = visible_leads(user).filter(account=account).select_related("stage", "owner", "source")
    return list(leads[:_MOST_OF_ACCOUNT])


def _lines(leads: list[Lead]) -> list[FoundLead]:
    return [_line(lead) for lead in leads]


def _line(lead: Lead) -> FoundLead:
    badge, tone = badge_of(lead)
    if status_of(lead) == "contacted":
        badge = lead.stage.name  # which says more
    ways = (lead.company, lead.email, lead.phone)
    about = [way for way in ways if way and way != str(lead)]
    return FoundLead(lead.uid, str(lead), about, person(lead.owner) if lead.owner else "", badge, tone)


def _facts(account: Account) -> list[tuple[str, str]]:
    facts = (
        ("Owner", person(account.owner) if account.owner else ""),
        ("Domain", account.domain),
        ("Part of", account.parent.name if account.parent else ""),
        ("Where", place_of(account)),
        ("Industry", account.industry),
        ("Employees", f"{account.employees:,}" if account.employees is not None else ""),
    )
    return [(label, value) for label, value in facts if value]
