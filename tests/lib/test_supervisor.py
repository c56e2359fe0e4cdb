"""The supervisor with small programs in the place of the real ones."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.support.waiting import wait_until

SUPERVISE = """
import sys, json
from leadcrm.lib.supervisor import Supervisor
Supervisor(json.loads(sys.argv[1])).run(lambda: None)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ignoring', flush=True)
time.sleep(99)
"""
POLITE = "import time; print('working\\n\\nhard \\xff', flush=True); time.sleep(99)"


@pytest.fixture
def supervise(tmp_path):
    """Start a supervisor of one program, `web`, and wait until that has printed a word."""
    started = []

    def start(program: str, word: str) -> "subprocess.Popen[bytes]":
        commands = json.dumps({"web": [sys.executable, "-c", program]})
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-c", SUPERVISE, commands], stdout=log, stderr=log)
        started.append(process)
        wait_until(lambda: word in (tmp_path / "log").read_text(), word)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_each_line_carries_the_name_of_its_program_and_empty_ones_are_left_out(supervise, tmp_path):
    supervise(POLITE, "hard")
    assert "web | working\nweb | hard" in (tmp_path / "log").read_text()


def test_one_signal_stops_what_listens(supervise, tmp_path):
    process = supervise(POLITE, "working")
    process.send_signal(signal.SIGTERM)
    assert process.wait(7) == 0
    assert (tmp_path / "log").read_text().endswith("up  | stopping\nup  | stopped\n")


def test_a_second_ctrl_c_does_not_wait_for_what_does_not_listen(supervise, tmp_path):
    process = supervise(STUBBORN, "ignoring")
    process.send_signal(signal.SIGINT)
    wait_until(lambda: "stopping" in (tmp_path / "log").read_text(), "the first signal")
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert time.monotonic() - start < 5


def test_what_does_not_listen_is_ended_in_the_end(supervise):
    process = supervise(STUBBORN, "ignoring")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_program_that_cannot_start_is_tried_again_but_not_all_the_time(supervise, tmp_path):
    supervise("raise SystemExit(3)", "starting it again")
    assert "web | ended with code 3; starting it again" in (tmp_path / "log").read_text()
    assert (tmp_path / "log").read_text().count("again") == 1
