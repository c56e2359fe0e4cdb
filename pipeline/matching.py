"""Whom we know already: leads of the same person, and the company a lead works for. Reads only."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from operator import attrgetter, itemgetter
from typing import Any, Final

from django.db.models import F, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber

from leadcrm.lib.prepared import Each, Param, Prepared
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
# An address or a number that reading would not change; most are, and reading them again is dear.
_NORMAL: Final = re.compile(r"[a-z0-9._+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+|\+[1-9][0-9]{6,14}")
Row = Mapping[str, Any]
# By field, the values that tell a person, as they may be stored.
_Signs = Mapping[str, Sequence[str]]

_FIELDS: Final = ("email", "phone")
_AGE: Final = itemgetter("created_at", "id")
_DECIDED: Final = (Lead.RoutingState.ASSIGNED, Lead.RoutingState.EXCLUDED)
_PERSON: Final = ("id", "owner_id", "routing_state", "created_at", "closed_at", "archived_at", "email", "phone")


@dataclass(frozen=True, slots=True)
class Matches:
    """What we know of the person behind a lead.

    Attributes:
        duplicate_of: id of the oldest open lead of the same person that came in before this one.
        keepers: the users who have open leads of the same person, those of the newest first: the first who can keeps
            the person. Newest, so that once two of them turn out to have one person, all that follows goes to one.
        previous_owner: the user who had this person last, open or closed.
        undecided: ids of open leads of the same person that nobody has yet and that may get an owner at this moment.
    """

    duplicate_of: int | None = None
    keepers: tuple[int, ...] = ()
    previous_owner: int | None = None
    undecided: frozenset[int] = frozenset()


def match_person(lead: Lead) -> Matches:
    """Finds other leads with the same e-mail address or phone number, in one query.

    When nobody has an open one of them, what they tell of the person beside these signs is followed once more: who
    wrote from one address, then from another with the same phone number, and now calls, is one person.

    Blank never matches, nor does a value that more than ``MOST_SHARED`` leads carry. The external id needs no search:
    at one source it is unique, and at two sources the same id is a coincidence.
    """
    signs = _signs(lead)
    known = _others(lead, _carrying(lead, signs))
    links = _links(signs, known)
    return _judge(lead, known + _others(lead, _carrying(lead, links)) if links else known)


def _carrying(lead: Lead, signs: _Signs) -> Sequence[Row]:
    """Rows of other leads with one of these values."""
    wanted = tuple(field for field in _FIELDS if signs.get(field))
    if not wanted:
        return ()
    # A value has two spellings at most; the only one is asked for twice.
    asked = {f"{field}_{place}": signs[field][-place] for field in wanted for place in (0, 1)}
    return _PEOPLE[wanted].rows(lead=lead.pk or 0, **asked)


def _sharing(field: str) -> QuerySet[Any, Any]:
    """Unordered and limited, so that a value shared by a million leads costs no more than one shared by thirty."""
    spellings = (Param(f"{field}_0"), Param(f"{field}_1"))
    same = Lead.objects.filter(**{f"{field}__in": spellings}).exclude(pk=Param("lead")).exclude(**{field: ""})
    found: QuerySet[Any, Any] = same.annotate(sign=Value(field)).order_by().values(*_PERSON, "sign")
    return found[: MOST_SHARED + 1]


_PEOPLE: Final[Mapping[tuple[str, ...], Prepared[Any]]] = {
    fields: Prepared(*(partial(_sharing, field) for field in fields))
    for fields in (("email",), ("phone",), ("email", "phone"))
}


def match_people(leads: Sequence[Lead]) -> list[Matches]:
    """:func:`match_person` for many leads, in one query, or one more when there is more to follow; in their order."""
    signs = [_signs(lead) for lead in leads]
    known = [_others(lead, rows) for lead, rows in zip(leads, _carrying_any(signs), strict=True)]
    links = [_links(sign, rows) for sign, rows in zip(signs, known, strict=True)]
    further = [_others(lead, rows) for lead, rows in zip(leads, _carrying_any(links), strict=True)]
    return [_judge(lead, first + more) for lead, first, more in zip(leads, known, further, strict=True)]


def _carrying_any(signs: Sequence[_Signs]) -> list[list[Row]]:
    """For each of these, rows of leads with one of its values, in one query; of a value that many share, only as many
    as it takes to know that."""
    values = {field: {value for sign in signs for value in sign.get(field, ())} for field in _FIELDS}
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in _SHARING.rows(**values) if any(values.values()) else ():
        found[row["sign"], row[row["sign"]]].append(row)
    return [
        [row for field, some in sign.items() for value in some for row in found.get((field, value), ())]
        for sign in signs
    ]


def _sharing_any(field: str) -> QuerySet[Any, Any]:
    place = Window(RowNumber(), partition_by=F(field))
    same = Lead.objects.filter(**{f"{field}__in": Each(field, str)}).annotate(sign=Value(field))
    found: QuerySet[Any, Any] = same.annotate(place=place).filter(place__lte=MOST_SHARED + 2)
    return found.order_by().values(*_PERSON, "sign")


_SHARING: Final = Prepared(*(partial(_sharing_any, field) for field in _FIELDS))


def _others(lead: Lead, rows: Iterable[Row]) -> list[Row]:
    """Rows of other leads that were found by a sign which few enough leads share."""
    others = [row for row in rows if row["id"] != lead.pk]
    shares = Counter(row["sign"] for row in others)
    return [row for row in others if shares[row["sign"]] <= MOST_SHARED]


def _links(signs: _Signs, known: Sequence[Row]) -> _Signs:
    """What the newest of these leads tell beside the signs by which they were found; nothing when one of them is open
    and somebody's."""
    if any(_is_open(row) and row["owner_id"] for row in known):
        return {}
    newest_first = sorted(known, key=_AGE, reverse=True)
    told = {field: [row[field] for row in newest_first if row[field] not in ("", *signs[field])] for field in _FIELDS}
    return {field: values[:1] for field, values in told.items() if values}


def _signs(lead: Lead) -> _Signs:
    """What tells a person: each value as it is stored and, when it was stored by hand, as intake would write it."""
    return {
        "email": _spellings(lead.email, lambda raw: parse_email(raw).address),
        "phone": _spellings(lead.phone, lambda raw: parse_phone(raw, lead.country).e164),
    }


def _judge(lead: Lead, others: Iterable[Row]) -> Matches:
    newest_first = sorted(others, key=_AGE, reverse=True)
    still_open = [other for other in newest_first if _is_open(other)]
    earlier = [other["id"] for other in still_open if lead.pk is None or other["id"] < lead.pk]
    return Matches(
        duplicate_of=earlier[-1] if earlier else None,
        keepers=tuple(dict.fromkeys(other["owner_id"] for other in still_open if other["owner_id"])),
        previous_owner=next((other["owner_id"] for other in newest_first if other["owner_id"]), None),
        undecided=frozenset(other["id"] for other in still_open if other["routing_state"] not in _DECIDED),
    )


def _is_open(row: Row) -> bool:
    return row["closed_at"] is None and row["archived_at"] is None


def _spellings(raw: str, read: Callable[[str], str]) -> list[str]:
    """A value as it is stored and, when it was stored by hand, as intake would have written it."""
    if not raw:
        return []
    if _NORMAL.fullmatch(raw):
        return [raw]
    try:
        return list({raw, read(raw)})
    except Unreadable:
        return [raw]


def match_account(lead: Lead) -> Account | None:
    """The company a lead works for, if we know it; in one query.

    By the domain of its e-mail address or website (free mail says nothing), else by a close company name together
    with a second sign: the same place, or the same name in the domain. None when two companies fit equally well.
    """
    asked = _company_of(lead)
    wanted = (*(("domain",) if asked.domain else ()), *(("key", "first_word") if asked.first_word else ()))
    if not wanted:
        return None
    found = _COMPANIES[wanted].rows(domain=asked.domain, key=asked.key, first_word=asked.first_word)
    return _choose(lead, asked, {account.pk: account for account in found}.values())


def _known_by(sign: str) -> QuerySet[Account]:
    return Account.objects.filter(**{_ACCOUNT_SIGNS[sign]: Param(sign)}, archived_at=None).order_by("id")[:MOST_NAMES]


# The whole name besides its beginning, so that it is found however many companies begin alike.
_ACCOUNT_SIGNS: Final = {"domain": "domain", "key": "name_key", "first_word": "name_key__startswith"}
_COMPANIES: Final[Mapping[tuple[str, ...], Prepared[Any]]] = {
    signs: Prepared(*(partial(_known_by, sign) for sign in signs))
    for signs in (("domain",), ("key", "first_word"), ("domain", "key", "first_word"))
}


def match_accounts(leads: Sequence[Lead]) -> list[Account | None]:
    """:func:`match_account` for many leads, in one query, in their order."""
    asked = [_company_of(lead) for lead in leads]
    domains = {company.domain for company in asked if company.domain}
    search = Q(domain__in=domains) if domains else Q()
    for word in {company.first_word for company in asked if company.first_word}:
        search |= Q(name_key__startswith=word)
    if not search:
        return [None] * len(leads)
    accounts = Account.objects.filter(search, archived_at=None).order_by("id")[: MOST_NAMES * len(leads)]
    register = _Register(accounts)
    return [_choose(lead, company, register.known_by(company)) for lead, company in zip(leads, asked, strict=True)]


@dataclass(frozen=True, slots=True)
class _Company:
    """What a lead says of its company: the domain, and the name in its comparison form."""

    domain: str
    key: str

    @property
    def first_word(self) -> str:
        return self.key.split()[0] if len(self.key) >= SHORTEST_NAME else ""


def _company_of(lead: Lead) -> _Company:
    return _Company(company_domain(lead.email) or company_domain(lead.website) or "", company_key(lead.company))


class _Register:
    """Accounts to be looked up by domain and by the beginning of their name."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_name = sorted(accounts, key=attrgetter("name_key"))
        self._by_domain: dict[str, list[Account]] = defaultdict(list)
        for account in self._by_name:
            self._by_domain[account.domain].append(account)

    def known_by(self, asked: _Company) -> set[Account]:
        found = set(self._by_domain.get(asked.domain, ())) if asked.domain else set()
        return found.union(self._begin_with(asked.first_word)) if asked.first_word else found

    def _begin_with(self, word: str) -> Iterable[Account]:
        start = bisect_left(self._by_name, word, key=attrgetter("name_key"))
        return takewhile(lambda account: account.name_key.startswith(word), islice(self._by_name, start, None))


def _choose(lead: Lead, asked: _Company, accounts: Iterable[Account]) -> Account | None:
    found = sorted(accounts, key=lambda account: account.pk)
    same_domain = [account for account in found if asked.domain and account.domain == asked.domain]
    return _best(same_domain, lead, asked.key) or _best(_close_names(lead, asked, found), lead, asked.key)


def _close_names(lead: Lead, asked: _Company, accounts: Iterable[Account]) -> list[Account]:
    return [
        account
        for account in accounts
        if asked.first_word
        and _closeness(asked.key, account) >= CLOSE_NAME
        and _has_second_sign(lead, asked.domain, asked.key, account)
    ]


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
