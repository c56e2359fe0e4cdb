"""Named entries that installed apps contribute from a module of a known name, as the admin finds `admin.py`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.utils.module_loading import autodiscover_modules

T = TypeVar("T")


class UnknownName(LookupError):
    """Nobody registered this name; the message lists those that exist."""


class AppRegistry(Generic[T]):
    """Entries by name, collected from `<app>/<module>.py` (or the package) of every installed app when first read."""

    def __init__(self, noun: str, module: str) -> None:
        self._noun = noun
        self._module = module
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        if self._entries.get(name, entry) != entry:
            raise ValueError(f"The {self._noun} {name!r} is registered already.")
        self._entries[name] = entry
        return entry

    def all(self) -> dict[str, T]:
        """Every entry, in the order in which they were registered."""
        autodiscover_modules(self._module)
        return dict(self._entries)

    def pick(self, names: Iterable[str]) -> dict[str, T]:
        """The named entries, or all when no name is given."""
        known = self.all()
        wanted = list(names) or list(known)
        for name in wanted:
            if name not in known:
                raise UnknownName(f"There is no {self._noun} {name!r}. Known are: {', '.join(known) or 'none'}.")
        return {name: known[name] for name in wanted}

    @contextmanager
    def temporarily(self, name: str, entry: T) -> Iterator[None]:
        """Have one more entry, for a test."""
        self.add(name, entry)
        try:
            yield
        finally:
            del self._entries[name]
