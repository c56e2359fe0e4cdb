"""Fixtures of tests about messages: the clock stands still, and text messages are kept instead of sent."""

import pytest
import time_machine

from notifications.channels import CHANNELS
from tests.notifications.messages import NOW, Recorder


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sms(clock, monkeypatch):
    """Text messages that are kept instead of sent."""
    recorder = Recorder("sms")
    # In its place: the order of the registry is the order of the docs.
    monkeypatch.setitem(CHANNELS._entries, "sms", recorder)
    return recorder
