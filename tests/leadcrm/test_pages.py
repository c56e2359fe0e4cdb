"""What every page has in common: the frame, the policy for scripts, and the pages for what went wrong."""

import pytest
from django.test import Client
from django.urls import include, path

from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


def break_down(request):
    raise RuntimeError("broken on purpose")


urlpatterns = [path("broken/", break_down), path("", include("leadcrm.urls"))]


def policy(response):
    parts = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: set(values) for name, *values in parts}


@pytest.mark.parametrize("address", ["/login/", "/board/", "/nowhere/"])
def test_no_page_outside_the_admin_allows_inline_scripts_or_styles(address):
    rules = policy(signed_in(make_people().owner).get(address, follow=True))
    assert rules["script-src"] == rules["style-src"] == {"'self'"}
    assert rules["frame-ancestors"] == {"'none'"}


@pytest.mark.parametrize("address", ["/login/", "/board/"])
def test_no_page_has_inline_scripts_styles_or_handlers(address):
    client = Client() if address == "/login/" else signed_in(make_people().owner)
    page = client.get(address).content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=")


def test_an_unknown_address_has_a_page_that_leads_back():
    response = Client().get("/nowhere/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_a_form_without_its_token_changes_nothing_and_says_why():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"username": "owner", "password": "secret"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_signing_out_needs_a_form():
    assert signed_in(make_people().owner).get("/logout/").status_code == 405


@pytest.mark.urls(__name__)
def test_a_breakdown_has_a_page_that_needs_nothing_of_what_broke(django_assert_num_queries):
    client = Client(raise_request_exception=False)
    with django_assert_num_queries(0):
        response = client.get("/broken/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_only_staff_are_shown_the_way_to_the_admin():
    people = make_people()
    assert 'href="/admin/"' not in signed_in(people.owner).get("/board/").content.decode()
    people.owner.is_staff = True
    people.owner.save()
    assert 'href="/admin/"' in signed_in(people.owner).get("/board/").content.decode()


def test_who_may_not_open_the_admin_is_told_so_and_offered_the_ways_on():
    client = signed_in(make_people().owner)
    response = client.get("/admin/pipeline/lead/", follow=True)
    page = response.content.decode()
    assert response.status_code == 403
    assert "This account may not open the admin" in page
    assert "Owner Person" in page
    assert 'href="/board/"' in page
    assert 'type="password"' not in page
    signed_out = client.post("/logout/", {"next": response.context["next"]}, follow=True)
    assert signed_out.redirect_chain[-1][0] == "/admin/login/?next=/admin/pipeline/lead/"
    assert 'type="password"' in signed_out.content.decode()


def test_staff_and_strangers_get_the_admin_and_its_sign_in():
    people = make_people()
    assert 'type="password"' in Client().get("/admin/", follow=True).content.decode()
    people.owner.is_staff = True
    people.owner.save()
    assert signed_in(people.owner).get("/admin/login/?next=/admin/").headers["Location"] == "/admin/"


# --- The head of every page --------------------------------------------------------------------


@pytest.mark.parametrize(("chosen", "told"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"')])
def test_light_or_dark_is_chosen_in_the_head_and_kept_in_the_browser(chosen, told):
    client = signed_in(make_people().owner)
    response = client.post("/appearance/", {"theme": chosen, "next": "/my/inbox/"})
    assert response.headers["Location"] == "/my/inbox/"
    assert told in client.get("/board/").content.decode()


@pytest.mark.parametrize("chosen", ["", "rubbish", '"><script>'])
def test_any_other_choice_lets_the_device_decide_again(chosen):
    client = Client()
    client.post("/appearance/", {"theme": "dark"})
    client.post("/appearance/", {"theme": chosen})
    assert "data-theme" not in client.get("/login/").content.decode()


def test_a_forged_cookie_for_the_appearance_is_ignored():
    client = Client()
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get("/login/").content.decode()


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("0", 0), ("", -1), ("-1", -1), ("1.5", -1), ("٣", -1), ("²", -1), ("9" * 19, -1)]
)
def test_a_number_of_an_address_is_read_and_anything_else_is_none(text, number):
    from leadcrm.lib.pages import number_of

    assert number_of(text, -1) == number
