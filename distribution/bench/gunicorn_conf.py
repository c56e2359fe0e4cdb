"""How gunicorn runs while it is measured: as `./run` starts it, with one more address."""

import os
from typing import Any

workers = os.cpu_count() or 1
worker_class = "gthread"
threads = 4
preload_app = True
loglevel = "warning"
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    from distribution.bench import nothing

    nothing.install()
