"""The project's Celery application with one more task, for tests that run a real worker.

`python -m tests.support.celery_app FOLDER NAME SECONDS` sends that task.
"""

import sys
import time
from pathlib import Path

from leadcrm.celery import app

__all__ = ["app", "leave_mark"]


@app.task(name="tests.leave_mark")
def leave_mark(folder: str, name: str, seconds: float = 0.0) -> None:
    """Say that the task began, work, say that it is done."""
    (Path(folder) / f"{name}.began").touch()
    time.sleep(seconds)
    (Path(folder) / f"{name}.done").touch()


if __name__ == "__main__":
    leave_mark.delay(sys.argv[1], sys.argv[2], float(sys.argv[3]))
