from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.naming import SAME_COMPANY, PersonName, company_key, company_similarity, name_key, split_name


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Anna Meier", "Anna", "Meier"),
        ("Meier, Anna", "Anna", "Meier"),
        ("Dr. Anna Maria Meier", "Anna Maria", "Meier"),
        ("Prof. Dr. Meier", "Meier", ""),
        ("Jan van der Berg", "Jan", "van der Berg"),
        ("van der Berg, Jan", "Jan", "van der Berg"),
        ("Martin Luther King, Jr.", "Martin Luther", "King Jr."),
        ("John Smith III", "John", "Smith III"),
        ("Madonna", "Madonna", ""),
        ("Van Morrison", "Van", "Morrison"),
        ("山田太郎", "山田太郎", ""),
        ("  ", "", ""),
        (",", "", ""),
        ("Meier,", "Meier", ""),
    ],
)
def test_a_full_name_is_split_as_its_bearer_would(full, first, last):
    assert split_name(full) == PersonName(first, last)


def test_names_are_the_same_in_any_order_case_and_accent():
    assert name_key("Müller, Jörg") == name_key("Herr JORG  MULLER") == name_key("jorg muller")
    assert name_key("Jörg Müller") != name_key("Jörg Miller")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Acme Inc.", "ACME, Incorporated"),
        ("Müller GmbH & Co. KG", "MULLER"),
        ("A B Volvo", "Volvo AB"),
        ("AEGON N.V.", "Aegon"),
        ("Procter & Gamble", "Procter and Gamble Co"),
        ("The Acme Company", "acme"),
        ("J.P. Morgan", "JP Morgan"),
        ("Foo Sp. z o.o.", "Foo"),
        ("Enel S.p.A.", "enel spa"),
        ("ООО Ромашка", "Ромашка"),
        ("Toyota 株式会社", "Toyota"),
        ("Advance Agro Public Co. Ltd.", "Advance Agro"),
    ],
)
def test_a_company_is_the_same_with_or_without_its_legal_form(left, right):
    assert company_key(left) == company_key(right)
    assert company_similarity(left, right) == 1.0


@pytest.mark.parametrize(
    ("left", "right", "is_same"),
    [
        ("Ron-tech", "Rontech", True),
        ("Betasoloin", "Betasolion GmbH", True),
        ("Acme Robotics", "Robotics Acme Ltd", True),
        ("Acme", "Acme Robotics", False),
        ("Radio Studio Berlin 54", "Radio Studio Berlin 55", False),
        ("Bank of America", "Bank of Ireland", False),
        ("", "", False),
        ("Ltd", "Inc", False),
    ],
)
def test_companies_with_close_names_are_told_from_different_ones(left, right, is_same):
    assert (company_similarity(left, right) >= SAME_COMPANY) is is_same
    assert company_similarity(left, right) == company_similarity(right, left)


@given(st.text(st.characters()))
@example("E:T")
def test_any_text_has_one_stable_key(text):
    assert company_key(company_key(text)) == company_key(text)
    assert name_key(name_key(text)) == name_key(text)
    first, last = split_name(text)
    assert first or not last


@pytest.mark.data
def test_real_company_names_lose_their_legal_form_and_stay_apart(data_dir: Path):
    lines = (data_dir / "hard_inputs" / "company_names_cleanco.csv").read_text(encoding="utf-8").splitlines()
    names = {line.rpartition(";")[0] for line in lines}
    keys = {company_key(name) for name in names}
    assert "" not in keys
    assert len(keys) > 0.97 * len({name.casefold() for name in names})
    endings = {key.split()[-1] for key in keys if " " in key}
    assert not endings & {
        "inc",
        "ltd",
        "plc",
        "gmbh",
        "ag",
        "sa",
        "nv",
        "corp",
        "spa",
        "ab",
        "asa",
        "oyj",
        "llc",
        "limited",
    }
