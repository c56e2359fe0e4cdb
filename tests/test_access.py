"""Who may open which address: every address of the project for every kind of person (``tests/addresses.py``)."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import get_resolver

from pipeline.models import Lead
from tests.addresses import (
    ANYBODY,
    MACHINES,
    OWN,
    ROLES,
    TABLE,
    VISITORS,
    WHO,
    addresses,
    make_roles,
    make_things,
    path_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("refused_in_silence")]

PART: Final = {"HX-Request": "true"}


@pytest.fixture
def people() -> dict[str, User]:
    return make_roles()


@pytest.fixture
def things(people) -> dict[str, Any]:
    return make_things(people["owner"])


def answers(client: Client, path: str, lead: Lead, headers: dict[str, str]) -> Iterator[HttpResponseBase]:
    """What looking and sending a form that names the lead and its stage answer; neither leaves a trace."""
    for method, fields in ((client.get, {}), (client.post, {"lead": lead.uid, "stage": lead.stage.slug})):
        with transaction.atomic():
            yield method(path, fields, headers=headers)
            transaction.set_rollback(True)


def strict(response: HttpResponseBase) -> bool:
    """Whether the answer forbids scripts and styles that are not ours, frames, and to guess what it is."""
    policy = response.headers.get("Content-Security-Policy", "")
    parts = "script-src 'self'" in policy and "style-src 'self'" in policy and "frame-ancestors 'none'" in policy
    return parts and "unsafe" not in policy and response.headers.get("X-Content-Type-Options") == "nosniff"


def test_every_address_says_whom_it_is_for():
    assert set(addresses()) == set(TABLE)


@pytest.mark.parametrize("gone", [False, True], ids=["signed out", "no longer active"])
def test_a_visitor_is_sent_to_sign_in(people, things, gone):
    client = Client()
    if gone:
        client.force_login(people["owner"])
        User.objects.filter(pk=people["owner"].pk).update(is_active=False)
    for address, whom in TABLE.items():
        if whom == VISITORS:
            continue
        path = path_of(address, things)
        for answer in (client.get(path), client.post(path)):
            assert (path, answer.status_code, answer.headers.get("Location", "")[:7]) == (path, 302, "/login/")
            assert strict(answer), path
        part = client.get(path, headers=PART, follow=True)
        assert (path, part.headers.get("HX-Redirect", "")[:7]) == (path, "/login/")


@pytest.mark.parametrize("role", ROLES)
def test_what_is_not_for_somebody_does_not_exist_for_them(role, people, things):
    """Neither as a page, nor as a part of one, nor by sending a form."""
    client = Client(raise_request_exception=False)
    client.force_login(people[role])
    wrong = []
    for address, whom in TABLE.items():
        if whom in (VISITORS, OWN):
            continue
        path, theirs = path_of(address, things), role in WHO[whom]
        found = [answer for head in ({}, PART)[: 2 - theirs] for answer in answers(client, path, things["lead"], head)]
        known = {answer.status_code for answer in found} - {405}
        right = theirs is not (known == {404}) and known and max(known) < 500 and 403 not in known
        if not right or not all(map(strict, found)):
            wrong.append(f"{path}: {[answer.status_code for answer in found]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["outsider", "stranger", "manager", "admin"])
def test_what_is_somebodys_own_does_not_exist_for_anybody_else(role, people, things):
    client = Client()
    client.force_login(people[role])
    for address in ("board/<slug:slug>/views/<int:pk>/forget/", "my/inbox/<int:pk>/open/"):
        assert (address, client.post(path_of(address, things)).status_code) == (address, 404)
    client.post(path_of("my/inbox/<int:pk>/read/", things))
    client.post("/my/inbox/read/", {"newest": things["message"].pk})
    things["message"].refresh_from_db()
    assert things["message"].read_at is None
    client.force_login(people["owner"])
    assert client.post(path_of("my/inbox/<int:pk>/open/", things)).headers["Location"].startswith("/leads/")


# --- Forms without their token -------------------------------------------------------------------


def test_a_form_without_its_token_does_nothing_anywhere(people, things):
    """Machines that post have no session; what they send proves itself instead."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["admin"])
    everywhere = [path_of(address, things) for address in TABLE if address not in MACHINES] + admin_paths(people)
    let_in = [path for path in everywhere if client.post(path, {"next": "/"}).status_code != 403]
    let_in += [path for path in everywhere[: len(TABLE) - len(MACHINES)] if client.delete(path).status_code != 403]
    assert let_in == []


def test_being_signed_in_opens_nothing_that_is_for_machines(people, things):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["admin"])
    for address in MACHINES:
        if address.startswith(("api/v1/leads", "hooks/")):
            path = path_of(address, things)
            answer = client.post(path, "{}", content_type="application/json")
            assert answer.status_code in (401, 403, 404, 405), path


# --- The admin -----------------------------------------------------------------------------------


def admin_paths(people: dict[str, User]) -> list[str]:
    """Every address of the admin, of the first thing of each kind."""
    found = []
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == "admin/":
            found = list(addresses(pattern, "admin/", but=""))
    first = {
        f"admin/{model._meta.app_label}/{model._meta.model_name}/": getattr(model._default_manager.first(), "pk", 1)
        for model in admin.site._registry
    }
    return [
        filled(address, next((pk for start, pk in first.items() if address.startswith(start)), 1)) for address in found
    ]


def filled(address: str, pk: object) -> str:
    """An address of the admin with numbers for its names and patterns."""
    patterns = {"^([^/]+)/history/([^/]+)/$": f"{pk}/history/1/", "(?P<url>.*)$": "nothing/"}
    for pattern, value in patterns.items():
        address = address.replace(pattern, value)
    if "(?P<app_label>" in address:
        address = "admin/pipeline/"
    for name in ("<path:object_id>", "<object_pk>", "<id>", "<int:pk>", "<int:source_id>", "<path:content_type_id>"):
        address = address.replace(name, str(pk))
    for name in ("<user_id>", "<group_id>", "<int:key_id>"):
        address = address.replace(name, "1")
    return f"/{address}"


# What the admin shows to whoever is staff, whatever else they may do.
FOR_ALL_STAFF: Final = {
    *("/admin/", "/admin/login/", "/admin/logout/", "/admin/jsi18n/", "/admin/search/"),
    *("/admin/password_change/", "/admin/password_change/done/"),
}


@pytest.mark.parametrize("role", ["signed out", "outsider", "manager"])
def test_nobody_but_staff_opens_anything_of_the_admin(role, people, things):
    client = Client()
    if role in people:
        client.force_login(people[role])
    for path in set(admin_paths(people)) - {"/admin/login/", "/admin/logout/"}:
        for answer in (client.get(path), client.post(path)):
            where = answer.headers.get("Location", "").split("?")[0]
            assert (path, answer.status_code, where) == (path, 302, "/admin/login/")


def test_staff_whom_nothing_was_allowed_open_nothing_of_the_admin(people, things):
    people["outsider"].is_staff = True
    people["outsider"].save()
    client = Client()
    client.force_login(people["outsider"])
    wrong = []
    for path in admin_paths(people):
        if path in FOR_ALL_STAFF:
            continue
        for method in (client.get, client.post):
            with transaction.atomic():
                answer = method(path)
                transaction.set_rollback(True)
            # To the front page; or, of an address as it was written in older versions, to the one that it has now.
            moved = answer.headers.get("Location", "") in ("/admin/", f"{path}change/")
            if answer.status_code not in (403, 404, 405) and not moved:
                wrong.append(f"{path}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_the_roles_of_the_table_are_those_of_the_world(people):
    assert set(people) == WHO[ANYBODY]
