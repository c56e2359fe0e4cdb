import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.postal import postal_area, postal_code, region_of_postal
from leadcrm.lib.text import Unreadable
from tests.lib.test_places import rows

NAVY_IN_HAWAII = ("96860", "96863")  # listed twice, once as a fleet post office


@pytest.mark.parametrize(
    ("country", "raw", "code"),
    [
        ("US", "02134-1234", "02134"), ("US", "021341234", "02134"), ("US", "2134", "02134"), ("US", "601", "00601"),
        ("CA", "k1a 0b1", "K1A0B1"), ("CA", "K1A", "K1A"), ("GB", "sw1a 1aa", "SW1A1AA"), ("GB", "E1", "E1"),
        ("DE", "01067", "01067"), ("DE", "D-80331", "80331"), ("CH", "CH-8001", "8001"), ("AT", "A 1010", "1010"),
        ("NL", "1012 ab", "1012AB"), ("SE", "SE-114 55", "11455"), ("PL", "00-950", "00950"),
        ("BR", "01310-100", "01310100"), ("JP", "１００－０００１", "1000001"), ("", "ab 12", "AB12"),
        ("IE", "D02 AF30", "D02AF30"), ("SG", "018956", "018956"), ("XX", "A1", "A1"), ("DE", "", ""),
    ],
)  # fmt: skip
def test_postal_codes_have_one_written_form(country, raw, code):
    assert postal_code(raw, country) == code


@pytest.mark.parametrize(
    ("country", "raw"),
    [("DE", "1067"), ("US", "123456"), ("CA", "D1A 0B1"), ("GB", "12345"), ("AT", "80331"), ("", "<script>"),
     ("", "x" * 99)],
)  # fmt: skip
def test_a_code_of_another_form_is_refused_with_an_example(country, raw):
    with pytest.raises(Unreadable, match="should look like"):
        postal_code(raw, country)


@given(st.text(max_size=14), st.sampled_from(["", "US", "CA", "GB", "DE", "NL", "XX"]))
def test_any_text_is_a_postal_code_or_a_clear_refusal(text, country):
    try:
        code = postal_code(text, country)
    except Unreadable:
        return
    assert postal_code(code, country) == code
    assert region_of_postal(country, code)[:2] in ("", country)


def test_e1_and_e16_are_different_areas():
    assert [postal_area("GB", code) for code in ("E16AN", "E161AA", "E1", "SW1A1AA")] == ["E1", "E16", "E1", "SW1A"]
    assert postal_area("CA", "K1A0B1") == "K1A"
    assert postal_area("DE", "80331") == ""


@pytest.mark.parametrize(
    ("country", "postal", "region"),
    [
        ("US", "02134", "US-MA"), ("US", "06390", "US-NY"), ("US", "06355", "US-CT"), ("US", "00601", "US-PR"),
        ("US", "96910", "US-GU"), ("US", "09001", ""), ("US", "", ""), ("CA", "K1A0B1", "CA-ON"),
        ("CA", "X0A", "CA-NU"),
        ("CA", "X1A2B3", "CA-NT"), ("DE", "80331", "DE-BY"), ("DE", "22145", ""), ("DE", "00000", ""),
        ("AU", "2600", "AU-ACT"), ("AU", "2000", "AU-NSW"), ("GB", "EH11AA", "GB-SCT"),
        ("GB", "SY20", "GB-WLS"),
        ("GB", "SW1A1AA", "GB-ENG"), ("GB", "BT1", "GB-NIR"), ("GB", "TD15", "GB-ENG"), ("FR", "75001", ""),
    ],
)  # fmt: skip
def test_a_postal_code_tells_its_region_only_when_it_lies_in_one(country, postal, region):
    assert region_of_postal(country, postal) == region


@pytest.mark.data
def test_every_us_zip_is_in_its_state(data_dir: Path):
    for row in rows(data_dir / "geo" / "us_zip.csv.gz"):
        is_abroad = row["state_code"] in ("", "MH") and row["zip"] not in NAVY_IN_HAWAII
        state = row["state_code"] or "HI"
        assert region_of_postal("US", postal_code(row["zip"], "US")) == ("" if is_abroad else f"US-{state}"), row


@pytest.mark.data
def test_every_german_plz_is_in_its_land_or_unknown(data_dir: Path):
    unknown = set()
    for row in rows(data_dir / "geo" / "de_plz.csv.gz"):
        region = region_of_postal("DE", postal_code(row["plz"], "DE"))
        assert region in ("", f"DE-{row['bundesland_code']}"), row
        unknown |= {row["plz"]} if not region else set()
    assert len(unknown) <= 12


@pytest.mark.data
def test_every_canadian_fsa_is_in_its_province(data_dir: Path):
    for row in rows(data_dir / "geo" / "ca_fsa.csv"):
        assert region_of_postal("CA", postal_code(row["fsa"], "CA")) == f"CA-{row['province_code']}"


@pytest.mark.data
def test_every_british_outcode_is_in_its_nation(data_dir: Path):
    nations = {"Scotland": "GB-SCT", "Wales": "GB-WLS", "Northern Ireland": "GB-NIR"}
    for row in rows(data_dir / "geo" / "gb_outcodes.csv"):
        if row["uk_region"] and row["outcode"] != "NPT":  # the town's code until 1984
            outcode = postal_code(row["outcode"], "GB")
            assert region_of_postal("GB", outcode) == nations.get(row["uk_region"], "GB-ENG"), row


@pytest.mark.data
def test_naughty_strings_are_refused_or_read(data_dir: Path):
    for text in json.loads((data_dir / "hard_inputs" / "blns.json").read_text()):
        for country in ("", "US", "GB"):
            try:
                postal_code(text, country)
            except Unreadable as error:
                assert len(str(error)) < 200  # noqa: PT017
