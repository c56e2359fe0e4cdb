"""Whom we know already: leads of the same person, and the company a lead works for. Reads only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from leadcrm.lib.text import Unreadable, match_key
from pipeline.domains import company_domain
from pipeline.models import Account, Lead
from pipeline.naming import company_key, company_similarity
from pipeline.normalise import parse_email, parse_phone

# A value that more leads share is a switchboard or a placeholder, not a person.
MOST_SHARED: Final = 20
# Company names of one beginning that are compared one by one.
MOST_NAMES: Final = 200
CLOSE_NAME: Final = 0.9  # of 1
SHORTEST_NAME: Final = 2


@dataclass(frozen=True, slots=True)
class Matches:
    """What we know of the person behind a lead.

    Attributes:
        duplicate_of: the oldest open lead of the same person that came in before this one.
        keeper: the user who has the newest open lead of the same person, and so keeps the person.
        previous_owner: the user who had this person last, open or closed.
    """

    duplicate_of: Lead | None = None
    keeper: int | None = None
    previous_owner: int | None = None


def match_person(lead: Lead) -> Matches:
    """Finds other leads with the same e-mail address or phone number, in two queries at most.

    Blank never matches, nor does a value that more than ``MOST_SHARED`` leads carry. The external id needs no search:
    at one source it is unique, and at two sources the same id is a coincidence.
    """
    by_email = _sharing("email", _spellings(lead.email, _read_email), lead)
    by_phone = _sharing("phone", _spellings(lead.phone, _read_phone), lead)
    return _judge(lead, {other.pk: other for other in (*by_email, *by_phone)}.values())


def _judge(lead: Lead, others: Iterable[Lead]) -> Matches:
    newest_first = sorted(others, key=lambda other: (other.created_at, other.pk), reverse=True)
    still_open = [other for other in newest_first if other.closed_at is None and other.archived_at is None]
    earlier = [other for other in still_open if lead.pk is None or other.pk < lead.pk]
    return Matches(
        duplicate_of=earlier[-1] if earlier else None,
        keeper=next((other.owner_id for other in still_open if other.owner_id), None),
        previous_owner=next((other.owner_id for other in newest_first if other.owner_id), None),
    )


def _sharing(field: str, values: list[str], lead: Lead) -> list[Lead]:
    """Unordered and limited, so that a value shared by a million leads costs no more than one shared by thirty."""
    if not values:
        return []
    same = Lead.objects.filter(**{f"{field}__in": values}).exclude(**{field: ""}).exclude(pk=lead.pk)
    leads = list(same.order_by()[: MOST_SHARED + 1])
    return leads if len(leads) <= MOST_SHARED else []


def _read_email(raw: str) -> str:
    return parse_email(raw).address


def _read_phone(raw: str) -> str:
    return parse_phone(raw).e164


def _spellings(raw: str, read: Callable[[str], str]) -> list[str]:
    """A value as it is stored and, when it was stored by hand, as intake would have written it."""
    if not raw:
        return []
    try:
        return list({raw, read(raw)})
    except Unreadable:
        return [raw]


def match_account(lead: Lead) -> Account | None:
    """The company a lead works for, if we know it; in two queries at most.

    By the domain of its e-mail address or website (free mail says nothing), else by a close company name together
    with a second sign: the same place, or the same name in the domain. None when two companies fit equally well.
    """
    domain = company_domain(lead.email) or company_domain(lead.website) or ""
    key = company_key(lead.company)
    return _by_domain(lead, domain, key) or _by_name(lead, domain, key)


def _by_domain(lead: Lead, domain: str, key: str) -> Account | None:
    if not domain:
        return None
    return _best(Account.objects.filter(domain=domain, archived_at=None).order_by("id")[:MOST_NAMES], lead, key)


def _by_name(lead: Lead, domain: str, key: str) -> Account | None:
    if len(key) < SHORTEST_NAME:
        return None
    alike = Account.objects.filter(name_key__startswith=key.split()[0], archived_at=None).order_by("id")[:MOST_NAMES]
    return _best(
        (
            account
            for account in alike
            if _closeness(key, account) >= CLOSE_NAME and _has_second_sign(lead, domain, key, account)
        ),
        lead,
        key,
    )


def _closeness(key: str, account: Account) -> float:
    """How alike the names are, from 0 to 1."""
    return company_similarity(key, account.name_key)


def _has_second_sign(lead: Lead, domain: str, key: str, account: Account) -> bool:
    """Whether more than the name speaks for the account. Another company domain speaks against it."""
    if domain and account.domain:
        return _label(domain) == _label(account.domain)
    same_name_and_country = key == account.name_key and lead.country == account.country != ""
    return same_name_and_country or _shared_places(lead, account) > 0


def _label(domain: str) -> str:
    return domain.partition(".")[0]


def _shared_places(lead: Lead, account: Account) -> int:
    """How many of postal code, city and region agree, inside one country."""
    if lead.country and account.country and lead.country != account.country:
        return 0
    pairs = (
        (lead.postal_code, account.postal_code),
        (match_key(lead.city), match_key(account.city)),
        (lead.region, account.region),
    )
    return sum(ours == theirs != "" for ours, theirs in pairs)


def _best(accounts: Iterable[Account], lead: Lead, key: str) -> Account | None:
    """The account that fits best: by country, places and name. None when the two best fit equally well."""

    def fit(account: Account) -> tuple[bool, int, float]:
        return (lead.country == account.country, _shared_places(lead, account), _closeness(key, account))

    ranked = sorted(accounts, key=fit, reverse=True)
    is_tie = len(ranked) > 1 and fit(ranked[0]) == fit(ranked[1])
    return ranked[0] if ranked and not is_tie else None
