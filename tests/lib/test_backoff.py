"""Waits grow and end."""

from datetime import timedelta

import pytest

from leadcrm.lib.backoff import doubled

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("times", "minutes"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (7, 60), (10**9, 60)])
def test_a_wait_doubles_up_to_the_longest(times, minutes):
    assert doubled(MINUTE, times, 60 * MINUTE) == minutes * MINUTE
