"""What messages say: the default texts, an installation's own, and what user text can never do to them."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.models import Offer
from notifications.content import combined, content_of, fill_in
from notifications.defaults import LANGUAGES, default_words
from notifications.fields import EMPTY, FIELDS, SAMPLE
from notifications.kinds import KINDS
from notifications.models import ActionLink, MessageTemplate, Notification
from notifications.smslength import sms_length
from pipeline.models import Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW

CHANNELS = ("email", "sms", "in_app")
PEOPLE_KINDS = [kind.key for kind in KINDS.values() if kind.channels]


def message(rep, kind="assigned", channel="email", lead=None, language="en", **data) -> Notification:
    lead = lead or make_lead(
        first_name="Ada",
        last_name="Lovelace",
        job_title="CTO",
        company="Engines Ltd",
        phone="+442071234567",
        email="ada@engines.example",
        product="Analytics",
        score=82,
        message="Call me.\nToday.",
        owner=rep.user,
        routing_state="assigned",
        routing_sentence="Next in turn in the pool London.",
        respond_by=NOW + timedelta(minutes=12),
    )
    event = Event.objects.create(lead=lead, kind="lead.assigned", at=NOW, data=data)
    return Notification(kind=kind, user=rep.user, channel=channel, lead=lead, event=event, language=language)


@pytest.fixture
def rep(db):
    return make_rep("Sam Rivera", time_zone="Europe/Berlin")


# --- The default texts ---------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", PEOPLE_KINDS)
def test_every_kind_says_something_in_every_language(kind, language, channel):
    assert kind in LANGUAGES[language].openings
    said = fill_in(default_words(kind, channel, language), channel, SAMPLE)
    assert said.subject
    assert said.text
    assert "\n" not in said.subject
    fill_in(default_words(kind, channel, language), channel, EMPTY)


def test_languages_differ_only_in_their_words():
    assert {frozenset(language.openings) for language in LANGUAGES.values()} == {frozenset(PEOPLE_KINDS)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_lead_fits_into_few_text_messages(language):
    said = fill_in(default_words("assigned", "sms", language), "sms", SAMPLE)
    assert sms_length(said.text).segments <= 2


# --- What a message to a rep says ----------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_lead_is_told_with_all_that_is_needed_to_call(rep):
    said = content_of(message(rep), NOW)
    assert said.subject == "New lead: Ada Lovelace"
    for part in (
        "CTO, Engines Ltd",
        "Analytics",
        "82 (from web)",
        "answer by 10:12, 12 min left",  # 09:12 UTC in Berlin
        "Next in turn in the pool London.",
        "Call me.\nToday.",
        "tel:+442071234567",
        "/act/",
        "/leads/",
    ):
        assert part in said.text
    assert "Call me.<br>Today." in said.html


@pytest.mark.django_db
def test_a_promise_that_has_passed_says_how_long_ago(rep):
    assert "was to be answered by 10:12, 48 min ago" in content_of(message(rep), NOW + timedelta(hours=1)).text


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "word"), [("de", "noch 12 min"), ("fr", "dans 12 min"), ("xx", "12 min left")])
def test_a_message_is_in_the_readers_language_or_else_in_english(rep, language, word):
    assert word in content_of(message(rep, language=language), NOW).text


@pytest.mark.django_db
def test_a_message_that_is_tried_again_carries_the_same_links(rep):
    row = message(rep, channel="sms")
    assert content_of(row, NOW).text == content_of(row, NOW).text
    assert sorted(ActionLink.objects.values_list("action", flat=True)) == ["accept", "decline", "snooze"]


@pytest.mark.django_db
def test_in_the_app_a_message_carries_no_link_that_works_without_signing_in(rep):
    assert "/act/" not in content_of(message(rep, channel="in_app"), NOW).text
    assert not ActionLink.objects.exists()


@pytest.mark.django_db
def test_who_may_not_read_a_lead_is_told_its_name_only(rep):
    row = message(rep, kind="reassigned_away", reason="on leave")
    row.user = make_rep("Former Owner").user
    said = content_of(row, NOW)
    assert said.subject == "Ada Lovelace went to somebody else"
    for secret in ("+442071234567", "ada@engines.example", "Engines", "Call me", "/leads/"):
        assert secret not in said.text + said.html


@pytest.mark.django_db
def test_a_lead_up_for_claim_is_told_without_its_phone_and_email(rep):
    lead = make_lead(last_name="Novak", phone="+4930123456", company="Nov Ltd", routing_state="claimable")
    Offer.objects.create(lead=lead, rep=rep, offered_at=NOW)
    said = content_of(message(rep, kind="offered", lead=lead), NOW)
    assert "Nov Ltd" in said.text
    assert "/act/" in said.text
    assert "+4930123456" not in said.text + said.html


@pytest.mark.django_db
def test_a_message_about_no_lead_says_its_sentence(rep):
    row = Notification(
        kind="delivery_failing", user=rep.user, channel="email", data={"sentence": "Slack says no."}, language="en"
    )
    assert "Slack says no." in content_of(row, NOW).text


# --- An installation's own templates -------------------------------------------------------------


@pytest.mark.django_db
def test_an_own_template_goes_before_the_default_and_one_for_the_channel_before_one_for_all(rep):
    MessageTemplate.objects.create(kind="assigned", language="en", subject="Ours", text="For all: {{ lead }}")
    assert content_of(message(rep), NOW).text == "For all: Ada Lovelace"
    MessageTemplate.objects.create(kind="assigned", channel="sms", language="en", text="By SMS: {{ lead }}")
    assert content_of(message(rep, channel="sms"), NOW).text == "By SMS: Ada Lovelace"
    assert "Neuer Lead" in content_of(message(rep, language="de"), NOW).subject
    MessageTemplate.objects.update(active=False)
    assert "New lead" in content_of(message(rep), NOW).subject


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "own", "goes"),
    [
        ("it", ["en"], "en"),  # as the default text would be
        ("it", ["en", "it"], "it"),
        ("de", ["en"], ""),  # the default text in German
        ("", ["en"], "en"),
    ],
)
def test_an_own_template_stands_in_for_the_default_text_of_its_language(rep, language, own, goes):
    for each in own:
        MessageTemplate.objects.create(kind="assigned", language=each, subject="x", text=f"Own words in {each}")
    text = content_of(message(rep, language=language)).text
    assert text == f"Own words in {goes}" if goes else "Own words" not in text


@pytest.mark.django_db
def test_a_template_that_became_unreadable_gives_way_to_the_default(rep):
    MessageTemplate.objects.create(kind="assigned", language="en", text="{% load os %}")
    assert content_of(message(rep), NOW).subject == "New lead: Ada Lovelace"


@pytest.mark.django_db
def test_an_approved_template_gets_its_places_filled_by_number(rep):
    MessageTemplate.objects.create(
        kind="assigned",
        channel="whatsapp",
        language="en",
        text="Hi {{ reader }}, {{ lead }} of {{ company }} waits.",
        content_sid="HX1",
    )
    said = content_of(message(rep, channel="whatsapp"), NOW)
    assert said.content_sid == "HX1"
    assert said.content_variables == {"1": "-", "2": "Ada Lovelace", "3": "Engines Ltd"}


def test_several_messages_become_one_with_a_frame_around_all():
    contents = [fill_in(default_words("reply", "email", "en"), "email", SAMPLE)] * 3
    whole = combined(contents, "en")
    assert whole.subject == "3 messages: Ada Lovelace replied"
    assert whole.html.count('class="sheet"') == 3
    assert whole.html.count("<!doctype html>") == 1


# --- What user text can never do -----------------------------------------------------------------


class Shape(HTMLParser):
    """The elements of a page with their attributes' names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[object] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.found.append((tag, [name for name, _ in attrs]))

    def handle_endtag(self, tag):
        self.found.append(tag)


EVIL = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from(
        [
            '"><script>alert(1)</script>',
            "' onmouseover='x",
            "</td></table>",
            "{{ name }}{% load x %}",
            "a\r\nBcc: b@c.d",
            "a\u2028b\x85c\x0bd",
            "\u202eevil",
            "&lt;b&gt;",
        ]
    ),
)


@given(evil=EVIL, kind=st.sampled_from(PEOPLE_KINDS))
def test_no_value_can_break_out_of_html_or_add_a_line_to_a_subject(evil, kind):
    template = default_words(kind, "email", "en")
    harmless = combined([fill_in(template, "email", dict.fromkeys(FIELDS, "x"))])
    said = combined([fill_in(template, "email", dict.fromkeys(FIELDS, evil))])
    assert Shape(said.html).found == Shape(harmless.html).found
    assert len(said.subject.splitlines()) <= 1


@pytest.mark.django_db
def test_user_text_adds_no_lines_and_no_invisible_characters_to_a_message(rep):
    lead = make_lead(
        last_name="A\nhttp://evil.example\nB", company="\u202egnp.exe", owner=rep.user, routing_state="assigned"
    )
    said = content_of(message(rep, channel="sms", lead=lead), NOW).text
    assert said.splitlines()[0] == "New lead: A http://evil.example B"
    assert "\u202e" not in said


@pytest.mark.django_db
def test_a_long_text_is_bounded(rep):
    lead = make_lead(last_name="x", message="y" * 50_000, owner=rep.user, routing_state="assigned")
    assert len(content_of(message(rep, lead=lead), NOW).text) < 5000
    assert len(content_of(message(rep, channel="sms", lead=lead), NOW).text) <= 1600
