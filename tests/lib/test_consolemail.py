"""E-mail without a server: a line in the log, and a file with all of it."""

import logging
from email import message_from_bytes, policy

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from leadcrm.lib import consolemail


@pytest.fixture(autouse=True)
def var(tmp_path):
    with override_settings(VAR_DIR=tmp_path, EMAIL_BACKEND="leadcrm.lib.consolemail.EmailBackend"):
        yield


def send(subject: str) -> int:
    mail = EmailMultiAlternatives(subject, "Accept: https://crm.example/a/1", to=["ann@firm.example"])
    mail.attach_alternative("<p>Accept</p>", "text/html")
    return mail.send()


def test_the_log_has_one_line_per_message_and_the_file_has_all_of_it(caplog):
    caplog.set_level(logging.INFO, logger=consolemail.__name__)
    assert send("A new lead: Ünal") == 1
    (line,) = caplog.messages
    assert "\n" not in line
    (path,) = consolemail.folder().iterdir()
    assert line == f"not sent, to ann@firm.example: A new lead: Ünal ({path})"
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["subject"] == "A new lead: Ünal"
    assert "https://crm.example/a/1" in mail.get_body(("plain",)).get_content()
    assert "<p>Accept</p>" in mail.get_body(("html",)).get_content()


def test_only_the_newest_are_kept(monkeypatch):
    monkeypatch.setattr(consolemail, "KEPT", 2)
    for number in range(4):
        send(f"Lead {number}")
    kept = [message_from_bytes(path.read_bytes())["subject"] for path in sorted(consolemail.folder().iterdir())]
    assert kept == ["Lead 2", "Lead 3"]
