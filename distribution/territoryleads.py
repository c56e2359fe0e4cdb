"""Which stored leads lie in a territory, as a condition for the database. What the engine says of one lead it says too:
a lead is in a territory when one of its areas holds it, also when a more specific territory does."""

from functools import reduce
from operator import or_

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from distribution.models import PoolMember, Rep, Territory, TerritoryArea
from pipeline.models import Lead


def leads_in(territory_id: int) -> Q:
    """The condition; nothing lies in a territory that is not there."""
    areas = TerritoryArea.objects.filter(territory=territory_id, territory__archived_at=None)
    return reduce(or_, (_held_by(area) for area in areas), Q(pk__in=()))


def territory_names(people: QuerySet[User] | None = None) -> list[tuple[int, str]]:
    """The territories in use, by name: those that one of these people owns, works in or shares the leads of, or all."""
    territories = Territory.objects.filter(archived_at=None)
    if people is not None:
        # Read first: three times in one condition this would be nested too deep for SQLite.
        reps = list(Rep.objects.filter(user__in=people.order_by().values("pk")).values_list("pk", flat=True))
        pools = PoolMember.objects.filter(rep__in=reps, retired_at=None).values("pool")
        territories = territories.filter(Q(owner__in=reps) | Q(reps__in=reps) | Q(pool__in=pools)).distinct()
    return list(territories.order_by("name").values_list("pk", "name"))


def _held_by(area: TerritoryArea) -> Q:
    said = {
        "account": area.account_id,
        "country": area.country,
        "region": area.region,
        "industry__iexact": area.industry,
        "employees__gte": area.employees_from,
        "employees__lte": area.employees_to,
    }
    return Q(_in_postal(area), **{name: value for name, value in said.items() if value not in (None, "")})


def _in_postal(area: TerritoryArea) -> Q:
    first = area.postal_from
    if not first:
        return Q()
    if area.postal_to:
        as_long = Lead.objects.annotate(length=Length("postal_code")).filter(length=len(first))
        return Q(postal_code__gte=first, postal_code__lte=area.postal_to, pk__in=as_long.values("pk"))
    return Q(postal_code__startswith=first[:-1]) if first.endswith("*") else Q(postal_code=first)
