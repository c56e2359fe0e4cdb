from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.engine.territories import Area, Territory, TerritoryIndex, _place, build_index, specificity
from tests.engine.worlds import facts, territory

LEAD = {"country": "DE", "region": "DE-BY", "postal_code": "80331", "industry": "Software", "employees": 50}


def located(lead, *areas, priorities=None):
    known = [territory(area.territory_id, priority=(priorities or {}).get(area.territory_id, 0)) for area in areas]
    return build_index(known, areas).locate(lead)


# From the widest to the narrowest; all hold the lead above.
LADDER = [
    {},
    {"employees_from": 1},
    {"industry": "software"},
    {"industry": "software", "employees_to": 50},
    {"country": "DE"},
    {"country": "DE", "industry": "software"},
    {"region": "DE-BY"},
    {"country": "DE", "postal_from": "8*"},
    {"country": "DE", "postal_from": "803*"},
    {"country": "DE", "postal_from": "80000", "postal_to": "80999"},
    {"country": "DE", "postal_from": "80331"},
    {"country": "DE", "postal_from": "80331", "employees_from": 50},
    {"account_id": 7},
    {"account_id": 7, "country": "DE"},
]


@pytest.mark.parametrize(("wide", "narrow"), list(pairwise(LADDER)))
def test_the_more_specific_area_wins_whatever_the_priority(wide, narrow):
    lead = facts(7, **LEAD)
    found = located(lead, Area(1, **wide), Area(2, **narrow), priorities={1: 99})
    assert found.best is not None
    assert (found.best.id, found.all) == (2, {1, 2})


@pytest.mark.parametrize(("priorities", "best"), [({1: 0, 2: 5}, 2), ({1: 5, 2: 0}, 1), ({}, 1)])
def test_among_equally_specific_ones_priority_decides_then_the_older(priorities, best):
    found = located(facts(**LEAD), Area(1, country="DE"), Area(2, country="DE"), priorities=priorities)
    assert found.best is not None
    assert found.best.id == best


@pytest.mark.parametrize(
    ("area", "lead", "inside"),
    [
        ({"country": "DE"}, {"country": "de"}, True),
        ({"country": "DE"}, {"country": "FR"}, False),
        ({"country": "DE"}, {}, False),
        ({"region": "DE-BY"}, {"region": "DE-BE"}, False),
        ({"region": "DE-BY", "country": "DE"}, {"region": "DE-BY"}, False),
        ({"country": "DE", "postal_from": "80331"}, {"country": "DE", "postal_code": "80 331"}, True),
        ({"country": "DE", "postal_from": "80331"}, {"country": "AT", "postal_code": "80331"}, False),
        ({"country": "DE", "postal_from": "80331"}, {"country": "DE", "postal_code": "803310"}, False),
        ({"country": "PL", "postal_from": "00950"}, {"country": "PL", "postal_code": "00-950"}, True),
        ({"country": "GB", "postal_from": "SW1*"}, {"country": "GB", "postal_code": "sw1a 1aa"}, True),
        ({"country": "GB", "postal_from": "SW1*"}, {"country": "GB", "postal_code": "SW"}, False),
        ({"country": "DE", "postal_from": "*"}, {"country": "DE", "postal_code": "1"}, True),
        ({"country": "DE", "postal_from": "10", "postal_to": "19"}, {"country": "DE", "postal_code": "19"}, True),
        ({"country": "DE", "postal_from": "10", "postal_to": "19"}, {"country": "DE", "postal_code": "20"}, False),
        ({"country": "DE", "postal_from": "10", "postal_to": "19"}, {"country": "DE", "postal_code": "150"}, False),
        ({"country": "DE", "postal_from": "10", "postal_to": "19"}, {"country": "DE", "postal_code": "09"}, False),
        ({"industry": "software"}, {"industry": "Software"}, True),
        ({"industry": "software"}, {}, False),
        ({"employees_from": 10, "employees_to": 20}, {"employees": 20}, True),
        ({"employees_from": 10, "employees_to": 20}, {"employees": 21}, False),
        ({"employees_from": 10}, {"employees": 9}, False),
        ({"employees_to": 10}, {}, False),
        ({"account_id": 7}, {}, False),
        ({}, {}, True),
    ],
)
def test_a_lead_lies_in_an_area_when_all_it_says_holds(area, lead, inside):
    assert bool(located(facts(**lead), Area(1, **area)).all) is inside


def test_without_territories_a_lead_lies_nowhere():
    found = TerritoryIndex().locate(facts(**LEAD))
    assert (found.best, found.all) == (None, frozenset())


def _slow(territories: list[Territory], areas: list[Area], lead):
    """The promise in its plainest form: every area held against the lead, one by one."""
    code = str(lead.values.get("postal_code") or "")
    size = lead.values.get("employees")

    def inside(area: Area) -> bool:
        if area.postal_to:
            postal = len(code) == len(area.postal_from) and area.postal_from <= code <= area.postal_to
        elif area.postal_from.endswith("*"):
            postal = bool(code) and code.startswith(area.postal_from[:-1])
        else:
            postal = area.postal_from in ("", code)
        return all((
            area.account_id in (None, lead.account_id),
            area.country in ("", lead.values.get("country")),
            area.region in ("", lead.values.get("region")),
            area.industry in ("", lead.values.get("industry")),
            postal,
            area.employees_from is None or (size is not None and size >= area.employees_from),
            area.employees_to is None or (size is not None and size <= area.employees_to),
        ))  # fmt: skip

    priority = {entry.id: entry.priority for entry in territories}
    found = [area for area in areas if inside(area)]
    best = max(found, key=lambda a: (specificity(a), priority[a.territory_id], -a.territory_id), default=None)
    return best and best.territory_id, frozenset(area.territory_id for area in found)


CODES = st.text("012", min_size=1, max_size=3)


@st.composite
def areas(draw, ids):
    entry = {
        "account_id": draw(st.sampled_from([None, None, None, 7, 8])),
        "country": draw(st.sampled_from(["", "DE", "FR"])),
        "region": draw(st.sampled_from(["", "", "DE-BY", "DE-BE"])),
        "industry": draw(st.sampled_from(["", "", "software"])),
        "employees_from": draw(st.sampled_from([None, None, 1, 50])),
        "employees_to": draw(st.sampled_from([None, None, 50, 100])),
    }
    if entry["country"]:
        first = draw(CODES)
        last = "".join(max(a, b) for a, b in zip(first, draw(st.text("012", min_size=3, max_size=3)), strict=False))
        entry |= draw(
            st.sampled_from(
                [
                    {},
                    {"postal_from": first},
                    {"postal_from": f"{first}*"},
                    {"postal_from": first, "postal_to": last},
                ]
            )
        )
    return Area(draw(st.sampled_from(ids)), **entry)


@given(st.data())
def test_the_index_finds_what_a_search_through_all_areas_finds(data):
    territories = [territory(id, priority=data.draw(st.integers(0, 2))) for id in (1, 2, 3, 4)]
    lines = data.draw(st.lists(areas([1, 2, 3, 4]), max_size=12))
    lead = facts(
        data.draw(st.sampled_from([None, 7])),
        country=data.draw(st.sampled_from(["", "DE", "FR"])),
        region=data.draw(st.sampled_from(["", "DE-BY"])),
        postal_code=data.draw(st.one_of(st.just(""), CODES)),
        industry=data.draw(st.sampled_from(["", "software"])),
        employees=data.draw(st.sampled_from([None, 1, 50, 101])),
    )
    found = build_index(territories, lines).locate(lead)
    assert (found.best and found.best.id, found.all) == _slow(territories, lines, lead)


@pytest.mark.parametrize(
    "shape",
    [
        lambda code: {"postal_from": code},
        lambda code: {"postal_from": f"{code}*"},
        lambda code: {"postal_from": code, "postal_to": code},
    ],
)
def test_a_look_up_reads_one_area_among_forty_thousand_as_among_one(shape):
    def read(count):
        lines = [Area(1, country="DE", **shape(f"{code:05}")) for code in range(80331, 80331 - count, -1)]
        return len(list(build_index([territory(1)], lines)._near(_place(facts(**LEAD)))))

    assert read(40_000) == read(1) == 1
