"""Links in messages, over real HTTP: what they do, and everything that must not do anything."""

import re
import threading
from datetime import timedelta

import pytest
import requests
import time_machine
from django.utils import timezone

from distribution.models import Assignment, Offer
from distribution.services import assign_lead
from notifications import links
from notifications.models import ActionLink
from notifications.services import prune
from notifications.services.pressing import press as press_link
from pipeline.models import Event, Lead
from tests.distribution.setups import make_pool, make_rep
from tests.distribution.world import make_lead, world

pytestmark = pytest.mark.django_db(transaction=True)


TIMEOUT = 30  # seconds


@pytest.fixture(autouse=True)
def _without_tls(settings):
    settings.CSRF_COOKIE_SECURE = False


@pytest.fixture
def rep():
    return make_rep("Sam Rivera")


@pytest.fixture
def lead(rep):
    """A lead that the rep has, and did not accept yet; Kim is next."""
    world(rep, "Kim Novak")
    lead = make_lead(first_name="Ada", last_name="Lovelace", company="Engines Ltd", phone="+442071234567")
    assign_lead(lead.pk)
    lead.refresh_from_db()
    return lead


def link(lead, rep, action="accept", **more) -> ActionLink:
    defaults = {"expires_at": timezone.now() + timedelta(hours=1)}
    return ActionLink.objects.create(action=action, user=rep.user, lead=lead, **{**defaults, **more})


def address(live_server, row: ActionLink) -> str:
    return f"{live_server.url}/act/{links.token_of(row)}/"


def look(url: str) -> requests.Response:
    return requests.get(url, timeout=TIMEOUT)


def press(url: str, **data) -> requests.Response:
    """What a phone does: get the page, and send its form."""
    with requests.Session() as phone:
        page = phone.get(url, timeout=TIMEOUT)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        return phone.post(
            url, {**data, "csrfmiddlewaretoken": token[1] if token else ""}, headers={"Referer": url}, timeout=TIMEOUT
        )


def standing(lead: Lead) -> tuple[object, ...]:
    lead.refresh_from_db()
    return (lead.owner_id, lead.accepted_at, lead.snoozed_until, lead.version, Event.objects.count())


def test_a_link_accepts_a_lead_without_signing_in(live_server, lead, rep):
    answer = press(address(live_server, link(lead, rep)))
    assert answer.status_code == 200
    assert "You have accepted Ada Lovelace." in answer.text
    assert "tel:+442071234567" in answer.text
    lead.refresh_from_db()
    assert lead.accepted_at


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
@pytest.mark.parametrize("action", ["accept", "decline", "snooze"])
def test_looking_at_a_link_changes_nothing(live_server, lead, rep, method, action):
    row, before = link(lead, rep, action), standing(lead)
    for _ in range(2):
        assert requests.request(method, address(live_server, row), timeout=TIMEOUT).status_code in (200, 403, 405)
    assert standing(lead) == before
    row.refresh_from_db()
    assert row.used_at is None


def test_a_post_without_the_page_before_it_changes_nothing(live_server, lead, rep):
    before = standing(lead)
    assert requests.post(address(live_server, link(lead, rep)), timeout=TIMEOUT).status_code == 403
    assert standing(lead) == before


def test_a_link_works_once(live_server, lead, rep):
    url = address(live_server, link(lead, rep))
    press(url)
    before = standing(lead)
    for answer in (look(url), press(url)):
        assert answer.status_code in (403, 410)  # there is no form any more
    assert "This link was used already. Ada Lovelace is yours, and accepted." in look(url).text
    assert "Call" not in look(url).text  # the number is told once, right after the press
    assert standing(lead) == before


def test_an_expired_link_says_so_and_does_nothing(live_server, lead, rep):
    row = link(lead, rep, expires_at=timezone.now() - timedelta(seconds=1))
    before, answer = standing(lead), look(address(live_server, row))
    assert answer.status_code == 410
    assert "This link has expired." in answer.text
    assert standing(lead) == before


def test_a_link_that_expires_while_its_page_is_open_does_nothing(live_server, lead, rep):
    url, before = address(live_server, link(lead, rep)), standing(lead)
    with requests.Session() as phone:
        page = phone.get(url, timeout=TIMEOUT)
        ActionLink.objects.update(expires_at=timezone.now())
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        assert phone.post(url, {"csrfmiddlewaretoken": token[1]}, timeout=TIMEOUT).status_code == 410
    assert standing(lead) == before


def tampered(token: str) -> list[str]:
    number, _, signature = token.partition(":")
    return [
        f"{int(number) + 1}:{signature}",
        f"{number}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{number}:",
        number,
        f"0{token}",
        f"{token}x",
        "x",
        "%00",
        "1" * 200,
    ]


def test_a_link_that_was_changed_is_none_of_ours(live_server, lead, rep):
    row, before = link(lead, rep), standing(lead)
    link(lead, rep, "decline")
    for token in tampered(links.token_of(row)):
        answer = look(f"{live_server.url}/act/{token}/")
        assert answer.status_code == 404, token
        assert "Ada" not in answer.text
    assert standing(lead) == before


def test_the_page_is_kept_from_search_engines_caches_and_other_sites(live_server, lead, rep):
    headers = look(address(live_server, link(lead, rep))).headers
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]


def test_who_comes_too_late_learns_who_was_faster(live_server):
    sam, kim = make_rep("Sam Rivera"), make_rep("Kim Novak")
    lead = make_lead(last_name="Novak", phone="+4930123456", routing_state="claimable", company="Nov Ltd")
    pool = make_pool("Open", sam, kim, method="claim")
    for rep in (sam, kim):
        Offer.objects.create(lead=lead, rep=rep, pool=pool, offered_at=timezone.now())
    mine, theirs = address(live_server, link(lead, sam)), address(live_server, link(lead, kim))
    assert press(theirs).status_code == 200
    answer = press(mine)
    assert answer.status_code == 409
    assert "Too late: kim.novak has Novak now." in answer.text
    assert "Nothing was changed." in answer.text
    assert "+4930123456" not in answer.text
    assert Assignment.objects.get(ended_at=None).rep == kim


def test_of_two_who_press_the_same_link_at_once_one_does_it(live_server, lead, rep):
    url, answers = address(live_server, link(lead, rep, "decline")), []
    threads = [threading.Thread(target=lambda: answers.append(press(url, reason="busy"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(answer.status_code for answer in answers) == 200
    assert Event.objects.filter(lead=lead, kind="lead.released").count() == 1


def test_of_two_pages_that_were_open_at_once_only_the_first_press_counts(lead, rep):
    row, now = link(lead, rep), timezone.now()
    first, second = (links.read_token(links.token_of(row)) for _ in range(2))
    assert first
    assert second
    assert press_link(first, now)[0]
    assert press_link(second, now) == (False, "This link was used a moment ago.")


def test_a_press_that_could_do_nothing_leaves_the_link_for_another_try(lead, rep):
    kim = make_rep("Kim Second")
    row, now = link(lead, kim), timezone.now()
    assert not press_link(row, now)[0]
    row.refresh_from_db()
    assert row.used_at is None


def test_declining_needs_a_reason_and_gives_the_lead_to_the_next(live_server, lead, rep):
    other = {"Sam Rivera": "Kim Novak", "Kim Novak": "Sam Rivera"}
    holder = Assignment.objects.get(ended_at=None).rep
    row = link(lead, holder, "decline")
    empty = press(address(live_server, row), reason=" ")
    assert empty.status_code == 422
    assert "Say in a few words why" in empty.text
    answer = press(address(live_server, row), reason="on a call")
    assert answer.status_code == 200
    assert Assignment.objects.get(ended_at=None).rep.name == other[holder.name]
    assert Event.objects.get(kind="lead.released").data["reason"] == "on a call"


def test_snoozing_lets_the_lead_rest_until_the_reps_morning(live_server, lead):
    holder = Assignment.objects.get(ended_at=None).rep
    type(holder).objects.filter(pk=holder.pk).update(time_zone="Europe/Berlin")
    row = link(lead, holder, "snooze", expires_at=timezone.now() + timedelta(days=300))
    with time_machine.travel("2027-01-06T10:00:00Z", tick=True):
        assert press(address(live_server, row), until="never").status_code == 422
        answer = press(address(live_server, row), until="tomorrow")
    assert answer.status_code == 200
    lead.refresh_from_db()
    assert lead.snoozed_until.isoformat() == "2027-01-07T08:00:00+00:00"


def test_the_link_of_somebody_who_left_does_nothing(live_server, lead, rep):
    url = address(live_server, link(lead, rep))
    type(rep.user).objects.filter(pk=rep.user_id).update(is_active=False)
    before, answer = standing(lead), look(url)
    assert answer.status_code == 410
    assert standing(lead) == before


def test_links_are_forgotten_a_month_after_they_expired(lead, rep):
    link(lead, rep, expires_at=timezone.now() - timedelta(days=31))
    kept = link(lead, rep, expires_at=timezone.now() - timedelta(days=29))
    prune()
    assert list(ActionLink.objects.all()) == [kept]
