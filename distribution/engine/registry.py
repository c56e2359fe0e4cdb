"""A registry of named entries: stored data picks one by its short, stable key."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries by key, in the order in which they were added. A key is stored in data: never rename one."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, T] = {}

    def add(self, key: str, entry: T) -> T:
        if key in self._entries:
            raise ValueError(f"{self.noun} {key!r} is registered already")
        self._entries[key] = entry
        return entry

    def remove(self, key: str) -> None:
        del self._entries[key]

    def __getitem__(self, key: str) -> T:
        try:
            return self._entries[key]
        except KeyError:
            raise LookupError(f"unknown {self.noun} {key!r}; known are {', '.join(self._entries)}") from None

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def values(self) -> list[T]:
        return list(self._entries.values())

    def choices(self, label: Callable[[T], str]) -> list[tuple[str, str]]:
        return [(key, label(entry)) for key, entry in self._entries.items()]
