"""Two things at once: read and compute what comes next while the database writes what came before."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from django.db import connection, connections

Call = Callable[[], None]

# Whoever comes back from the database waits so many seconds at most for a turn beside the other, who computes. For the
# whole process, so only meanwhile: threads that answer requests are dearer with short turns.
_SHORT_TURN: Final = 0.0005
_USUAL_TURN: Final = sys.getswitchinterval()


@contextmanager
def beside(needed: bool = True) -> Iterator[Callable[[Call], None]]:
    """A function that runs calls one after the other beside the caller, in a thread with a database connection of its
    own. It waits for the call before, and passes on its error; so does the end of the block.

    Inside a transaction, whose rows another connection does not see, where the database takes one writer only, and when
    it is not ``needed``, since nothing would be done meanwhile, the calls are made at once.
    """
    if not needed or connection.in_atomic_block or connection.vendor != "postgresql":
        yield lambda call: call()
        return
    with ThreadPoolExecutor(1) as thread:
        running: list[Future[None]] = []
        sys.setswitchinterval(_SHORT_TURN)

        def run(call: Call) -> None:
            while running:
                running.pop().result()
            running.append(thread.submit(call))

        try:
            yield run
            run(lambda: None)
        finally:
            sys.setswitchinterval(_USUAL_TURN)
            thread.submit(connections.close_all)
