import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.places import (
    countries,
    country_code,
    read_table,
    region_code,
    regions,
    time_zone_of,
    time_zones_of,
    world_zones,
)
from leadcrm.lib.text import Unreadable


def rows(path: Path):
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return csv.DictReader(content.decode().splitlines())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("de", "DE"), ("DEU", "DE"), ("Deutschland", "DE"), ("USA", "US"), ("U.S.A.", "US"), ("uk", "GB"),
        ("Oesterreich", "AT"), ("ÖSTERREICH", "AT"), ("Cote d'Ivoire", "CI"), ("Philipines", "PH"), ("Turkey", "TR"),
        ("the Netherlands", "NL"), ("Trinidad & Tobago", "TT"), ("South Korea", "KR"), ("Viet Nam", "VN"),
        ("Congo, The Democratic Republic of the", "CD"), ("Kosovo", "XK"), (" ", ""), ("united\u00a0states", "US"),
    ],
)  # fmt: skip
def test_countries_are_known_by_code_name_and_common_misspelling(raw, code):
    assert country_code(raw) == code


@pytest.mark.parametrize(
    ("raw", "hint"), [("Germani", "Germany"), ("Swedne", "Sweden"), ("Atlantis", "Use a name"), ("ZZ", "ISO 3166")]
)
def test_an_unknown_country_is_refused_with_the_closest_one(raw, hint):
    with pytest.raises(Unreadable, match=hint):
        country_code(raw)


def test_no_two_countries_or_regions_share_a_name():
    for table, scope in (("countries", 0), ("regions", 3)):
        seen: dict[str, str] = {}
        for row in read_table(table):
            for name in (row["name"], *filter(None, row["aliases"].split("|"))):
                key = row["code"][:scope] + name.casefold()
                assert seen.setdefault(key, row["code"]) == row["code"]


def test_every_country_is_found_by_each_of_its_names():
    for code, country in countries().items():
        assert {country_code(raw) for raw in (code, country.alpha_3.lower(), country.name.upper())} == {code}


@pytest.mark.parametrize(
    ("country", "raw", "code"),
    [
        ("US", "ny", "US-NY"), ("US", "New York", "US-NY"), ("US", "N.Y.", "US-NY"), ("", "us-ny", "US-NY"),
        ("US", "Washington, D.C.", "US-DC"), ("CA", "Québec", "CA-QC"), ("CA", "QC", "CA-QC"),
        ("DE", "Baden-Wuerttemberg", "DE-BW"), ("DE", "bayern", "DE-BY"), ("DE", "Bavaria", "DE-BY"),
        ("AT", "Tirol", "AT-7"), ("AT", "Vienna", "AT-9"), ("AT", "AT-9", "AT-9"), ("CH", "St. Gallen", "CH-SG"),
        ("CH", "Zurich", "CH-ZH"), ("GB", "scotland", "GB-SCT"), ("AU", "nsw", "AU-NSW"), ("IN", "Orissa", "IN-OD"),
        ("IN", "Mahārāshtra", "IN-MH"), ("FR", "FR-IDF", "FR-IDF"), ("US", "", ""),
    ],
)  # fmt: skip
def test_regions_are_known_by_code_and_name_in_their_country(country, raw, code):
    assert region_code(country, raw) == code


@pytest.mark.parametrize(
    ("country", "raw", "hint"),
    [
        ("US", "Bavaria", "United States"), ("US", "Pensilvania", "Did you mean Pennsylvania"), ("US", "US-ZZ", "US-"),
        ("DE", "US-NY", "Germany"), ("FR", "Bretagne", "code only"), ("", "Texas", "unknown country"),
    ],
)  # fmt: skip
def test_a_region_of_another_country_is_refused(country, raw, hint):
    with pytest.raises(Unreadable, match=hint):
        region_code(country, raw)


@given(st.text(max_size=30), st.sampled_from(["", "US", "DE", "FR", "XX"]))
def test_any_text_is_a_place_or_a_clear_refusal(text, country):
    for read in (country_code, lambda raw: region_code(country, raw)):
        try:
            code = read(text)
        except Unreadable:
            continue
        assert read(code) == code


@pytest.mark.parametrize(
    ("country", "region", "phone", "zone"),
    [
        ("DE", "", "", "Europe/Berlin"),
        ("US", "US-NY", "", "America/New_York"),
        ("", "US-NY", "", "America/New_York"),
        ("US", "", "", ""),
        ("US", "", "+12067041234", "America/Los_Angeles"),
        ("", "", "+12067041234", "America/Los_Angeles"),
        ("US", "US-NY", "+12067041234", "America/New_York"),  # moved, and kept the number
        ("US", "US-TX", "", ""),
        ("US", "US-TX", "+15124567890", "America/Chicago"),
        ("US", "US-TX", "+12067041234", ""),
        ("US", "US-AZ", "", ""),
        ("US", "US-AZ", "+16025551234", "America/Phoenix"),
        ("", "", "+18005551234", ""),
        ("AU", "AU-QLD", "", "Australia/Brisbane"),
        ("AU", "", "", ""),
        ("CN", "", "", "Asia/Shanghai"),
        ("MY", "", "", "Asia/Kuala_Lumpur"),
        ("IN", "IN-KA", "", "Asia/Kolkata"),
        ("DE", "", "+12067041234", "Europe/Berlin"),
        ("", "", "", ""),
        ("", "", "not a number", ""),
    ],
)
def test_the_time_zone_is_known_only_when_one_clock_is_left(country, region, phone, zone):
    found = time_zone_of(country, region, phone)
    assert (found == "") == (zone == "")
    assert found in (zone, "America/Vancouver")


def test_every_zone_of_a_region_exists_and_lies_in_its_country():
    for code in countries():
        for region in regions(code).values():
            assert time_zone_of(code, region.code) in ("", time_zone_of(code), *region.time_zones)


@pytest.mark.data
def test_our_countries_and_regions_are_those_of_iso_3166(data_dir: Path):
    official = {(row["alpha_2"], row["alpha_3"]) for row in rows(data_dir / "geo" / "iso3166_1.csv")}
    assert {(country.code, country.alpha_3) for country in countries().values()} - official == {("XK", "XKX")}
    assert official <= {(country.code, country.alpha_3) for country in countries().values()}
    for row in rows(data_dir / "geo" / "iso3166_1.csv"):
        assert country_code(row["name"]) == country_code(row["alpha_3"]) == row["alpha_2"]
        assert not row["common_name"] or country_code(row["common_name"]) == row["alpha_2"]
    known = {code for country in countries() for code in regions(country)}
    for row in rows(data_dir / "geo" / "iso3166_2.csv"):
        if regions(row["country"]) and row["parent"] == "" and row["country"] != "GB":
            assert row["code"] in known
            assert region_code(row["country"], row["name"]) == row["code"]


@pytest.mark.data
def test_a_us_phone_and_its_state_never_give_a_wrong_zone(data_dir: Path):
    for row in rows(data_dir / "geo" / "nanp_area_codes.csv"):
        number = f"+1{row['area_code']}5550123"
        zone = time_zone_of("", "", number)
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))
        assert not zone or zone in row["timezones"] or not row["timezones"]


def test_every_zone_a_lead_may_be_in_is_named():
    assert set(time_zones_of("US")) > {"America/New_York", "Pacific/Honolulu"}
    assert "America/Los_Angeles" in time_zones_of("US", "", "+12067041234")
    assert "America/New_York" not in time_zones_of("US", "", "+12067041234")
    assert time_zones_of("DE", "", "+12067041234") == ("Europe/Berlin", "Europe/Busingen")
    assert time_zones_of("", "", "+81312345678") == ("Asia/Tokyo",)
    assert time_zones_of() == ()


def test_the_zones_of_the_world_show_every_clock_once():
    offsets = {datetime(2026, 1, 15, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for zone in world_zones()}
    assert {timedelta(hours=-11), timedelta(hours=5, minutes=45), timedelta(hours=14)} <= offsets
    assert len(world_zones()) == len(set(world_zones())) < 100
