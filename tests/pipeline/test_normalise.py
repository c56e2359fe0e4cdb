import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.text import Unreadable, clean
from pipeline.normalise import Email, Phone, normalise_website, parse_email, parse_phone


@pytest.mark.parametrize(
    ("raw", "address", "name"),
    [
        ("FP@odoo.com", "fp@odoo.com", ""),
        ('"Fab" <fp@ODOO.COM>', "fp@odoo.com", "Fab"),
        ("Fab Pinckaers <fp@odoo.com>", "fp@odoo.com", "Fab Pinckaers"),
        ("Dr. Last, First <fp@odoo.com>", "fp@odoo.com", "Dr. Last, First"),
        ("<fp@odoo.com>", "fp@odoo.com", ""),
        ("mailto:fp@odoo.com", "fp@odoo.com", ""),
        (" fp@odoo.com\n", "fp@odoo.com", ""),
        ("fp\u200b@odoo.com", "fp@odoo.com", ""),
        ("jo@münchen.de", "jo@xn--mnchen-3ya.de", ""),
        ("JO@MÜNCHEN.DE", "jo@xn--mnchen-3ya.de", ""),
        ("o'brien+tag@sub.example.com", "o'brien+tag@sub.example.com", ""),
        ("rep@acme.test", "rep@acme.test", ""),
        ("rep@acme.example", "rep@acme.example", ""),
    ],
)
def test_an_address_has_one_form_however_it_was_written(raw, address, name):
    assert parse_email(raw) == Email(address, name)


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        ("", "@-sign"), ("nobody", "@-sign"), ("a@b", "domain"), ("a@b..com", "two periods"), ("@b.com",
        "before the @"),
        ("a b@c.com", "SPACE"), ("a@x.com, b@y.com", "one e-mail"), ("a@localhost", "cannot be used"),
        ("a@10.0.0.1", "public"),
        ("a@[10.0.0.1]", "not"), ("a@printer.local", "cannot be used"), ("x" * 500 + "@a.com", "one e-mail"),
        ("a@x.1", "domain"), (f"{'x' * 65}@a.com", "too long"), ("a\x00b", "@-sign"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused_with_the_reason(raw, hint):
    with pytest.raises(Unreadable, match=hint):
        parse_email(raw)


@pytest.mark.parametrize(
    ("raw", "default_country", "phone"),
    [
        ("+1 202 555 0123", "", Phone("+12025550123", "US", "")),
        ("(202) 555-0123", "US", Phone("+12025550123", "US", "")),
        ("tel:+1-202-555-0123", "", Phone("+12025550123", "US", "")),
        ("tel:%2B12025550123", "DE", Phone("+12025550123", "US", "")),
        ("0049 30 901820", "", Phone("+4930901820", "DE", "")),
        ("0049 30 901820", "DE", Phone("+4930901820", "DE", "")),
        ("0049 30 901820", "US", Phone("+4930901820", "DE", "")),
        ("011 49 30 901820", "US", Phone("+4930901820", "DE", "")),
        ("+49 (0)30 901820", "", Phone("+4930901820", "DE", "")),
        ("030 901820 ext. 12", "DE", Phone("+4930901820", "DE", "12")),
        ("+1 613 555 0123", "US", Phone("+16135550123", "CA", "")),
        ("+7 701 123 4567", "RU", Phone("+77011234567", "KZ", "")),
        ("+٤٩٣٠٩٠١٨٢٠", "", Phone("+4930901820", "DE", "")),
        ("＋４９３０９０１８２０", "", Phone("+4930901820", "DE", "")),
        ("+247 40123", "", Phone("+24740123", "SH", "")),
        ("+800 1234 5678", "", Phone("+80012345678", "", "")),
        ("1-800-FLOWERS", "US", Phone("+18003569377", "US", "")),
    ],
)
def test_a_phone_number_has_one_form_and_tells_its_country(raw, default_country, phone):
    assert parse_phone(raw, default_country) == phone


@pytest.mark.parametrize(
    ("raw", "default_country", "hint"),
    [
        ("030 901820", "", "no country code"), ("", "DE", "not a phone number"), ("call me", "", "not a phone number"),
        ("+49 1", "", "number"), ("1234567890", "US", "in use in United States"), ("+999 123", "", "country code"),
        ("+1" * 300, "", "too long"), ("+49" + "1" * 30, "", "too long"), ("0000", "DE", "number"),
        ("123", "XX", "country code"), ("\x00", "", "not a phone number"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_refused_with_the_reason(raw, default_country, hint):
    with pytest.raises(Unreadable, match=hint):
        parse_phone(raw, default_country)


@pytest.mark.parametrize(
    ("raw", "website"),
    [
        ("acme.com", "https://acme.com"),
        ("HTTP://WWW.Acme.com/", "https://www.acme.com"),
        ("//acme.com/team/", "https://acme.com/team"),
        ("https://acme.com/a b?utm_source=x#top", "https://acme.com/a%20b"),
        ("acme.com:8080", "https://acme.com"),
        ("https://www.linkedin.com/company/acme", "https://www.linkedin.com/company/acme"),
        ("münchen.de", "https://xn--mnchen-3ya.de"),
        ("https://acme.com/%7Ejo", "https://acme.com/%7Ejo"),
    ],
)
def test_a_website_becomes_a_link_that_is_safe_to_click(raw, website):
    assert normalise_website(raw) == website


@pytest.mark.parametrize(
    "raw",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "ftp://acme.com", "mailto:a@acme.com",
        "", "acme",
        "http://127.0.0.1/", "http://[::1]/", "http://[", "http://2130706433/", "http://localhost/",
        "https://user:pw@acme.com",
        "a@acme.com", "acme com", "http://-.com", "http://", "java\u200bscript:alert(1)",
        "https://acme.com/" + "x" * 400,
    ],
)  # fmt: skip
def test_what_is_no_public_website_is_refused(raw):
    with pytest.raises(Unreadable, match="should"):
        normalise_website(raw)


READERS = (
    lambda text: parse_email(text).address,
    lambda text: parse_phone(text, "US").e164,
    normalise_website,
)


@given(
    st.text(st.characters()) | st.emails() | st.from_regex(r"\+?[0-9() -]{5,16}") | st.from_regex(r"(https?:)?//?\S+")
)
def test_any_text_is_refused_clearly_or_read_for_good(text):
    for read in READERS:
        try:
            once = read(text)
        except Unreadable as refusal:
            assert str(refusal).startswith('"')  # noqa: PT017
        else:
            assert read(once) == once


@pytest.mark.data
def test_naughty_strings_are_read_or_refused(data_dir: Path):
    for text in json.loads((data_dir / "hard_inputs" / "blns.json").read_text()):
        for read in READERS:
            try:
                assert "\x00" not in read(text)
            except Unreadable as refusal:
                assert len(str(refusal)) < 300  # noqa: PT017


@pytest.mark.data
def test_real_addresses_are_judged_as_a_mail_server_would(data_dir: Path):
    for case in json.loads((data_dir / "hard_inputs" / "emails.json").read_text()):
        address, kind = case["input"], case["upstream_test"]
        if kind in ("test_email_valid", "test_email_valid_intl_local_part") and not address.startswith(('"', "\uff20")):
            assert email_local_part(parse_email(address).address) == email_local_part(
                case["normalized_or_error"].lower()
            )
        if kind in REFUSED and "<" not in address and ".test" not in address and address == clean(address):
            with pytest.raises(Unreadable):
                parse_email(address)


REFUSED = ("test_email_invalid_syntax", "test_email_invalid_syntax_strict", "test_email_invalid_reserved_domain")


def email_local_part(address: str) -> str:
    return address.rpartition("@")[0]


@pytest.mark.data
def test_phone_numbers_of_every_country_are_read(data_dir: Path):
    with (data_dir / "hard_inputs" / "phones.csv").open(encoding="utf-8", newline="") as stream:
        cases = [row for row in csv.DictReader(stream) if row["valid"] == "true"]
    assert len(cases) > 2000
    for case in cases:
        default_country = case["default_region"] if case["default_region"] not in ("ZZ", "001") else ""
        phone = parse_phone(case["input"], default_country)
        extension = f";ext={phone.extension}" if phone.extension else ""
        assert phone.e164 + extension == case["e164"], case
