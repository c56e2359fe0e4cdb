"""The postal address below every e-mail to a lead, and who is told that there is none."""

import pytest

from notifications.footer import footer_of, without_address
from notifications.models import GuardPolicy, MessageTemplate, Notification, Sequence
from notifications.services import deliver
from notifications.services.sequences import begin, sweep_sequences
from pipeline.models import Consent, Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW
from tests.notifications.sequences import make_sequence

pytestmark = pytest.mark.django_db
ADDRESS = "Acme <Sales> Ltd\n1 Mill Lane\nOxford OX1 1AA"
IN_HTML = "Acme &lt;Sales&gt; Ltd<br>1 Mill Lane<br>Oxford OX1 1AA"


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def lead():
    owner = make_rep("Ann").user
    lead = make_lead(email="ada@acme.example", country="DE", owner=owner, routing_state="assigned", created_at=NOW)
    Consent.objects.create(lead=lead, channel="email", granted=True, at=NOW)
    GuardPolicy.objects.create(opens=None, closes=None, postal_address=ADDRESS)
    return lead


def written_to(lead, mailoutbox):
    """Both messages of a sequence, as text and as HTML."""
    make_sequence(0, 0)
    begin(Event.objects.create(lead=lead, kind=Event.Kind.ASSIGNED, at=NOW), NOW)
    sweep_sequences(now=NOW)
    sweep_sequences(now=NOW)
    deliver("email", seconds=60)
    return [(mail.body, mail.alternatives[0].content) for mail in mailoutbox]


def test_every_email_of_a_sequence_ends_with_the_postal_address(lead, mailoutbox):
    mails = written_to(lead, mailoutbox)
    assert len(mails) == 2
    for text, html in mails:
        assert text.endswith(f"/\n\n{ADDRESS}")
        assert IN_HTML in html.replace("\n", "")


def test_an_own_template_has_it_too_and_the_timeline_does_not(lead, mailoutbox):
    MessageTemplate.objects.create(kind="first_response", language="en", subject="Hi", text="Hi", html="<p>Hi</p>")
    text, html = written_to(lead, mailoutbox)[0]
    assert text.startswith("Hi\n")
    assert ADDRESS in text
    assert IN_HTML in html.replace("\n", "")
    assert lead.events.filter(kind=Event.Kind.MESSAGED).first().data["text"] == "Hi"


def test_colleagues_get_none(lead, mailoutbox):
    user = lead.owner
    user.email = "ann@sales.example"
    user.save()
    Notification.objects.create(user=user, kind="mention", key="x", channel="email", next_at=NOW)
    deliver("email", seconds=60)
    [mail] = mailoutbox
    assert "Mill Lane" not in mail.body + mail.alternatives[0].content


def test_a_country_may_have_an_address_of_its_own(lead):
    GuardPolicy.objects.create(country="DE", postal_address="Acme GmbH\nBerlin")
    GuardPolicy.objects.create(country="FR")
    assert footer_of(lead, lead.email, "en").address == "Acme GmbH\nBerlin"
    lead.country = "FR"
    assert footer_of(lead, lead.email, "en").address == ADDRESS


def test_without_an_address_nothing_stands_in_its_place(lead):
    GuardPolicy.objects.update(postal_address="")
    footer = footer_of(lead, lead.email, "en")
    assert footer.text == f"Unsubscribe: {footer.leave_url}"


ENOUGH = {
    "nobody is written to": lambda: Sequence.objects.update(active=False),
    "an address": lambda: GuardPolicy.objects.create(postal_address=ADDRESS),
    "other channels": lambda: GuardPolicy.objects.create(channels=["sms"]),
}


def test_who_writes_e_mail_without_an_address_is_told():
    make_sequence(0)
    GuardPolicy.objects.create(country="DE")
    assert [str(policy) for policy in without_address()] == ["Everywhere else", "DE"]


@pytest.mark.parametrize("enough", ENOUGH.values(), ids=ENOUGH)
def test_nobody_is_told_when_no_e_mail_lacks_one(enough):
    make_sequence(0)
    enough()
    assert without_address() == []


def test_no_e_mail_server_is_no_e_mail(settings):
    settings.PRODUCTION, settings.EMAIL_BACKEND = True, "leadcrm.lib.consolemail.EmailBackend"
    make_sequence(0)
    assert without_address() == []
