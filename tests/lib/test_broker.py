"""The file broker keeps every message, whatever dies."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue
from kombu.transport import TRANSPORT_ALIASES

from leadcrm.lib import broker

TRANSPORT_ALIASES.setdefault("safefs", "leadcrm.lib.broker:Transport")


def connect(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.01,
    }
    return Connection("safefs://localhost", transport_options=options)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with connect(tmp_path) as opened:
        yield opened


@pytest.fixture
def queue(connection: Connection) -> Iterator[SimpleQueue]:
    with connection.SimpleQueue("work") as opened:
        yield opened


def waiting(folder: Path) -> list[Path]:
    return sorted((folder / "queue").glob("*.msg"))


def parked(folder: Path) -> list[Path]:
    return sorted((folder / "processing").glob("*/*.msg"))


def test_messages_arrive_in_the_order_they_were_sent(queue):
    for number in range(20):
        queue.put({"number": number})
    assert [take(queue) for _ in range(20)] == list(range(20))


def take(queue: SimpleQueue, seconds: float = 5) -> int:
    message = queue.get(timeout=seconds)
    message.ack()
    number: int = message.payload["number"]
    return number


def test_an_acknowledged_message_leaves_no_file(queue, tmp_path):
    queue.put({"number": 1})
    take(queue)
    assert waiting(tmp_path) == parked(tmp_path) == []


def test_a_message_being_worked_on_is_kept_until_it_is_acknowledged(queue, tmp_path):
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    assert len(parked(tmp_path)) == 1
    message.ack()
    assert parked(tmp_path) == []


def test_a_message_given_back_keeps_its_place(queue, tmp_path):
    for number in range(3):
        queue.put({"number": number})
    queue.get(timeout=5).requeue()
    assert [take(queue) for _ in range(3)] == [0, 1, 2]


def test_closing_the_connection_gives_back_what_was_not_acknowledged(tmp_path):
    with connect(tmp_path) as first, first.SimpleQueue("work") as queue:
        queue.put({"number": 7})
        queue.get(timeout=5)
    assert (len(waiting(tmp_path)), parked(tmp_path)) == (1, [])


def test_a_half_written_message_is_not_seen(queue, tmp_path):
    queue.put({"number": 1})
    whole = waiting(tmp_path)[0]
    whole.with_name("." + whole.name).write_text('{"half')  # what a writer killed between its two steps leaves behind
    assert take(queue) == 1
    with pytest.raises(queue.Empty):
        queue.get(timeout=0.05)


@pytest.mark.parametrize("content", [b"", b'{"half', b"\xff\xfe", b"[]", b"{}", b'{"properties": null}'])
def test_a_message_that_cannot_be_read_is_put_aside_and_the_next_one_arrives(queue, tmp_path, content):
    queue.put({"number": 1})
    waiting(tmp_path)[0].write_bytes(content)
    queue.put({"number": 2})
    assert take(queue) == 2
    assert len(list((tmp_path / "dead").iterdir())) == 1
    assert parked(tmp_path) == []


TAKE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tests.lib.test_broker import connect
with connect(Path(sys.argv[1])) as connection, connection.SimpleQueue("work") as queue:
    queue.get(timeout=5)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_message_taken_by_a_killed_worker_is_delivered_again(queue, tmp_path):
    queue.put({"number": 42})
    killed = subprocess.run([sys.executable, "-c", TAKE_AND_DIE, str(tmp_path)], check=False, cwd=Path.cwd())
    assert killed.returncode == -signal.SIGKILL
    assert len(parked(tmp_path)) == 1
    assert take(queue) == 42


def test_a_running_process_keeps_its_messages_from_the_others(queue, tmp_path):
    queue.put({"number": 1})
    message = queue.get(timeout=5)
    with connect(tmp_path) as other, other.SimpleQueue("work") as second, pytest.raises(second.Empty):
        second.get(timeout=0.05)
    message.ack()


@pytest.mark.parametrize("mark", ["", "nonsense", "1-0", pytest.param(f"{os.getpid()}-1", id="ours"), "999999999-5"])
def test_a_process_that_is_gone_or_another_with_its_number_is_not_alive(mark):
    assert not broker.is_alive(mark)


def test_this_process_is_alive():
    assert broker.is_alive(broker.process_mark(os.getpid()))


def test_readers_without_acknowledgement_leave_no_files(connection, tmp_path):
    with connection.SimpleQueue("work", no_ack=True) as queue:
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}
    assert waiting(tmp_path) == parked(tmp_path) == []


def test_an_answer_that_nobody_waits_for_is_forgotten_after_an_hour(connection, queue, tmp_path):
    old = tmp_path / "queue" / f"0_0.someone{broker.REPLY_SUFFIX}"
    fresh = tmp_path / "queue" / f"1_0.someone{broker.REPLY_SUFFIX}"
    for file in (old, fresh):
        file.write_text("{}")
    os.utime(old, (0, 0))
    queue.put({"number": 1})
    take(queue)
    assert (old.exists(), fresh.exists()) == (False, True)


def consume(folder: str, count: int) -> list[int]:
    """Take messages until none has come for a while; runs in a process of its own."""
    taken: list[int] = []
    with connect(Path(folder)) as connection, connection.SimpleQueue("work") as queue:
        while len(taken) < count:
            try:
                taken.append(take(queue, seconds=2))
            except queue.Empty:
                break
    return taken


def produce(folder: str, numbers: range) -> None:
    with connect(Path(folder)) as connection, connection.SimpleQueue("work") as queue:
        for number in numbers:
            queue.put({"number": number})


def test_two_writers_and_two_readers_at_once_pass_each_message_exactly_once(tmp_path, thorough):
    count = 8_000 if thorough else 600
    folder = str(tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        readers = [pool.apply_async(consume, (folder, count)) for _ in range(2)]
        pool.starmap(produce, [(folder, range(count // 2)), (folder, range(count // 2, count))])
        taken = [number for reader in readers for number in reader.get(timeout=240)]
    assert sorted(taken) == list(range(count))


def test_bindings_made_at_the_same_time_are_all_kept(tmp_path):
    def bind(number: int) -> None:
        with connect(tmp_path) as connection, connection.channel() as channel:
            channel.exchange_declare("news", type="fanout")
            channel.queue_declare(f"queue{number}")
            channel.queue_bind(f"queue{number}", "news", "")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bind, range(24)))
    rows = json.loads((tmp_path / "control/news.exchange").read_text())
    assert {row[2] for row in rows} == {f"queue{number}" for number in range(24)}
