"""What a lead agreed to, as a source sends it."""

import pytest

from pipeline.consents import read_consents
from pipeline.intake import ConsentInput


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::7", ""])
def test_a_consent_keeps_the_address_it_was_given_from(ip):
    assert read_consents([ConsentInput("email", True, ip=ip)]) == ([ConsentInput("email", True, ip=ip)], [])


@pytest.mark.parametrize("ip", ["localhost", "203.0.113", "fe80::1%eth0", "10.0.0.1\n", "1" * 100, "\ud800"])
def test_what_is_no_address_is_no_ip(ip):
    _, errors = read_consents([ConsentInput("email", True, ip=ip)])
    assert [error.field for error in errors] == ["consents.0.ip"]


def test_consents_are_kept_whole_or_refused():
    good = ConsentInput("email", True, wording=" Yes\x07 ")
    assert read_consents([good])[0][0].wording == "Yes"
    _, errors = read_consents([good, ConsentInput("pigeon", True, origin="x" * 501)])
    assert [error.field for error in errors] == ["consents.1.channel", "consents.1.origin"]
    assert read_consents([good] * 21)[0] == []
    _, errors = read_consents([ConsentInput("email", True, wording="Yes\x00", origin="\ud800")])
    assert [error.field for error in errors] == ["consents.0.wording", "consents.0.origin"]
