"""Whatever is typed into a form of the admin, or into its address: an answer on the field, never a failure."""

from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.test import Client

from distribution.models import Pool, Rep, Territory
from pipeline.models import Lead, LeadSource
from tests.distribution.admin.company import MODELS, address, build_company

RUBBISH = {
    "NUL": "a\0b",
    "long": "x" * 100_000,
    "number": "-99999999999999999999999999",
    "json": '{"a": "\\u0000"}' + "[" * 5_000,
    "letters": "\u202e\ufffe\U0001f4a9 <script>alert(1)</script> ' \" ; --",
    "blank": " ",
}


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def names_in(form: Any, prefix: str = "") -> list[str]:
    """The names that the inputs of a form send, also those of fields with two inputs."""
    names = []
    for name, field in form.fields.items():
        parts = [f"{name}_{n}" for n in range(2)] if isinstance(field, forms.MultiValueField) else [name]
        names += [f"{prefix}{part}" for part in parts]
    return names


def filled_with(response: Any, value: str) -> dict[str, str]:
    """Everything the page's form would send, all of it rubbish, but for what says how many rows there are."""
    context = response.context
    data = dict.fromkeys(names_in(context["adminform"].form), value)
    for inline in context["inline_admin_formsets"]:
        formset = inline.formset
        data |= {f"{formset.prefix}-TOTAL_FORMS": "1", f"{formset.prefix}-INITIAL_FORMS": "0"}
        data |= dict.fromkeys(names_in(formset.empty_form, f"{formset.prefix}-0-"), value)
    return data


@pytest.mark.parametrize("kind", RUBBISH)
def test_rubbish_in_every_field_of_a_new_one(boss: Client, kind: str):
    for model in MODELS:
        page = boss.get(address(model, "add"))
        if page.status_code == 403:
            continue  # a record of what happened
        before = model._default_manager.count()
        response = boss.post(address(model, "add"), filled_with(page, RUBBISH[kind]))
        assert response.status_code in (200, 302), model
        if response.status_code == 200:
            assert model._default_manager.count() == before, model


@pytest.mark.parametrize("kind", ["NUL", "number", "letters"])
def test_rubbish_in_every_field_of_one_that_is_there(boss: Client, kind: str):
    build_company(0, 1)
    for model in MODELS:
        first = model._default_manager.order_by("pk").first()
        assert first is not None, model
        url = address(model, "change", first.pk)
        response = boss.post(url, filled_with(boss.get(url), RUBBISH[kind]))
        assert response.status_code in (200, 302, 403), model


def test_a_form_without_anything_in_it(boss: Client):
    for model in (Lead, Pool, Rep, Territory, LeadSource):
        assert boss.post(address(model, "add"), {}).status_code in (200, 302), model


@pytest.mark.parametrize("value", ["\0", "abc", "99999999999999999999"])
def test_rubbish_in_the_address(boss: Client, value: str):
    for model in MODELS:
        for query in ({"q": value}, {"id__exact": value}, {"o": value}, {"p": value}, {"e": value}, {value: value}):
            response = boss.get(address(model, "changelist"), query)
            assert response.status_code in (200, 302), (model, query)
        for page in ("change", "history", "delete"):
            url = address(model, page, "x").replace("/x/", f"/{value.replace(chr(0), '%00')}/")
            assert boss.get(url).status_code in (200, 302, 403, 404), (model, page)


@pytest.mark.parametrize("value", ["\0", "99999999999999999999", "2026-99-99"])
def test_rubbish_in_every_filter_of_a_list(boss: Client, value: str):
    build_company(0, 1)
    for model in MODELS:
        page = boss.get(address(model, "changelist"))
        for name in {name for spec in page.context["cl"].filter_specs for name in spec.expected_parameters()}:
            response = boss.get(address(model, "changelist"), {name: value})
            assert response.status_code in (200, 302), (model, name)


@pytest.mark.parametrize("chosen", ["abc", "\0", "99999999999999999999", ""])
def test_rubbish_in_an_action(boss: Client, chosen: str):
    build_company(0, 1)
    for model in MODELS:
        url = address(model, "changelist")
        form = boss.get(url).context["action_form"]
        names = [name for name, _label in form.fields["action"].choices if name] if form else []
        for name in (*names, "nonsense"):
            data = {"action": name, "_selected_action": chosen, "confirmed": 1, "reason": "\0", "to": "x", "index": 0}
            assert boss.post(url, data).status_code in (200, 302), (model, name)


@pytest.mark.parametrize("term", ["\0", "x" * 10_000, "99999999999999999999", "%"])
def test_rubbish_in_a_search_for_a_choice(boss: Client, term: str):
    query = {"term": term, "app_label": "distribution", "model_name": "poolmember", "field_name": "rep"}
    assert boss.get("/admin/autocomplete/", query).status_code == 200


@pytest.mark.parametrize("step", ["route_now", "reassign", "reassign_to", "return_invalid"])
def test_rubbish_in_the_address_of_a_step(boss: Client, step: str):
    for value in ("abc", "0", "99999999999999999999"):
        assert boss.get(address(Lead, step, value)).status_code == 404
