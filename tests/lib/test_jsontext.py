"""JSON that is the same for equal data."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from leadcrm.lib.jsontext import Ready, dumps


@pytest.mark.parametrize(
    "data",
    [{"b": 1, "a": [True, None, 1.5]}, {"ü": "\u2028 \x00"}, {"big": 10**30}, {"half": "\ud83d"}],
    ids=["plain", "odd letters", "a huge number", "half a character"],
)
def test_what_is_written_is_read_again_and_the_order_of_keys_does_not_matter(data):
    assert json.loads(dumps(data)) == data
    assert dumps(data) == dumps(dict(reversed(data.items())))


@pytest.mark.parametrize("more", [1, 10**30], ids=["quick", "by the standard library"])
def test_what_json_does_not_know_becomes_text_and_ready_json_stays(more):
    data = {
        "at": datetime(2026, 1, 5, tzinfo=UTC),
        "value": Decimal("1.50"),
        "ready": Ready(b'{"a":[1]}'),
        "more": more,
    }
    assert json.loads(dumps(data)) == {
        "at": "2026-01-05T00:00:00+00:00", "value": "1.50", "ready": {"a": [1]}, "more": more,
    }  # fmt: skip
