"""What each kind of file may tell, and the names by which its columns are usually known."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """``vocabulary`` names the table of corrections ([values.product]) that applies to its cells."""

    name: str
    usual: tuple[str, ...]
    vocabulary: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. ``words`` in a file's name give it away."""

    name: str
    words: frozenset[str]
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


TEAM: Final = Kind(
    "team",
    frozenset("team teams rep reps user users agent agents people staff employees salespeople sellers".split()),
    (
        Field("name", ("name", "rep", "sales rep", "sales agent", "agent", "full name", "user"), "rep", needed=True),
        Field("email", ("email", "e mail", "email address", "mail")),
        Field("manager", ("manager", "sales manager", "team lead", "reports to", "supervisor"), "manager"),
        Field("office", ("office", "regional office", "location", "branch", "site"), "office"),
        Field("team", ("team", "team name", "group"), "team"),
        Field("time_zone", ("time zone", "timezone")),
        Field("languages", ("languages", "language")),
        Field("skills", ("skills", "products", "sells"), "product"),
        Field("capacity", ("capacity", "max open", "open leads limit")),
    ),
)
ACCOUNTS: Final = Kind(
    "accounts",
    frozenset("account accounts company companies customer customers organization organizations organisations".split()),
    (
        Field(
            "name", ("account", "account name", "company", "company name", "customer", "name"), "account", needed=True
        ),
        Field("external_id", ("account id", "id", "external id", "company id", "customer id")),
        Field("domain", ("domain", "website", "url", "web")),
        Field("owner", ("owner", "account owner", "sales agent", "rep", "sales rep", "account manager"), "rep"),
        Field("parent", ("parent", "parent account", "subsidiary of", "parent company"), "account"),
        Field("country", ("country", "office location", "billing country", "headquarters"), "country"),
        Field("region", ("region", "state", "province", "billing state")),
        Field("postal_code", ("postal code", "zip", "zip code", "postcode", "billing zip")),
        Field("city", ("city", "town", "billing city")),
        Field("industry", ("industry", "sector", "vertical"), "industry"),
        Field("employees", ("employees", "number of employees", "headcount", "company size")),
        Field("revenue", ("revenue", "annual revenue", "turnover")),
    ),
)
PRODUCTS: Final = Kind(
    "products",
    frozenset("product products item items catalog catalogue".split()),
    (Field("name", ("product", "product name", "name", "item"), "product", needed=True),),
)
OPPORTUNITIES: Final = Kind(
    "opportunities",
    frozenset("opportunity opportunities deal deals pipeline sales leads".split()),
    (
        Field("external_id", ("opportunity id", "deal id", "id", "external id", "record id")),
        Field("owner", ("owner", "opportunity owner", "deal owner", "sales agent", "rep", "sales rep", "agent"), "rep"),
        Field("product", ("product", "product name"), "product"),
        Field("account", ("account", "account name", "company", "company name", "customer"), "account"),
        Field("stage", ("stage", "deal stage", "opportunity stage", "status"), "stage", needed=True),
        Field("created", ("created", "created at", "create date", "created date", "engage date", "open date")),
        Field("closed", ("closed", "closed at", "close date", "closed date")),
        Field("value", ("value", "close value", "amount", "deal value", "deal amount")),
        Field("currency", ("currency", "currency code")),
        Field("lost_reason", ("lost reason", "loss reason", "closed lost reason")),
        Field("first_name", ("first name", "contact first name")),
        Field("last_name", ("last name", "contact last name")),
        Field("email", ("email", "contact email")),
        Field("phone", ("phone", "contact phone")),
    ),
)
KINDS: Final = {kind.name: kind for kind in (TEAM, ACCOUNTS, PRODUCTS, OPPORTUNITIES)}
VOCABULARIES: Final = frozenset(field.vocabulary for kind in KINDS.values() for field in kind.fields) - {""}
