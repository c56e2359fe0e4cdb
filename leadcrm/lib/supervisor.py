"""Runs a few programs together in the foreground: readable logs, a restart for what crashes, one stop for all."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, TextIO

COLOURS = {"web": 36, "worker": 33, "beat": 35}
PDEATHSIG = 1
PAUSE_SECONDS = 2.0  # between two starts of a program, so that one that cannot start does not burn the processor
STOP_SECONDS = 8.0
TICK_SECONDS = 0.2

try:
    _libc: ctypes.CDLL | None = ctypes.CDLL("libc.so.6")
except OSError:  # not Linux with glibc: then a killed supervisor leaves its programs running
    _libc = None


class Log:
    """Lines of several programs on one stream, each with the name of its program in front."""

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream = stream
        self._width = max(map(len, names))
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<{self._width}} |"
        if self._coloured:
            prefix = f"\033[{COLOURS.get(name, 32)}m{prefix}\033[0m"
        with self._lock:
            self._stream.write(f"{prefix} {text}\n")
            self._stream.flush()

    def copy(self, name: str, source: IO[bytes]) -> None:
        """Pass on the output of a program until it ends."""
        with source:
            for raw in source:
                if text := raw.decode(errors="replace").rstrip():
                    self.line(name, text)


class Program:
    """One program: started, watched, started again."""

    def __init__(self, name: str, command: Sequence[str], log: Log) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which then stops all in order
            preexec_fn=_die_with_the_supervisor,  # noqa: PLW1509 - one system call, no lock taken
        )
        threading.Thread(target=self._log.copy, args=(self.name, self._process.stdout), daemon=True).start()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Start it again if it has died, but not too soon after its last start."""
        if self._process is None or self.running or time.monotonic() - self._started < PAUSE_SECONDS:
            return
        self._log.line(self.name, f"ended with {_outcome(self._process.returncode)}; starting it again")
        self._end_group()  # a killed master leaves its workers, who would hold the port and wait for ever
        self.start()

    def ask_to_stop(self) -> None:
        if self._process and self.running:
            self._process.terminate()

    def end(self) -> None:
        """End it, and everything it started, at once."""
        if self._process:
            self._end_group()
            self._process.wait()

    def _end_group(self) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Supervisor:
    def __init__(self, commands: Mapping[str, Sequence[str]], stream: TextIO = sys.stdout) -> None:
        self.log = Log(stream, [*commands, "up"])
        self._programs = [Program(name, command, self.log) for name, command in commands.items()]
        self._asked = 0

    def run(self, announce: Callable[[], None]) -> None:
        """Run all programs until SIGINT or SIGTERM; a second signal does not wait for work in progress.

        announce: called in a thread of its own once everything is started, to wait for answers and greet.
        """
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)
        for program in self._programs:
            program.start()
        threading.Thread(target=announce, daemon=True).start()
        while not self._asked:
            time.sleep(TICK_SECONDS)
            for program in self._programs:
                program.revive()
        self._stop()

    @property
    def stopping(self) -> bool:
        return self._asked > 0

    def _ask(self, *args: object) -> None:
        self._asked += 1

    def _stop(self) -> None:
        self.log.line("up", "stopping")
        for program in self._programs:
            program.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        while any(program.running for program in self._programs) and time.monotonic() < end and self._asked < 2:
            time.sleep(TICK_SECONDS)
        for program in self._programs:
            program.end()
        self.log.line("up", "stopped")


def _outcome(code: int) -> str:
    return f"code {code}" if code >= 0 else signal.Signals(-code).name


def _die_with_the_supervisor() -> None:
    if _libc:
        _libc.prctl(PDEATHSIG, signal.SIGTERM)
