"""A message broker that needs no server: crash-safe files in a directory, for one machine with a local disk.

It keeps kombu's filesystem transport (exchanges, names, the poll loop) and replaces how files are written and taken:

* A message is written under a hidden name and renamed into place, so that a reader never sees half of it. (The stock
  transport makes the file visible first: readers lose the message, and an unreadable one ends the whole worker.)
* A message being worked on lies in `processing/<pid>-<start>/` until it is acknowledged. What a killed worker left
  there is put back by the next reader: each message is delivered at least once.
* The table of an exchange is replaced whole, under a lock. (The stock transport empties it before it writes.)
* Order is by wall clock, which survives a reboot. What cannot be read goes to `dead/`, for a person to look at.

Files live under the parent directory of the transport option `data_folder_in`. Rename is atomic within one file
system, so all directories must lie on the same one. Needs /proc to tell a live process from a dead one.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.transport.virtual import BrokerState
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

RECOVERY_SECONDS = 5.0
REPLY_SECONDS = 3600.0
REPLY_SUFFIX = ".reply.celery.pidbox.msg"  # answers to `celery inspect`; nobody reads them once the asker has gone


def process_mark(pid: int) -> str:
    """A name for a running process that no later process shares: its id and its start time. Empty when it is gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if state[0] == "Z" else f"{pid}-{state[19]}"


def is_alive(mark: str) -> bool:
    """Whether the process of this mark still runs."""
    pid = mark.partition("-")[0]
    return pid.isdigit() and process_mark(int(pid)) == mark


class Channel(filesystem.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked: dict[str, Path] = {}  # delivery tag -> the file of a message being worked on
        self._listing: dict[str, list[str]] = {}  # queue -> names seen in the directory, newest first
        self._without_ack: set[str] = set()  # queues whose reader never acknowledges
        self._recovered_at = 0.0
        for folder in (self._queue, self.control_folder, self._base / "dead", self._base / "processing"):
            Path(folder).mkdir(parents=True, exist_ok=True)

    @property
    def _queue(self) -> Path:
        return Path(self.data_folder_in)

    @property
    def _base(self) -> Path:
        return self._queue.parent

    def _mine(self) -> Path:
        """Where this process parks what it works on; asked each time, because a channel survives a fork."""
        folder = self._base / "processing" / process_mark(os.getpid())
        folder.mkdir(exist_ok=True)
        return folder

    # --- exchanges ---

    def get_table(self, exchange: str) -> list[Any]:
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        if row in self.get_table(exchange):
            return
        with self._changing_table(exchange) as table:
            if row not in table:
                table.insert(0, row)

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changing_table(exchange) as table:
            table[:] = [other for other in table if other != row]

    @contextmanager
    def _changing_table(self, exchange: str) -> Iterator[list[Any]]:
        """Change the bindings of an exchange in place; they are written when the block ends."""
        file = self._exchange_file(exchange)
        with (self.control_folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            yield table
            draft = file.with_name(f".{file.name}.{os.getpid()}")
            draft.write_text(dumps(table))
            draft.rename(file)

    # --- messages ---

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        draft = self._queue / f".{name}"
        draft.write_bytes(str_to_bytes(dumps(payload)))
        draft.rename(self._queue / name)

    def _get(self, queue: str) -> dict[str, Any]:
        self._recover()
        while name := self._next_name(queue):
            parked = self._mine() / name
            try:
                (self._queue / name).rename(parked)
            except FileNotFoundError:
                continue  # another reader took it
            payload = self._read(parked)
            if payload is None:
                continue
            if queue in self._without_ack:
                self._drop(payload["properties"]["delivery_tag"])
            return payload
        raise Empty

    def _next_name(self, queue: str) -> str | None:
        """The oldest message of the queue. The directory is listed anew only when the last listing is used up."""
        if not self._listing.get(queue):
            suffix = f"{queue}.msg"
            names = (entry.name for entry in os.scandir(self._queue))
            mine = (name for name in names if not name.startswith(".") and name.partition(".")[2] == suffix)
            self._listing[queue] = sorted(mine, reverse=True)
        return self._listing[queue].pop() if self._listing[queue] else None

    def _read(self, parked: Path) -> dict[str, Any] | None:
        """The message of a parked file, or None when it is none: then the file is put aside."""
        try:
            payload: dict[str, Any] = loads(bytes_to_str(parked.read_bytes()))
            tag = payload["properties"]["delivery_tag"]
        except (ValueError, KeyError, TypeError):
            parked.rename(self._base / "dead" / parked.name)
            return None
        self._parked[tag] = parked
        return payload

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> None:
        if no_ack:
            self._without_ack.add(queue)
        super().basic_consume(queue, no_ack, *args, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack, **kwargs)
        if message and no_ack:
            self._drop(message.delivery_tag)
        return message

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        self._drop(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue=requeue)  # to requeue, it calls _restore
        self._drop(delivery_tag)

    def _restore(self, message: Any) -> None:
        """Give a message back unfinished: the file returns to its place in the order."""
        parked = self._parked.pop(message.delivery_tag, None)
        if parked:
            parked.rename(self._queue / parked.name)
            self._listing.clear()  # so that the next look finds it before the younger ones

    def _drop(self, delivery_tag: str) -> None:
        parked = self._parked.pop(delivery_tag, None)
        if parked:
            parked.unlink(missing_ok=True)

    def _recover(self) -> None:
        """Put back what dead processes were working on, and forget answers that nobody waits for."""
        if time.monotonic() - self._recovered_at < RECOVERY_SECONDS:
            return
        self._recovered_at = time.monotonic()
        for folder in (self._base / "processing").iterdir():
            if not is_alive(folder.name):
                self._requeue(folder)
        for entry in os.scandir(self._queue):
            if entry.name.endswith(REPLY_SUFFIX) and _age(entry) > REPLY_SECONDS:
                Path(entry.path).unlink(missing_ok=True)

    def _requeue(self, folder: Path) -> None:
        for parked in folder.iterdir():
            with suppress(FileNotFoundError):  # another process is recovering the same folder
                parked.rename(self._queue / parked.name)
        with suppress(OSError):  # already removed
            folder.rmdir()


def _age(entry: "os.DirEntry[str]") -> float:
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0


class Transport(filesystem.Transport):
    Channel = Channel
    driver_type = "safefs"
    driver_name = "safefs"

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = BrokerState()  # shared by all, as in the stock transport, a second directory would not be bound
