"""Addresses that users type in: none leads into our own network, none keeps us waiting, none fills the memory."""

import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib import outgoing
from leadcrm.lib.outgoing import Limits, Refused, TooLarge, Unreachable, check_url, is_public, send
from tests.support.web import serve

QUICK = Limits(seconds=0.3, size=1000)
PRIVATE = (
    "127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 "
    "192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 "
    ":: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12:3456::1 ff02::1 fec0::1 2001:db8::1 100::1 "
    "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:a00:1 ::127.0.0.1 "
    "64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2001:0:7f00:1:: nonsense"
).split()
PUBLIC = "1.1.1.1 8.8.8.8 172.15.0.1 172.32.0.1 100.128.0.1 2606:4700:4700::1111 2a00:1450::1 ::ffff:8.8.8.8".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_public_internet(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_public_internet(address: str):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_inside_ipv6_as_it_is_alone(address: Any):
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert not is_public(f"64:ff9b::{address}")


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "http://example.com/", "ftp://example.com/x", "file:///etc/passwd", "javascript:alert(1)"),
        *("https://", "https:///x", "https://me:secret@example.com/", "https://[::1", "https://example.com:99999/"),
        "https://exa mple.com/\r\nHost: x",
    ],
)
def test_what_is_no_https_address_is_refused(url: str):
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost 127.1 0x7f000001 2130706433 0177.0.0.1 [::1] [::ffff:127.0.0.1] 169.254.169.254".split(),
)
def test_however_a_private_address_is_written_nothing_is_sent_there(host: str):
    with pytest.raises(Refused, match="private network"):
        send(f"https://{host}/")


@pytest.fixture
def server(settings: Any) -> Iterator[Any]:
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as found:
        yield found


def test_an_answer_has_its_status_its_body_and_its_headers(server: Any):
    answer = send(f"{server.url}/fine", headers={"If-None-Match": '"0"'})
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"hello", '"1"')
    assert server.seen[0][1]["If-None-Match"] == '"0"'


def test_an_error_of_the_server_is_an_answer(server: Any):
    assert send(f"{server.url}/missing").status == 404


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("huge", TooLarge, "longer than 1 kB"),
        ("silent", Unreachable, "127.0.0.1"),
        ("drip", Unreachable, "within 0.3 seconds"),
        ("garbage", Unreachable, "could not be reached"),
        ("loop", Refused, "more than 3 times"),
    ],
)
def test_a_bad_server_ends_in_a_typed_error_in_time(server: Any, path: str, fault: type[Exception], words: str):
    with pytest.raises(fault, match=words):
        send(f"{server.url}/{path}", limits=QUICK)


def test_a_slow_name_server_does_not_lengthen_the_time(server: Any, monkeypatch: pytest.MonkeyPatch):
    """The time is over before the name is resolved: nothing is asked any more."""
    over = Event()
    cut = outgoing._Checked.cut

    def cut_and_tell(connection: Any) -> None:
        cut(connection)
        over.set()

    monkeypatch.setattr(outgoing._Checked, "cut", cut_and_tell)
    monkeypatch.setattr(outgoing, "public_addresses", lambda host, port: ["127.0.0.1"] if over.wait(30) else [])
    with pytest.raises(Unreachable, match="within 0.3 seconds"):
        send(f"{server.url}/fine", limits=QUICK)
    assert server.seen == []


def test_a_redirect_is_followed(server: Any):
    answer = send(f"{server.url}/to/fine")
    assert (answer.body, answer.url) == (b"hello", f"{server.url}/fine")


@pytest.mark.parametrize(
    "target",
    ["http://localhost/x", "https://localhost/x", "https://169.254.169.254/latest", "https://[::1]/", "ftp://x/"],
)
def test_a_redirect_into_a_private_network_is_refused(server: Any, target: str):
    with pytest.raises(Refused):
        send(f"{server.url}/to/{target}")


def test_a_secret_does_not_go_along_to_another_server(server: Any, settings: Any):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1", "localhost"]
    other = server.url.replace("127.0.0.1", "localhost")
    send(f"{server.url}/to/{other}/fine", headers={"Authorization": "secret", "If-None-Match": '"1"'})
    first, second = (headers for _, headers in server.seen)
    assert "Authorization" in first
    assert "Authorization" not in second
    assert second["If-None-Match"] == '"1"'


def test_a_post_is_never_repeated_elsewhere(server: Any):
    assert send(f"{server.url}/to/fine", method="POST", body=b"x").status == 302


def test_nobody_there(server: Any):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="could not be reached"):
        send(f"http://127.0.0.1:{port}/", limits=QUICK)


def test_a_server_that_speaks_no_tls(server: Any):
    with pytest.raises(Unreachable, match="could not be reached"):
        send(server.url.replace("http:", "https:"), limits=QUICK)


Resolve = Callable[..., list[Any]]


def answering(*addresses: str) -> Resolve:
    """A name server whose first answer is another than all that follow."""
    answers = iter(addresses)
    last = addresses[-1]
    return lambda host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, last), port))]


def test_a_second_answer_of_the_name_server_changes_nothing(monkeypatch: Any):
    """DNS rebinding: what was checked is what is connected to, so a later private answer is never asked for."""
    connected = []

    def connect(address: Any, *args: Any) -> Any:
        connected.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", answering("8.8.8.8", "127.0.0.1"))
    monkeypatch.setattr(outgoing.socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        send("https://rebind.example/")
    assert connected == [("8.8.8.8", 443)]


def test_one_private_address_among_several_refuses_them_all(monkeypatch: Any):
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *args, **_: entries)
    with pytest.raises(Refused):
        send("https://two.example/")
