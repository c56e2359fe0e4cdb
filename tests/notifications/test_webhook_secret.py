"""The secret of a webhook: shown once, made anew on request, and checked as the docs tell a receiver to."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from notifications.channels.webhook import secret_of
from notifications.models import ContactAddress, Notification
from notifications.services import deliver
from tests.distribution.setups import make_rep
from tests.notifications.messages import NOW
from tests.pipeline.people import signed_in
from tests.support.peers import Answer, HttpPeer, running

pytestmark = pytest.mark.django_db

PAGE = "/my/notifications/"
DOCS = Path(__file__).parents[2] / "docs" / "notifications.md"


def read_docs():
    """The function that the docs give to receivers."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict = {}
    exec(code, names)  # noqa: S102 - our own docs
    return names["is_genuine"]


@pytest.fixture
def receiver(settings, clock):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with running(HttpPeer()) as peer:
        yield peer


@pytest.fixture
def user(db):
    return make_rep("Sam Rivera").user


@pytest.fixture
def browser(user):
    return signed_in(user)


def save(browser, receiver, path="/hook"):
    return browser.post(f"{PAGE}webhook/", {"address": f"{receiver.url}{path}"})


def shown(answer) -> list[str]:
    return re.findall(r'value="(whsec_[^"]+)"', answer.content.decode())


def told(user, receiver):
    """What the receiver gets of one message."""
    ContactAddress.objects.filter(user=user).update(verified_at=NOW)
    key = f"told:{Notification.objects.count()}"
    Notification.objects.create(user=user, kind="mention", key=key, channel="webhook", next_at=NOW)
    deliver("webhook")
    return receiver.seen[-1]


def test_the_secret_is_shown_when_the_address_is_saved_and_never_again(browser, receiver):
    answer = save(browser, receiver)
    assert len(shown(answer)) == 1
    assert "no-store" in answer["Cache-Control"]
    assert shown(browser.get(PAGE)) == []


def test_it_is_shown_also_when_the_receiver_refuses_what_it_cannot_check_yet(browser, receiver):
    receiver.answers = [Answer(401)]
    answer = save(browser, receiver)
    assert (answer.status_code, len(shown(answer))) == (422, 1)


def test_the_proof_and_every_message_can_be_checked_by_the_function_of_the_docs(browser, user, receiver):
    [secret] = shown(save(browser, receiver))
    is_genuine = read_docs()
    for seen in (receiver.seen[-1], told(user, receiver)):
        assert is_genuine(seen.headers, seen.body, secret)
        assert not is_genuine(seen.headers, seen.body + b" ", secret)
        assert not is_genuine(seen.headers, seen.body, secret_of("https://other.example", "x"))
        assert not is_genuine({**seen.headers, "webhook-signature": ""}, seen.body, secret)


def test_an_old_message_is_not_taken_for_a_new_one(browser, user, receiver, clock):
    [secret] = shown(save(browser, receiver))
    seen = told(user, receiver)
    clock.shift(timedelta(minutes=6))
    assert not read_docs()(seen.headers, seen.body, secret)


def test_a_new_secret_is_shown_once_and_ends_the_old_one(browser, user, receiver):
    [old] = shown(save(browser, receiver))
    [new] = shown(browser.post(f"{PAGE}webhook/secret/"))
    assert new != old
    assert shown(browser.get(PAGE)) == []
    seen = told(user, receiver)
    assert read_docs()(seen.headers, seen.body, new)
    assert not read_docs()(seen.headers, seen.body, old)


def test_another_address_and_one_that_was_removed_have_another_secret(browser, receiver, clock):
    secrets = shown(save(browser, receiver))
    clock.shift(timedelta(minutes=2))
    secrets += shown(save(browser, receiver, "/other"))
    clock.shift(timedelta(minutes=2))
    browser.post(f"{PAGE}webhook/forget/")
    secrets += shown(save(browser, receiver))
    assert len(set(secrets)) == 3


def test_saved_again_it_keeps_its_secret(browser, receiver, clock):
    save(browser, receiver)
    clock.shift(timedelta(minutes=2))
    assert shown(save(browser, receiver)) == []


def test_without_a_webhook_there_is_no_secret(browser):
    assert shown(browser.post(f"{PAGE}webhook/secret/")) == []


def test_the_database_alone_does_not_tell_the_secret(browser, receiver, settings):
    [secret] = shown(save(browser, receiver))
    row = ContactAddress.objects.get()
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-this"
    assert secret_of(row.address, row.signing_salt) != secret
