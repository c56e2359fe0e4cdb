"""What is called with room behaves as if it were called without."""

import pytest

from leadcrm.lib.roomy import with_room


def _deep(depth: int) -> int:
    return depth if depth == 0 else 1 + _deep(depth - 1)


def test_arguments_and_results_pass_through():
    assert with_room(divmod)(7, 3) == (2, 1)
    assert with_room(sorted)([1, 2], reverse=True) == [2, 1]
    assert with_room(_deep)(500) == with_room(with_room(_deep))(500) == 500


def test_errors_pass_through():
    with pytest.raises(ZeroDivisionError):
        with_room(divmod)(1, 0)
