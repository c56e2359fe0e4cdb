"""Transactions that the database may abort through nobody's fault."""

import functools
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

TRIES: Final = 3
_SERIALIZATION_FAILURE: Final = "40001"
_DEADLOCK: Final = "40P01"


def is_transient(error: OperationalError) -> bool:
    """Whether the same transaction would probably succeed the next time."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in (_SERIALIZATION_FAILURE, _DEADLOCK) or "database is locked" in str(error)


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function that opens its own transaction again, at most three times, when it fell to a deadlock or a
    serialization failure. Inside somebody else's transaction it cannot be saved, so the error goes through."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not is_transient(error):
                    raise
        return function(*args, **kwargs)

    return run
