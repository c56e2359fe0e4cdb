import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.conditiontext import format_value, join, parse_value, split
from distribution.engine.conditions import ConditionError
from distribution.engine.facts import Field, catalogue
from distribution.fields import RuleFields, with_choices
from distribution.models import Condition, RoutingRule
from distribution.rulewords import condition_words, then_words, when_words
from pipeline.intake import read_fields
from pipeline.models import LeadSource

FIELDS = RuleFields(
    catalogue=with_choices(catalogue((Field("attr.start", "Start", "date"),))),
    suggestions={},
    territories={7: "DACH, north", 8: "9"},
    archived_territories={9: "Old land"},
)


@pytest.mark.parametrize(
    ("field", "operator", "value", "words"),
    [
        ("country", "any_of", ["DE", "AT"], "Country is any of Germany, Austria"),
        ("country", "any_of", ["DE", "AT", "CH", "FR", "IT", "ES", "PT", "NL"],
         "Country is any of Germany, Austria, Switzerland, France, Italy, Spain and 2 more"),
        ("employees", "gte", 200, "Employees is at least 200"),
        ("employees", "between", [10, "20.5"], "Employees is between 10 and 20.5"),
        ("account_owned", "is", False, "Account has an owner is no"),
        ("territory", "in_territory", [7, 9, 11], "Territory is in territory DACH, north, Old land, 11"),
        ("company", "blank", None, "Company is blank"),
        ("gone", "is", "x", "Unknown field gone is x"),
        ("company", "sounds", {"a": 1}, "Company sounds {'a': 1}"),
        ("country", "any_of", [{"a": 1}, None], "Country is any of {'a': 1}, None"),
    ],
)  # fmt: skip
def test_a_condition_in_words(field, operator, value, words):
    assert condition_words(Condition(field=field, operator=operator, value=value), FIELDS) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([1, 2, 3, 4, 5], "on Mon–Fri (UTC)"),
        ([5, 1], "on Mon, Fri (UTC)"),
        ([1, 2, 6, 7], "on Mon, Tue, Sat, Sun (UTC)"),
        ([1, 3, 4, 5, 99], "on Mon, Wed–Fri (UTC)"),
    ],
)
def test_the_days_of_a_rule_in_words(days, words):
    rule = RoutingRule(pk=1, name="R", weekdays=days)
    rule._prefetched_objects_cache = {"conditions": []}
    assert when_words(rule, FIELDS) == f"Every lead, {words}"


def test_a_rule_without_its_target_is_told_without_an_error():
    rule = RoutingRule(pk=1, name="R", target="pool")
    rule._prefetched_objects_cache = {"conditions": [], "required_skills": []}
    assert then_words(rule) == "no pool, else next rule"


@pytest.mark.parametrize(
    ("field", "operator", "text", "value"),
    [
        ("country", "is", "germany", "DE"),
        ("language", "any_of", "German, en", ["de", "en"]),
        ("employees", "any_of", "5, 5, 1e2", [5, 100]),
        ("attr.start", "gt", "2026-01-31", "2026-01-31"),
        ("territory", "in_territory", '"dach, NORTH", 9', [7, 8]),
        ("company", "matches", "a, b", "a, b"),
        ("tags", "has_any", "hot, cold", ["hot", "cold"]),
        ("region", "is", "DE-BY", "DE-BY"),
    ],
)
def test_what_is_typed_becomes_the_stored_value_and_back(field, operator, text, value):
    assert parse_value(FIELDS, field, operator, text) == value
    assert parse_value(FIELDS, field, operator, format_value(FIELDS, field, operator, value)) == value


@pytest.mark.parametrize(
    ("field", "operator", "text", "sentence"),
    [
        ("employees", "gte", "-5", "Employees is from 0 to 2,147,483,647; no lead has -5."),
        ("score", "between", "10, 100.5", "Score is from 0 to 100; no lead has 100.5."),
        ("score", "any_of", "50, 101", "Score is from 0 to 100; no lead has 101."),
        ("priority", "is", "-1001", "Priority is from -1,000 to 1,000; no lead has -1,001."),
        ("value", "lt", "-0.01", "Value in base currency is at least 0; no lead has -0.01."),
    ],
)
def test_a_number_that_no_lead_can_have_is_refused_with_what_it_can_be(field, operator, text, sentence):
    with pytest.raises(ConditionError) as refused:
        parse_value(FIELDS, field, operator, text)
    assert (refused.value.part, str(refused.value)) == ("value", sentence)


@pytest.mark.parametrize("entry", [entry for entry in catalogue().values() if entry.type == "number"])
def test_rules_may_ask_for_every_number_that_a_lead_may_have_and_no_other(entry):
    bounds = [bound for bound in (entry.lowest, entry.highest) if bound is not None]
    assert bounds
    for bound in bounds:
        assert parse_value(FIELDS, entry.key, "is", str(bound)) == bound
        assert read_fields({entry.key: bound}, LeadSource())[1] == []
    beyond = [bound + step for bound, step in ((entry.lowest, -1), (entry.highest, 1)) if bound is not None]
    for number in beyond:
        assert read_fields({entry.key: number}, LeadSource())[1] != []


@pytest.mark.parametrize("text", ["Old land", "11", "²", "9" * 50])
def test_a_territory_that_is_archived_or_unknown_cannot_be_chosen(text):
    with pytest.raises(ConditionError, match="no territory"):
        parse_value(FIELDS, "territory", "in_territory", text)


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)))
def test_values_written_in_one_line_are_read_back(parts):
    assert split(join(parts)) == list(dict.fromkeys(parts))


OPERATORS = st.sampled_from(["is", "any_of", "between", "in_territory", "matches", "gt", "blank", "sounds"])


@given(st.sampled_from([*sorted(FIELDS.catalogue), "gone"]), OPERATORS, st.text())
def test_any_text_is_a_value_or_a_clear_refusal(field, operator, text):
    try:
        value = parse_value(FIELDS, field, operator, text)
    except ConditionError:
        return
    assert parse_value(FIELDS, field, operator, format_value(FIELDS, field, operator, value)) == value
