"""Unsubscribing: the way out in every e-mail to a lead, by its page and by what mail programs do for their users."""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.test import Client

from notifications.content import language_of
from notifications.leaving import WORDS, read_token, url_of
from notifications.models import MessageTemplate, Notification, SequenceRun, Stop
from notifications.services import deliver
from notifications.services.sequences import begin, sweep_sequences
from pipeline.models import Consent, Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.sequences import make_sequence
from tests.support.peers import SmtpPeer, running

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def smtp(settings):
    with running(SmtpPeer()) as peer:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", peer.port, 5
        yield peer


def agreed(**more):
    owner = make_rep("Ann").user
    owner.email = "ann@sales.example"
    owner.save()
    lead = make_lead(
        first_name="Ada",
        email="ada@acme.example",
        country="DE",
        time_zone="Europe/Berlin",
        owner=owner,
        routing_state="assigned",
        created_at=NOW - timedelta(hours=1),
        **more,
    )
    Consent.objects.create(lead=lead, channel="email", granted=True, at=NOW - timedelta(hours=1))
    return lead


def written_to(lead, smtp) -> EmailMessage:
    """The first message of a sequence of two, as it arrives."""
    make_sequence(0, 24)
    begin(Event.objects.create(lead=lead, kind=Event.Kind.ASSIGNED, at=NOW), NOW)
    sweep_sequences(now=NOW)
    deliver("email")
    [mail] = smtp.mails
    return mail


def path_in(mail: EmailMessage) -> str:
    return mail["List-Unsubscribe"].strip(" <>").removeprefix("https://crm.example.com")


def stranger() -> Client:
    """A browser without a session, or the server of a mail program."""
    return Client(enforce_csrf_checks=True)


def part(mail: EmailMessage, kind: str) -> str:
    return str(mail.get_body((kind,)).get_content()).replace("\r\n", "\n")


def test_an_email_to_a_lead_carries_the_way_out_in_its_headers_its_text_and_its_html(smtp):
    mail = written_to(agreed(language="de"), smtp)
    url = mail["List-Unsubscribe"].strip(" <>")
    assert url.startswith("https://crm.example.com/leave/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert part(mail, "plain").rstrip().endswith(f"Abmelden: {url}")
    assert re.search(rf'<a href="{re.escape(url)}"[^>]*>Abmelden</a>', part(mail, "html"))


def test_an_own_template_has_the_way_out_too_and_the_timeline_does_not(smtp):
    lead = agreed()
    MessageTemplate.objects.create(kind="first_response", language="en", subject="Hi", text="Hi", html="<p>Hi</p>")
    mail = written_to(lead, smtp)
    assert part(mail, "plain").startswith("Hi\n\nUnsubscribe: https://")
    assert ">Unsubscribe</a>" in part(mail, "html")
    assert lead.events.get(kind=Event.Kind.MESSAGED).data["text"] == "Hi"


def test_answers_go_to_the_owner(smtp):
    assert written_to(agreed(), smtp)["Reply-To"] == "ann@sales.example"


def test_messages_to_our_own_people_have_no_way_out(smtp):
    Notification.objects.create(user=agreed().owner, kind="mention", key="x", channel="email", next_at=NOW)
    deliver("email")
    [mail] = smtp.mails
    assert (mail["List-Unsubscribe"], mail["Reply-To"]) == (None, None)
    assert "/leave/" not in part(mail, "html") + part(mail, "plain")


def test_looking_at_the_page_changes_nothing(smtp):
    path = path_in(written_to(agreed(language="fr"), smtp))
    for method in (stranger().get, stranger().head):
        assert method(path).status_code == 200
    page = stranger().get(path)
    assert '<html lang="fr">' in page.content.decode()
    assert "ada@acme.example" in page.content.decode()
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in page["Cache-Control"]
    assert not Stop.objects.exists()


def test_the_button_ends_email_to_the_address_and_what_was_under_way(smtp):
    lead = agreed(language="pt")
    path = path_in(written_to(lead, smtp))
    said = stranger().post(path)
    assert (said.status_code, WORDS["pt"].done.format("ada@acme.example") in said.content.decode()) == (200, True)
    assert Stop.objects.get().address == "ada@acme.example"
    assert lead.consents.order_by("-at", "-pk").first().granted is False
    assert SequenceRun.objects.get().end == "stopped"
    line = lead.events.get(kind=Event.Kind.CONSENT)
    assert line.data["sentence"] == "No more messages by E-mail to ada@acme.example: Cancelar a subscrição"


def test_a_mail_program_ends_it_with_one_click(smtp):
    """RFC 8058, 3.2: a POST without a session, with the value of the header, that is not answered by a redirect."""
    path = path_in(written_to(agreed(), smtp))
    said = stranger().post(path, {"List-Unsubscribe": "One-Click"})
    assert said.status_code == 200
    assert Stop.objects.filter(channel="email", lifted_at=None).count() == 1


def test_pressed_twice_it_is_one_stop_and_one_line(smtp):
    lead = agreed()
    path = path_in(written_to(lead, smtp))
    assert [stranger().post(path).status_code for _ in range(2)] == [200, 200]
    assert (Stop.objects.count(), lead.events.filter(kind=Event.Kind.CONSENT).count()) == (1, 1)


def test_the_next_message_is_not_sent(smtp):
    lead = agreed()
    stranger().post(path_in(written_to(lead, smtp)))
    row = Notification.objects.create(lead=lead, kind="follow_up", key="late", channel="email", next_at=NOW)
    deliver("email")
    row.refresh_from_db()
    assert (row.state, row.reason, len(smtp.mails)) == ("suppressed", "The receiver unsubscribed.", 1)


@pytest.mark.parametrize("change", [str.upper, lambda text: text[:-3], lambda text: text.replace(":", "")])
def test_a_link_that_was_changed_stops_nobody(change):
    token = url_of("ada@acme.example", "en").split("/")[-2]
    said = stranger().post(f"/leave/{change(token)}/")
    assert (said.status_code, Stop.objects.exists()) == (404, False)
    assert b"not complete" in said.content


@pytest.mark.parametrize("language", ["", "xx", "it"])
def test_a_language_that_we_do_not_speak_is_english(language):
    row = Notification(lead=make_lead(language=language), kind="follow_up", channel="email", language=language)
    way = read_token(url_of("a@b.example", language_of(row)).split("/")[-2])
    assert way.words == WORDS["en"]
