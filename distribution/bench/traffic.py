"""Mixed traffic for a pool: people with skills, leave, joins and caps, and leads that ask for a product.

Everything is drawn from one seed. A moment is the number of a lead, from 0; a day has DAY leads.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

DAY: Final = 100
PRODUCTS: Final = ("analytics", "billing", "crm", "desk")
DEMAND: Final = (40, 30, 20, 10)  # of a hundred leads, how many ask for each product
WEIGHTS: Final = (1, 1, 1, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Person:
    """``absences``: from and until which moment. ``per_day`` and ``capacity``: at most so many new and open leads."""

    id: int
    weight: int
    skills: frozenset[str]
    joins: int
    absences: tuple[tuple[int, int], ...]
    per_day: int | None
    capacity: int | None

    def is_here(self, moment: int) -> bool:
        return moment >= self.joins and not any(start <= moment < end for start, end in self.absences)


@dataclass(frozen=True, slots=True)
class Call:
    """One lead: what it asks for, and for how many moments it stays open."""

    product: str
    open_for: int


@dataclass(frozen=True, slots=True)
class History:
    """A pool and the leads that came in, in order."""

    seed: int
    people: tuple[Person, ...]
    calls: tuple[Call, ...]


def draw_history(seed: int, leads: int = 2000) -> History:
    """Six to twelve people over ``leads`` leads.

    Each knows a product with a chance of six in ten, is on leave once or twice for one to three days and away for
    shorter times now and then. Two join later. Half have a cap per day, a quarter a capacity, that bind at times.
    In one history of three all weights are equal.
    """
    random = Random(seed)  # noqa: S311 - a simulation, not a secret
    size, uneven = random.randint(6, 12), random.random() > 1 / 3
    people = tuple(
        _draw_person(random, number, leads, uneven=uneven, late=number > size - 2) for number in range(1, size + 1)
    )
    asked = random.choices(PRODUCTS, DEMAND, k=leads)
    return History(seed, people, tuple(Call(product, random.randint(20, 300)) for product in asked))


def _draw_person(random: Random, number: int, leads: int, *, uneven: bool, late: bool) -> Person:
    skills = frozenset(product for product in PRODUCTS if random.random() < 0.6)
    return Person(
        id=number,
        weight=random.choice(WEIGHTS) if uneven else 1,
        skills=skills or frozenset({random.choice(PRODUCTS)}),
        joins=random.randint(leads // 10, leads * 3 // 4) if late else 0,
        absences=_draw_absences(random, leads),
        per_day=random.randint(8, 20) if random.random() < 0.5 else None,
        capacity=random.randint(12, 40) if random.random() < 0.25 else None,
    )


def _draw_absences(random: Random, leads: int) -> tuple[tuple[int, int], ...]:
    leave = [random.randint(DAY, 3 * DAY) for _ in range(random.randint(1, 2))]
    lunch = [random.randint(5, 30) for _ in range(leads // (2 * DAY))]
    starts = [random.randrange(leads) for _ in (*leave, *lunch)]
    return tuple(sorted((start, start + length) for start, length in zip(starts, leave + lunch, strict=True)))
