"""The signing key of an installation that runs on one machine and was given none."""

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def local_secret(path: Path) -> str:
    """Return the key kept in `path`, making it first when there is none (readable by its owner only).

    Safe when several processes start at once: the first complete file wins and all read that one.
    """
    if not path.exists():
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(get_random_secret_key())
    try:
        os.link(draft, path)  # fails when another process was first
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
