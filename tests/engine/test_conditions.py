from datetime import date
from decimal import Decimal

import pytest

from distribution.engine.conditions import (
    OPERATORS,
    ConditionError,
    broken_condition,
    build_condition,
    operator_choices,
    operators_for,
)
from distribution.engine.facts import LEAD_FIELDS, Field, LeadFacts, catalogue
from distribution.engine.rules import check
from tests.engine.worlds import FIELDS, facts, when

HOLDS = [
    # text: without case, accents and surplus spaces
    ("company", "is", "Müller  GmbH", "MULLER gmbh", True),
    ("company", "is", "Acme", "Acme Ltd", False),
    ("company", "is_not", "Acme", "Ácme", False),
    ("company", "is_not", "Acme", "Bolt", True),
    ("city", "any_of", ["Łódź", "Köln"], "lodz", True),
    ("city", "any_of", ["Berlin"], "Bern", False),
    ("city", "none_of", ["Berlin"], "Bern", True),
    ("city", "none_of", ["Berlin"], "BERLIN", False),
    ("message", "contains", "Preis", "was ist der PREIS?", True),
    ("message", "contains", "offer", "x" * 600 + " an offer", True),
    ("message", "contains", "Preis", "hello", False),
    ("job_title", "starts_with", "chef", "Chéf de cuisine", True),
    ("job_title", "starts_with", "chef", "sous-chef", False),
    ("email", "matches", r"@(acme|bolt)\.com$", "Ann@ACME.com", True),
    ("email", "matches", r"@acme\.com$", "ann@acme.com.evil.org", False),
    ("company", "matches", "^Müll", "Mueller", False),
    ("company", "matches", "^Müll", "muller", True),
    # choices
    ("country", "is", "de", "DE", True),
    ("attr.size", "is", "s", "s", True),
    ("attr.size", "is_not", "s", "l", True),
    ("attr.size", "any_of", ["s", "l"], "l", True),
    # numbers: whole, decimal, negative, written as text in the rule
    ("employees", "is", 50, 50, True),
    ("employees", "is", "50.0", 50, True),
    ("employees", "is_not", 50, 51, True),
    ("employees", "any_of", [1, 2], 2, True),
    ("employees", "none_of", [1, 2], 2, False),
    ("employees", "lt", 50, 49, True),
    ("employees", "lt", 50, 50, False),
    ("employees", "lte", 50, 50, True),
    ("employees", "lte", 50, 51, False),
    ("employees", "gt", 50, 50, False),
    ("employees", "gt", 50, 51, True),
    ("employees", "gte", 50, 50, True),
    ("employees", "gte", 50, 0, False),
    ("employees", "between", [10, 20], 10, True),
    ("employees", "between", [10, 20], 20, True),
    ("employees", "between", [10, 20], 21, False),
    ("value", "gte", "1000.50", Decimal("1000.50"), True),
    ("value", "lt", 0, Decimal("-0.01"), True),
    ("score", "is", 0, 0, True),
    # dates
    ("attr.starts", "lt", "2026-02-01", date(2026, 1, 31), True),
    ("attr.starts", "is", "2026-02-01", date(2026, 2, 1), True),
    ("attr.starts", "between", ["2026-01-01", "2026-01-31"], date(2026, 2, 1), False),
    # booleans
    ("duplicate", "is", True, True, True),
    ("duplicate", "is", False, False, True),
    ("duplicate", "is_not", True, False, True),
    # lists
    ("tags", "has", "VIP", ("vip", "fair"), True),
    ("tags", "has", "vip", ("fair",), False),
    ("tags", "has_any", ["vip", "web"], ("Web",), True),
    ("tags", "has_any", ["vip", "web"], ("fair",), False),
    ("tags", "has_none", ["vip", "web"], ("fair",), True),
    ("tags", "has_none", ["vip"], ("VIP",), False),
    # blanks
    ("company", "blank", None, "  ", True),
    ("company", "blank", None, "Acme", False),
    ("company", "not_blank", None, "Acme", True),
    ("tags", "blank", None, (), True),
    ("duplicate", "not_blank", None, False, True),
    ("score", "not_blank", None, 0, True),
]


@pytest.mark.parametrize(("field", "operator", "value", "actual", "expected"), HOLDS)
def test_operator(field, operator, value, actual, expected):
    result = check(when(field, operator, value), LeadFacts({field: actual}), frozenset)
    assert (result.holds, result.error) == (expected, "")


def test_every_operator_has_a_row_that_holds_and_one_that_does_not():
    shown = {(operator, expected) for _, operator, _, _, expected in HOLDS}
    always_true_or_false = {("not_blank", False), ("in_territory", True), ("in_territory", False)}
    assert {(key, answer) for key in OPERATORS for answer in (True, False)} - shown == always_true_or_false


@pytest.mark.parametrize(
    ("wanted", "located", "expected"),
    [([1, 2], {2, 3}, True), ([1], {2}, False), ([1], set(), False)],
)
def test_in_territory_asks_where_the_lead_lies(wanted, located, expected):
    condition = when("territory", "in_territory", wanted)
    assert check(condition, facts(), lambda: frozenset(located)).holds is expected


@pytest.mark.parametrize("located", [frozenset(), frozenset({1})])
def test_a_lead_in_no_territory_has_a_blank_territory(located):
    answers = [
        check(when("territory", operator), facts(), lambda: located).holds for operator in ("blank", "not_blank")
    ]
    assert answers == [not located, bool(located)]


@pytest.mark.parametrize("blank", [None, "", "   ", ()])
@pytest.mark.parametrize("operator", [key for key in OPERATORS if key not in ("blank", "in_territory")])
def test_a_blank_satisfies_no_comparison_neither_positive_nor_negated(operator, blank):
    entry = OPERATORS[operator]
    field = {"text": "company", "choice": "country", "number": "employees", "list": "tags", "boolean": "duplicate"}[
        entry.types[0]
    ]
    value = {"one": 1, "many": [1], "pair": [1, 2], "pattern": "a", "none": None}[entry.argument]
    if field != "employees":
        value = {"one": "a", "many": ["a"], "pattern": "a", "none": None}[entry.argument]
    assert not check(when(field, operator, value), LeadFacts({field: blank}), frozenset).holds


@pytest.mark.parametrize(
    ("field", "operator", "value", "actual"),
    [
        ("employees", "is_not", 5, "many"),
        ("employees", "lt", 5, "3"),
        ("employees", "is", 1, True),
        ("employees", "none_of", [1], "x"),
        ("company", "is_not", "Acme", 5),
        ("company", "contains", "a", ("a",)),
        ("duplicate", "is_not", True, "no"),
        ("tags", "has_none", ["vip"], "web"),
        ("attr.starts", "is_not", "2026-01-01", "soon"),
    ],
)
def test_a_fact_of_the_wrong_type_is_an_error_and_never_a_match(field, operator, value, actual):
    result = check(when(field, operator, value), LeadFacts({field: actual}), frozenset)
    assert not result.holds
    assert type(actual).__name__ in result.error


REFUSED = [
    ("colour", "is", "red", "field", "There is no field 'colour'."),
    ("company", "sounds_like", "x", "operator", "There is no operator 'sounds_like'."),
    ("company", "lt", "x", "operator", "“is less than” does not fit Company"),
    ("employees", "contains", 5, "operator", "“contains” does not fit Employees"),
    ("company", "is", "", "value", "to ask for an empty field use “is blank”"),
    ("company", "is", None, "value", "Give a value"),
    ("company", "contains", "   ", "value", "Give a value"),
    ("company", "starts_with", "\u0301", "value", "Give a value"),
    ("company", "is", 5, "value", "5 is not a text."),
    ("company", "any_of", "Acme", "value", "Give at least one value."),
    ("company", "any_of", [], "value", "Give at least one value."),
    ("company", "any_of", ["Acme", ""], "value", "Give a value"),
    ("company", "matches", "(a+)+", "value", "can make matching hang"),
    ("company", "matches", "(", "value", "not a valid pattern"),
    ("company", "matches", "", "value", "Give a pattern."),
    ("company", "matches", 5, "value", "Give a pattern."),
    ("employees", "is", "fifty", "value", "'fifty' is not a number."),
    ("employees", "is", "NaN", "value", "'NaN' is not a number."),
    ("employees", "is", True, "value", "True is not a number."),
    ("employees", "between", [20, 10], "value", "the lower one first"),
    ("employees", "between", [20], "value", "Give two values"),
    ("employees", "between", 20, "value", "Give two values."),
    ("duplicate", "is", "yes", "value", "'yes' is neither true nor false."),
    ("attr.size", "is", "m", "value", "'m' is not one of the choices of Size."),
    ("attr.starts", "is", "31.1.2026", "value", "is not a date such as 2026-01-31."),
    ("attr.starts", "is", 20260131, "value", "is not a date such as 2026-01-31."),
    ("territory", "in_territory", ["North"], "value", "'North' is not a territory's number."),
    ("territory", "in_territory", [True], "value", "True is not a territory's number."),
    ("territory", "is", 1, "operator", "does not fit Territory"),
]


@pytest.mark.parametrize(("field", "operator", "value", "part", "sentence"), REFUSED)
def test_a_condition_that_makes_no_sense_is_refused_with_the_part_that_is_wrong(field, operator, value, part, sentence):
    with pytest.raises(ConditionError) as refused:
        build_condition(FIELDS, field, operator, value)
    assert refused.value.part == part
    assert sentence in str(refused.value)


def test_a_stored_condition_that_cannot_be_built_never_matches_and_says_why():
    result = check(broken_condition("gone", "is_not", "x", "There is no field 'gone'."), facts(), frozenset)
    assert (result.holds, result.error) == (False, "There is no field 'gone'.")


def test_choices_name_every_operator_once():
    choices = operator_choices()
    assert len(dict(choices)) == len(choices) == len(list(OPERATORS))


def test_every_field_type_of_the_catalogue_has_operators():
    assert all(operators_for(field.type) for field in LEAD_FIELDS)


def test_the_installations_own_fields_stand_beside_those_of_every_lead():
    fields = catalogue((Field("attr.budget", "Budget", "number"),))
    assert fields["attr.budget"].label == "Budget"
    assert set(fields) == {field.key for field in LEAD_FIELDS} | {"attr.budget"}
