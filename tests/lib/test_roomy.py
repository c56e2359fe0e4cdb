"""What is called with room behaves as if it were called without, and has the room."""

import sys

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


def _room_behind_the_caller():
    """What the frame above asks for, in slots of a pointer each; its block has nearly as much behind it."""
    return sys._getframe(1).f_code.co_stacksize


def test_the_frame_above_asks_for_more_than_half_a_megabyte_and_so_gets_a_block_of_a_whole_one():
    assert 2**19 < with_room(_room_behind_the_caller)() * 8 < 2**20
    assert _room_behind_the_caller() * 8 < 2**14
