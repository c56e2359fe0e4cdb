"""The search over leads and accounts, and the page of an account."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from leadcrm.lib.pages import PageRequest, page_or_part, wants_part
from leadcrm.lib.text import clean
from pipeline.display import badge_of, person, place_of
from pipeline.models import Account, Lead
from pipeline.search import LONGEST, search_accounts, search_leads
from pipeline.selectors import access_account, status_of, visible_leads

# Of leads and of accounts, on the page, and in the list below the box while somebody types.
_MOST: Final = 30
_MOST_AT_ONCE: Final = 6
# Leads on a page of an account.
_ON_A_PAGE: Final = 100


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
    """Leads and accounts that fit ``?q=``; for htmx the first few of them. Both say when there are more."""
    text = clean(request.GET.get("q", ""))[:LONGEST]
    at_once = wants_part(request)
    most = _MOST_AT_ONCE if at_once else _MOST
    leads = search_leads(request.user, text, most + 1)
    accounts = search_accounts(request.user, text, most + 1)
    context = {
        "section": "search",
        "text": text,
        "at_once": at_once,
        "most": most,
        "leads": _lines(leads[:most]),
        "accounts": accounts[:most],
        "more_leads": len(leads) > most,
        "more_accounts": len(accounts) > most,
    }
    return page_or_part(request, "search/search.html", "search/_found.html", context)


@login_required
@require_safe
def account(request: PageRequest, uid: UUID) -> HttpResponse:
    """A company we know, and those of its leads that the user may read, newest first, in pages (``?page=``)."""
    found = access_account(request.user, uid)
    page = Paginator(_leads_of(found, request.user), _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"account": found, "facts": _facts(found), "leads": _lines(list(page)), "page": page}
    return render(request, "search/account.html", context)


def _leads_of(account: Account, user: User) -> QuerySet[Lead]:
    return visible_leads(user).filter(account=account).select_related("stage", "owner", "source")


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
