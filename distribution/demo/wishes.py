"""Who asks for what: the input of new leads, as a form or a partner would send it."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.utils.text import slugify

from distribution.demo.company import PRODUCTS, SERVICE_SOURCE, SOURCES, Company, company_names
from distribution.demo.words import CURRENCIES, FIRST_NAMES, JOB_TITLES, LAST_NAMES, LEGAL_FORMS, MESSAGES, PLACES
from pipeline.intake import ConsentInput

# Which sources ask whether we may write, and where.
_CONSENTS: Final = {"website": "contact form", "ads": "landing page", "trade-fair": "card filled in at the stand"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one lead sends, and through which source."""

    source: str
    fields: dict[str, Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    consents: tuple[ConsentInput, ...] = ()


@dataclass(frozen=True, slots=True)
class _Firm:
    name: str
    domain: str
    industry: str
    employees: int
    place: tuple[str, str, str, str, str, str]


class Wishes:
    """An endless stream of wishes: a third from companies that have an account, some from people who came before."""

    def __init__(self, rng: random.Random, company: Company) -> None:
        self.rng = rng
        places = {place[2]: place for place in PLACES}
        self.known = [_Firm(a.name, a.domain, a.industry, a.employees or 0, places[a.city]) for a in company.accounts]
        self.phones = {place[5]: _numbers(rng, place[5]) for place in PLACES if place[5]}
        self.before: list[dict[str, Any]] = []

    def next(self) -> Wish:
        """One more wish."""
        source = self.rng.choices([row[0] for row in SOURCES], [row[4] for row in SOURCES])[0]
        if self.before and self.rng.random() < 0.04:
            return _scored(Wish(source, {**self.rng.choice(self.before), **self._wanted(source)}))
        firm = self._firm()
        fields = {**self._person(firm), **self._about(firm, source), **self._wanted(source)}
        if fields.get("email"):
            self.before.append({name: value for name, value in fields.items() if name not in ("product", "message")})
        return _scored(Wish(source, fields, self._attributes(), self._consents(source)))

    def _firm(self) -> _Firm:
        if self.rng.random() < 0.33:
            return self.rng.choice(self.known)
        name, industry, place = company_names(self.rng, 1)[0]
        employees = self.rng.choice((15, 40, 90, 200, 450, 800, 1500, 4000))
        return _Firm(f"{name} {LEGAL_FORMS[place[0]]}", f"{slugify(name)}.example", industry, employees, place)

    def _person(self, firm: _Firm) -> dict[str, Any]:
        tongue = firm.place[4]
        first, last = self.rng.choice(FIRST_NAMES[tongue]), self.rng.choice(LAST_NAMES[tongue])
        person = {
            "first_name": first,
            "last_name": last,
            "email": f"{slugify(first)}.{slugify(last)}@{firm.domain}",
            "job_title": self.rng.choice(JOB_TITLES),
            "language": tongue,
        }
        phone = next(self.phones[firm.place[5]], "") if firm.place[5] and self.rng.random() < 0.6 else ""
        return {**person, "phone": phone} if phone else person

    def _about(self, firm: _Firm, source: str) -> dict[str, Any]:
        country, region, city, postal_code, *_ = firm.place
        about: dict[str, Any] = {"company": firm.name, "industry": firm.industry}
        if source == "partner-portal" and self.rng.random() < 0.2:
            return about
        about |= {"country": country, "region": region, "city": city, "postal_code": postal_code}
        if self.rng.random() < 0.7:
            about["employees"] = firm.employees
        if self.rng.random() < 0.4:
            about |= {"value": str(self.rng.randrange(4, 400) * 1000), "currency": CURRENCIES[country]}
        return about

    def _wanted(self, source: str) -> dict[str, Any]:
        product = PRODUCTS[-1] if source == SERVICE_SOURCE else self.rng.choice(PRODUCTS[:-1])
        wanted: dict[str, Any] = {"product": product, "message": self.rng.choice(MESSAGES)}
        if source == "ads":
            wanted |= {"utm_source": "search", "utm_medium": "cpc", "utm_campaign": slugify(f"spring {product}")}
        return wanted

    def _attributes(self) -> dict[str, Any]:
        if self.rng.random() < 0.5:
            return {}
        timeline = self.rng.choice(("now", "this quarter", "this year", "later"))
        return {"timeline": timeline, "warehouse_m2": self.rng.randrange(5, 400) * 100}

    def _consents(self, source: str) -> tuple[ConsentInput, ...]:
        if source not in _CONSENTS:
            return ()
        wording = "Yes, you may write to me about my request."
        return (ConsentInput("email", granted=self.rng.random() < 0.8, wording=wording, origin=_CONSENTS[source]),)


def _scored(wish: Wish) -> Wish:
    """With a score out of 100, as a form works it out: by size, worth, hurry, and ways to reach the person."""
    size = min(wish.fields.get("employees", 0) // 50, 30)
    worth = min(int(wish.fields.get("value", 0)) // 10_000, 30)
    hurry = {"now": 25, "this quarter": 15, "this year": 5}.get(wish.attributes.get("timeline", ""), 0)
    reach = 5 * sum(name in wish.fields for name in ("phone", "email", "postal_code"))
    return replace(wish, fields={**wish.fields, "score": size + worth + hurry + reach})


def _numbers(rng: random.Random, pattern: str) -> Iterator[str]:
    """Every number of a range once, in random order: two people with one number would be taken for one person."""
    width = pattern.count("#")
    numbers = rng.sample(range(10**width), min(10**width, 2000))
    return (pattern.replace("#" * width, f"{number:0{width}}") for number in itertools.chain(numbers))
