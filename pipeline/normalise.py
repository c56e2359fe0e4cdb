"""One written form for the ways to reach a lead: e-mail, phone and website."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from leadcrm.lib.places import countries
from leadcrm.lib.text import Unreadable, clean, quoted
from pipeline.domains import public_host

_LONGEST_EMAIL = 400  # a display name and an address of 254
_LONGEST_PHONE = 100
_LONGEST_WEBSITE = 300
_DISPLAY_NAME = re.compile(r"\"?(?P<name>[^<>]*?)\"? *<(?P<address>[^<>]+)>")
# A colon before digits is a port, not the end of a scheme.
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)
# Places with a number range of their own but no country code of their own; 001 stands for world-wide numbers.
_PHONE_REGIONS = {"AC": "SH", "TA": "SH", "001": ""}
_PHONE_FAULTS = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: "has no country code we know. Write it as +49 30 123456",
    phonenumbers.NumberParseException.NOT_A_NUMBER: "is not a phone number. Write it as +49 30 123456",
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: "is too short for a phone number",
    phonenumbers.NumberParseException.TOO_SHORT_NSN: "is too short for a phone number",
    phonenumbers.NumberParseException.TOO_LONG: "is too long for a phone number",
}


class Email(NamedTuple):
    """An address in lower case with an ASCII domain, and the name that stood before it, if any."""

    address: str
    display_name: str


class Phone(NamedTuple):
    """A number in E.164, the country it belongs to ("" for world-wide numbers), and the extension, if any."""

    e164: str
    country: str
    extension: str


def parse_email(raw: str) -> Email:
    """Reads ``fp@odoo.com``, ``mailto:fp@odoo.com`` or ``"Fab" <fp@ODOO.COM>``.

    The whole address becomes lower case: mailboxes that differ only in case do not occur in practice, people who type
    theirs in capitals do. Nothing is looked up in the network.

    Raises:
        Unreadable: when it is no address, or more than one.
    """
    text = re.sub("^mailto:", "", clean(raw), flags=re.IGNORECASE)
    named = _DISPLAY_NAME.fullmatch(text) if len(text) <= _LONGEST_EMAIL else None
    address = named["address"].strip() if named else text
    if len(text) > _LONGEST_EMAIL or address.count("@") > 1:
        raise Unreadable(f"{quoted(raw)} is not one e-mail address. It should look like name@example.com.")
    try:
        # Domains for tests and private networks: the first are fine, the second are refused below.
        read = validate_email(
            address, strict=True, check_deliverability=False, test_environment=True, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise Unreadable(f"{quoted(raw)} is not an e-mail address. {error}") from None
    domain = public_host(read.ascii_domain or read.domain)
    return Email(f"{read.local_part.lower()}@{domain}", clean(named["name"]) if named else "")


def parse_phone(raw: str, default_country: str = "") -> Phone:
    """Reads a number as people write it: ``030 123456``, ``tel:+49-30-123456``, ``0049 30 123456 ext. 5``, ``٠٣٠…``.

    Args:
        default_country: ISO 3166-1 code, used for numbers without a country code.

    Raises:
        Unreadable: when it is no number that can be called, or has no country.
    """
    text = unquote(clean(raw)) if "%" in raw else clean(raw)
    if len(text) > _LONGEST_PHONE:
        raise Unreadable(f"{quoted(raw)} is too long for a phone number.")
    number = _dialled(text, default_country, raw)
    country = phonenumbers.region_code_for_number(number) or ""
    return Phone(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        _PHONE_REGIONS.get(country, country),
        number.extension or "",
    )


def normalise_website(raw: str) -> str:
    """A link fit to show and click: https, ASCII host in lower case, the path, and nothing after it.

    Raises:
        Unreadable: for other schemes (``javascript:``, ``ftp:``), passwords, private hosts, and what is no link.
    """
    text = clean(raw)
    scheme = _SCHEME.match(text)
    if scheme and scheme["scheme"].lower() not in ("http", "https"):
        raise Unreadable(f"{quoted(raw)} is not a website. It should start with https://.")
    try:
        parts = urlsplit(text if scheme else f"https://{text.removeprefix('//')}")
        host = public_host(parts.hostname or "")
    except ValueError:
        raise Unreadable(f"{quoted(raw)} is not a website. It should look like https://example.com.") from None
    path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
    website = f"https://{host}{path}"
    if parts.username is not None or len(website) > _LONGEST_WEBSITE:
        raise Unreadable(f"{quoted(raw)} is not a website. It should look like https://example.com.")
    return website


def _dialled(text: str, default_country: str, raw: str) -> phonenumbers.PhoneNumber:
    """The number, if it is in use; 00 is read as + when the number makes no sense at home."""
    try:
        number = phonenumbers.parse(text, default_country or None)
        if phonenumbers.is_valid_number(number):
            return number
    except phonenumbers.NumberParseException as error:
        fault = _PHONE_FAULTS[error.error_type]
    else:
        name = countries()[default_country].name if default_country in countries() else ""
        fault = f"is not a number in use{f' in {name}' if name and '+' not in text else ''}. Write it as +49 30 123456"
    if digits := _after_double_zero(text):
        return _dialled(f"+{digits}", "", raw)
    raise Unreadable(f"{quoted(raw)} {fault}.")


def _after_double_zero(text: str) -> str:
    match = re.match(r"(?:tel:)?\D{0,3}0\D{0,2}0\D{0,2}(?=[1-9])", text)
    return text[match.end() :] if match and "+" not in text[: match.end()] else ""
