"""The head of every page: the same ways on from everywhere, and where one is."""

import re

import pytest

from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


def head(user, path, status=200):
    response = signed_in(user).get(path)
    assert response.status_code == status
    page = response.content.decode()
    return page[page.index("<header") : page.index("</header>")]


def marked(header):
    """The addresses of what is marked as the page that one is on."""
    return re.findall(r'href="([^"]+)"[^>]*aria-current="page"', header)


def test_the_ways_on_are_there_where_there_is_no_page(people):
    there, nowhere = head(people.manager, "/my/"), head(people.manager, "/nothing/", 404)
    for way in ("/my/", "/board/", "/team/availability/"):
        assert f'href="{way}"' in there
        assert f'href="{way}"' in nowhere
    assert marked(nowhere) == []
    assert "/team/availability/" not in head(people.owner, "/nothing/", 404)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/my/", ["/my/"]),
        ("/my/fairness/", ["/my/"]),
        ("/board/", ["/board/"]),
        ("/team/availability/", ["/team/availability/"]),
        ("/my/inbox/", ["/my/inbox/"]),
    ],
)
def test_the_page_that_one_is_on_is_marked(people, path, shown):
    assert marked(head(people.manager, path)) == shown


def test_ones_own_availability_is_marked_at_the_status_and_in_the_menu(people):
    assert marked(head(people.owner, "/my/availability/")) == ["/my/availability/"] * 2


def test_a_manager_without_a_rep_profile_is_told_on_which_page_they_are_and_led_to_the_team(people):
    page = signed_in(people.manager).get("/my/fairness/").content.decode()
    assert "<title>My fairness" in page
    assert "nothing to set" not in page
    assert 'href="/team/availability/">See your team' in page
