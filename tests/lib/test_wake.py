"""Messages to a real broker, in memory; what waits is let go by the tests, not by the clock."""

import pytest

from leadcrm.celery import app
from leadcrm.lib import wake
from notifications.tasks import deliver, fan_out


@pytest.fixture(autouse=True)
def long_moment(monkeypatch):
    monkeypatch.setattr(wake, "MOMENT_SECONDS", 3600.0)
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("celery")


def messages():
    with app.connection_for_read() as connection:
        return connection.default_channel.queue_declare("celery").message_count


def let_go():
    """As if the moment was over for all that wait."""
    for timer in list(wake._waiting.values()):
        timer.cancel()
        timer.function(*timer.args)


def test_the_first_who_asks_is_heard_at_once():
    wake.wake(fan_out)
    assert messages() == 1


def test_all_who_ask_within_a_moment_are_one_message_when_it_is_over():
    for _ in range(5):
        wake.wake(fan_out)
    assert messages() == 1
    let_go()
    assert messages() == 2
    let_go()
    assert messages() == 2


def test_who_asks_after_that_waits_for_the_next_moment():
    for _ in range(2):
        wake.wake(fan_out)
    let_go()
    wake.wake(fan_out)
    assert messages() == 2
    let_go()
    assert messages() == 3


def test_another_task_or_channel_does_not_wait():
    wake.wake(deliver, "email")
    wake.wake(deliver, "sms")
    wake.wake(fan_out)
    assert messages() == 3


def test_what_waits_is_forgotten_and_the_next_one_is_heard_at_once():
    for _ in range(2):
        wake.wake(fan_out)
    wake.forget()
    let_go()
    wake.wake(fan_out)
    assert messages() == 2
