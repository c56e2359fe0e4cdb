"""The answers to a source's own questions."""

from datetime import date

from pipeline.attributes import read_attributes
from pipeline.models import AttributeDefinition

DEFINITIONS = [
    AttributeDefinition(key=kind, label=kind, type=kind, choices=["Small", "Très grand"])
    for kind in AttributeDefinition.Type.values
]


def test_attributes_are_read_by_their_type_from_json_and_from_text():
    typed = {"text": "x", "number": 5, "boolean": True, "date": date(2026, 1, 31), "choice": "Small"}
    written = {"text": " x ", "number": "5.0", "boolean": "Yes", "date": "2026-01-31", "choice": "SMALL"}
    expected = {**typed, "date": "2026-01-31"}
    assert read_attributes(typed, DEFINITIONS) == (expected, [])
    assert read_attributes(written, DEFINITIONS) == (expected, [])
    assert read_attributes({"choice": "tres grand"}, DEFINITIONS)[0] == {"choice": "Très grand"}


def test_an_attribute_that_no_database_keeps_is_refused_whatever_its_type():
    _, errors = read_attributes({definition.key: "\x00" for definition in DEFINITIONS}, DEFINITIONS)
    assert {error.detail for error in errors} == {"Contains a character that cannot be stored: NUL."}
    assert len(errors) == len(DEFINITIONS)


def test_wrong_attributes_are_refused_by_their_path():
    wrong = {"text": {}, "number": True, "boolean": 1, "date": "31.1.2026", "choice": "Medium", "other": 1}
    read, errors = read_attributes(wrong, DEFINITIONS)
    assert read == {}
    assert {error.field for error in errors} == {f"attributes.{key}" for key in wrong}
