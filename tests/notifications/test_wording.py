"""The language of message templates: what may be used, and what is refused by name and line."""

import pytest
from django.utils.html import conditional_escape

from notifications.fields import EMPTY, SAMPLE
from notifications.wording import BadWording, names_in, read_wording, render

FINE = (
    ("Hello {{ first_name }}", "Hello Ada"),
    ("{% if score %}{{ score }}{% else %}none{% endif %}", "82"),
    ("{% if late_by %}late{% elif time_left %}{{ time_left }}{% endif %}", "12 min"),
    ("{% firstof late_by company %}", "Engines Ltd"),
    ("{{ late_by|default:company|upper }}", "ENGINES LTD"),
    ("{{ message|truncatechars:10 }}", "We need i…"),
    ("{# nobody #}{% comment %}reads this{% endcomment %}x", "x"),
    ("{{ company|urlencode }}", "Engines%20Ltd"),
)
REFUSED = (
    ("{% load static %}", "Line 1: the tag 'load' is not allowed"),
    ("a\n{% include 'x.html' %}", "Line 2: the tag 'include' is not allowed"),
    ("a\n\n{% extends 'x.html' %}", "Line 3: the tag 'extends' is not allowed"),
    ("{% for letter in name %}{% endfor %}", "the tag 'for' is not allowed"),
    ("{% autoescape off %}{{ name }}{% endautoescape %}", "the tag 'autoescape' is not allowed"),
    ("{% debug %}", "the tag 'debug' is not allowed"),
    ("{% now 'Y' %}", "the tag 'now' is not allowed"),
    ("{% csrf_token %}", "the tag 'csrf_token' is not allowed"),
    ("{% verbatim %}{% endverbatim %}", "the tag 'verbatim' is not allowed"),
    ("x\n{{ name|safe }}", "Line 2: the filter 'safe' is not allowed"),
    ("{{ name|ljust:1000000000 }}", "the filter 'ljust' is not allowed"),
    ("{{ name|pprint }}", "the filter 'pprint' is not allowed"),
    ("{{ name|add:name }}", "the filter 'add' is not allowed"),
    ("{{ nmae }}", "there is no field 'nmae'"),
    ("{{ name.upper }}", "there is no field 'name.upper'"),
    ("{{ name.__class__ }}", "Line 1"),
    ("{{ request }}", "there is no field 'request'"),
    ("{{ company|default:secret }}", "there is no field 'secret'"),
    ("{% if settings.SECRET_KEY %}x{% endif %}", "there is no field 'settings.SECRET_KEY'"),
    ("{% firstof name lead.owner %}", "there is no field 'lead.owner'"),
    ("{% if name == other %}x{% endif %}", "there is no field 'other'"),
    ("a\nb\n{% if name %}", "Line 3"),
    ("{% endif %}", "'endif' has no matching beginning"),
    ("{{ name", ""),
    ("{{ }}", "Line 1"),
    ("x" * 20_001, "20,001 characters"),
)


@pytest.mark.parametrize(("source", "shown"), FINE)
def test_a_template_shapes_the_texts_it_is_given(source, shown):
    assert render(source, SAMPLE) == shown


@pytest.mark.parametrize(("source", "said"), [row for row in REFUSED if row[1]])
def test_what_a_template_must_not_use_is_refused_by_name_and_line(source, said):
    with pytest.raises(BadWording) as refused:
        read_wording(source)
    assert said in str(refused.value)


def test_a_template_may_name_a_field_that_is_empty():
    assert render("{{ name }}|{{ phone|default:'no phone' }}", EMPTY) == "|no phone"


def test_html_escapes_what_is_filled_in_and_text_does_not():
    words = {**EMPTY, "name": "<b>&"}
    assert render("<i>{{ name }}</i>", words, html=True) == "<i>&lt;b&gt;&amp;</i>"
    assert render("{{ name }}", words) == "<b>&"


def test_the_fields_of_a_template_come_in_the_order_in_which_it_names_them():
    assert names_in("{{ owner }} {% if company %}{{ first_name|default:company }}{% endif %}") == [
        "owner",
        "company",
        "first_name",
    ]


@pytest.mark.parametrize("html", [False, True])
def test_what_was_filled_in_is_escaped_by_a_page_that_shows_it(html):
    assert conditional_escape(render("<i>{{ name }}</i>", SAMPLE, html=html)) == "&lt;i&gt;Ada Lovelace&lt;/i&gt;"
