"""Checks of what must hold for the data that is there: `manage.py doctor`.

An app puts them into its `doctor.py`:

    @check("open-assignments")
    def open_assignments() -> Iterator[Violation]:
        '''Every owned lead has exactly one open assignment.'''
        for lead in ...:
            yield Violation("open-assignments", f"lead {lead.uid}", "Has an owner but no open assignment.")
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from leadcrm.lib.registry import AppRegistry


@dataclass(frozen=True)
class Violation:
    """One broken promise.

    code: the name of the check. subject: what it is about, so that it can be found. sentence: what is wrong.
    """

    code: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.code}: {self.subject}: {self.sentence}"


Check = Callable[[], Iterable[Violation]]

checks: AppRegistry[Check] = AppRegistry("check", "doctor")


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under a stable name. Its first docstring line says what must hold."""
    return lambda function: checks.add(name, function)


def violations(names: Iterable[str] = ()) -> Iterator[Violation]:
    """What is wrong now, by the named checks or by all. Reads only."""
    for function in checks.pick(names).values():
        yield from function()
