"""Requests to addresses that people typed in: calendars, webhooks. The one door for all of them.

An address that users may choose could lead into our own network. So only https, and only to public addresses: the name
is resolved once, every answer is checked, and the connection is made to what was checked and never to the name, so that
a second answer of the name server (DNS rebinding) changes nothing. Each redirect goes the same way. No proxy of the
environment is used: it would resolve the name again.

``OUTGOING_LOCAL_HOSTS`` names hosts of the own network that may be reached all the same, also by http.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Any, Final
from urllib.parse import urljoin

from django.conf import settings
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import Url, parse_url

from leadcrm.lib.text import clean

MOST_REDIRECTS: Final = 3
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
CHUNK: Final = 65_536
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# What is true of the content, not of the server: it may go along to another one.
CARRIED: Final = frozenset({"accept", "user-agent", "if-none-match", "if-modified-since"})
# IPv6 addresses with an IPv4 address inside, to which a gateway may pass on: NAT64, Teredo, 6to4, IPv4-compatible.
TRANSLATED: Final = tuple(
    ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96")
)


class OutgoingError(Exception):
    """A request that was not answered. Its text says why, for people."""


class Refused(OutgoingError):
    """The address is none that may be asked. Nothing was sent there."""


class Unreachable(OutgoingError):
    """Nobody answered, not in time, or not as HTTP."""


class TooLarge(OutgoingError):
    """The answer is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` for one server from connecting to the last byte; ``size`` in bytes, as sent and unpacked."""

    seconds: float = 10
    size: int = 5_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """``url`` is the address that answered, after redirects. The names of headers compare without case."""

    status: int
    body: bytes
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


def send(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
) -> Answer:
    """Ask an address that somebody typed in. A GET follows up to three redirects; else a redirect is the answer.

    Any status is an answer; what it means is for the caller to judge.

    Raises:
        Refused: not https, or it leads into a private network.
        Unreachable: no such host, no connection, no answer in time, a bad certificate.
        TooLarge: the answer is longer than ``limits.size``.
    """
    sent = dict(headers or {})
    for _ in range(MOST_REDIRECTS + 1):
        parts = check_url(url)
        answer = _ask(parts, method, body, sent, limits)
        target = answer.headers.get("location") if answer.status in REDIRECTS and method == "GET" else None
        if not target:
            return answer
        url = urljoin(answer.url, target)
        if _origin(check_url(url)) != _origin(parts):
            sent = {name: value for name, value in sent.items() if name.lower() in CARRIED}
    raise Refused(f"It was redirected more than {MOST_REDIRECTS} times.")


def check_url(url: str) -> Url:
    """The parts of an address that may be asked as far as its text tells.

    Raises:
        Refused: it is no https address of a host.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise Refused("This is no address. Write one such as https://example.com/calendar.ics.") from None
    if not parts.host or parts.scheme not in DEFAULT_PORTS:
        raise Refused("This is no web address. Write one such as https://example.com/calendar.ics.")
    if parts.auth:
        raise Refused("An address must not hold a user name or a password.")
    if parts.scheme != "https" and not _is_local(parts.host):
        raise Refused(f"{parts.host} must be asked by https.")
    return parts


def public_addresses(host: str, port: int) -> list[str]:
    """The IP addresses of a host, all of them public ones.

    Raises:
        Refused: one of them is not.
        Unreachable: the host has none.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise Unreachable(f"There is no host {host}.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not _is_local(host) and not all(map(is_public, addresses)):
        raise Refused(f"{host} leads into a private network.")
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address belongs to one host of the public internet."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return _is_global(ip) and not any(ip in net for net in TRANSLATED if net.version == ip.version)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    is_site_local = isinstance(ip, IPv6Address) and ip.is_site_local
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or is_site_local)


def _is_local(host: str) -> bool:
    return host.strip("[]").lower() in settings.OUTGOING_LOCAL_HOSTS


def _origin(parts: Url) -> tuple[str | None, str | None, int]:
    return parts.scheme, parts.host, _port(parts)


def _port(parts: Url) -> int:
    return parts.port or DEFAULT_PORTS[str(parts.scheme)]


def _ask(parts: Url, method: str, body: bytes | None, headers: Mapping[str, str], limits: Limits) -> Answer:
    kind = _SecureConnection if parts.scheme == "https" else _PlainConnection
    connection = kind(str(parts.host), _port(parts), timeout=limits.seconds)
    alarm = Timer(limits.seconds, connection.cut)
    alarm.start()
    try:
        connection.request(method, parts.request_uri, body, headers, preload_content=False)
        response = connection.getresponse()
        content = _read(response, limits)
    except (HTTPError, HTTPException, OSError) as error:
        raise Unreachable(f"{parts.host} could not be reached: {_why(error)}.") from None
    finally:
        alarm.cancel()
        connection.close()
        connection.release()
        if connection.is_cut:  # even what reads like a whole answer is only the beginning of one
            raise Unreachable(f"{parts.host} did not answer in full within {limits.seconds:g} seconds.") from None
    return Answer(response.status, content, parts.url, {k.lower(): v for k, v in response.headers.items()})


def _read(response: BaseHTTPResponse, limits: Limits) -> bytes:
    content = bytearray()
    while chunk := response.read1(CHUNK, decode_content=True):
        content += chunk
        if len(content) > limits.size:
            raise TooLarge(f"The answer is longer than {limits.size // 1000:,} kB.")
    return bytes(content)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "it took too long"
    words = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return clean(words).rstrip(".") or type(error).__name__


class _Checked:
    """A connection that resolves, checks and connects in one step. The certificate is compared with the name."""

    host: str
    port: int
    timeout: Any
    is_cut = False
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        failure = OSError("it has no address")
        for address in public_addresses(self.host, self.port):
            self._refuse_if_cut()  # while the name was resolved, or the address before was tried
            try:
                opened = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                failure = error
            else:
                # TLS takes the socket over; the copy can end it at any time.
                self._handle = opened.dup()
                self._refuse_if_cut()  # before there was anything to end
                return opened
        raise failure

    def _refuse_if_cut(self) -> None:
        if self.is_cut:
            raise TimeoutError

    def cut(self) -> None:
        """End what a slow server drags out: a time-out of the socket begins anew with every byte."""
        self.is_cut = True
        with suppress(OSError):
            if self._handle is not None:
                self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Not in ``close``, which is called as soon as the headers of a last answer are read."""
        if self._handle is not None:
            self._handle.close()


class _PlainConnection(_Checked, HTTPConnection):
    pass


class _SecureConnection(_Checked, HTTPSConnection):
    pass
